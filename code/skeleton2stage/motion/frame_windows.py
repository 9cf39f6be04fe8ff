"""A long clip worked through in windows, each with frames on either side that belong to its neighbours."""

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Window:
    """Frames of a clip: `frames`, with a margin on either side, to look at; `kept`, whose results count.

    inner: where the kept ones are among the frames.
    """

    frames: slice
    kept: slice

    @property
    def inner(self) -> slice:
        """Return the kept frames as a slice of the window's own."""
        return slice(self.kept.start - self.frames.start, self.kept.stop - self.frames.start)


def windows_of(n_frames: int, size: int, margin: int) -> Iterator[Window]:
    """Yield windows of `size` kept frames, the last of fewer, end to end over a clip."""
    for start in range(0, n_frames, size):
        stop = min(start + size, n_frames)
        yield Window(slice(max(0, start - margin), min(n_frames, stop + margin)), slice(start, stop))
