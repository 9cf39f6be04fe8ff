"""Predicting clean motions of one batch, step after step: what steps have in common is done once."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import cache

import torch

from dance_model.diffusion.captured import CapturedCall
from dance_model.diffusion.denoiser import Denoiser, Encoding
from skeleton2stage.errors import unknown_name

PRECISIONS = ("float32", "bf16")


def predict_x0(
    model: Denoiser,
    x_t: torch.Tensor,
    times: torch.Tensor,
    encoding: Encoding,
    guidance: float | torch.Tensor,
) -> torch.Tensor:
    """Return the guided prediction of x_0 [B, T, D] from x_t [B, T, D] at times [B], in the range of scaled motions.

    `encoding` [2B] comes from `model.encode_guided`; guidance is one number or [B, 1, 1].
    """
    bound = model.config.place_range
    return model.guided_forward(x_t, times, encoding, guidance).float().clamp(-bound, bound)


def prediction(compiled: bool) -> Callable[..., torch.Tensor]:
    """Return `predict_x0`, or a version of it with fused kernels, of which there is one for all callers."""
    return _compiled() if compiled else predict_x0


@cache
def _compiled() -> Callable[..., torch.Tensor]:
    return torch.compile(predict_x0, dynamic=False)


def precision_context(device: torch.device, precision: str) -> AbstractContextManager:
    """Return the context in which products and attention have a precision, one of PRECISIONS.

    bf16 leaves sums, norms and the prediction itself in float32. Weights are cast anew for every product, since a cache
    of them must not be filled while a graph is recorded, and what is sampled must be scored by the same kernels.
    """
    if precision not in PRECISIONS:
        raise unknown_name("precision", precision, list(PRECISIONS))
    return nullcontext() if precision == "float32" else torch.autocast(device.type, torch.bfloat16, cache_enabled=False)


class Predictor:
    """The guided prediction of x_0 for one batch of music.

    Encodes the music once; on an NVIDIA GPU the forward pass is recorded as a CUDA graph at the first step and
    replayed at the others, since a few dances' kernels end sooner than Python can start them. `precision` is of
    products and attention: bf16 leaves sums, norms and the prediction itself in float32. `compiled` fuses
    kernels, which takes a minute and pays where thousands of dances follow.
    """

    def __init__(
        self, model: Denoiser, music: torch.Tensor, precision: str = "float32", compiled: bool = False
    ) -> None:
        self._model, self._precision = model, precision
        self._predict_x0 = prediction(compiled)
        with self._cast():
            self._encoding = model.encode_guided(music)
        self._recorded: dict[bool, CapturedCall[torch.Tensor]] = {}  # by whether guidance mixes two predictions
        self._x = music.new_empty(len(music), model.config.window_frames, model.config.motion_width)
        self._times = torch.zeros(len(music), dtype=torch.long, device=music.device)
        self._guidance = music.new_empty(len(music), 1, 1)

    def __call__(self, x_t: torch.Tensor, time: int, guidance: float | torch.Tensor) -> torch.Tensor:
        """Return the prediction [B, T, D], clipped to the range of scaled motions, from x_t [B, T, D].

        guidance: classifier-free guidance weight, one number or [B, 1, 1]. The result is overwritten by the next
        call.
        """
        self._times.fill_(time)
        if x_t.device.type != "cuda":
            return self._predict(x_t, guidance)
        self._x.copy_(x_t)
        if not isinstance(guidance, torch.Tensor) and guidance == 1.0:
            return self._replay(1.0)
        if isinstance(guidance, torch.Tensor):
            self._guidance.copy_(guidance)
        else:
            self._guidance.fill_(guidance)
        return self._replay(self._guidance)

    def _replay(self, guidance: float | torch.Tensor) -> torch.Tensor:
        kind = isinstance(guidance, torch.Tensor)
        if kind not in self._recorded:
            self._recorded[kind] = CapturedCall(lambda: self._predict(self._x, guidance), warm_up_calls=1)
        return self._recorded[kind]()

    def _predict(self, x: torch.Tensor, guidance: float | torch.Tensor) -> torch.Tensor:
        with torch.no_grad(), self._cast():
            return self._predict_x0(self._model, x, self._times, self._encoding, guidance)

    def _cast(self) -> AbstractContextManager:
        return precision_context(self._model.device, self._precision)
