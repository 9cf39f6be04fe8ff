"""Recording GPU work once and replaying it.

A small model's training step, or a few dances' denoising step, is hundreds of kernels of microseconds each, so
Python cannot start them as fast as the GPU ends them: a training step of the demo model takes 36 ms, of which
the GPU works 23.
"""

from collections.abc import Callable
from typing import Generic, TypeVar

import torch

Result = TypeVar("Result")


class CapturedCall(Generic[Result]):
    """A function without arguments, as a CUDA graph.

    Every call works on the same memory: what the function reads must be changed in place, and the result
    is overwritten by the next call. The function must not wait for the GPU. Random draws go on from the
    state of torch's generator at each call, as they would without the graph.
    """

    def __init__(self, function: Callable[[], Result], warm_up_calls: int = 3) -> None:
        """Call the function a few times, in which libraries choose kernels and take memory, then record it."""
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(warm_up_calls):
                function()
        torch.cuda.current_stream().wait_stream(stream)
        self._graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self._graph):
            self._result = function()

    def __call__(self) -> Result:
        """Replay; return the tensors that the recorded call returned, newly filled."""
        self._graph.replay()
        return self._result
