"""Moving pictures that pages show by themselves: .gif and .webp, small, without sound and without ffmpeg."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from PIL import Image

from skeleton2stage.files import atomic_path

MOVING_PICTURES = (".gif", ".webp")
_GIF_COLOURS = 96
_MOSAIC_FRAMES = 8
_WEBP_QUALITY = 60


def write_moving_picture(path: Path, pictures: Iterable[np.ndarray], fps: int) -> None:
    """Write pictures [H, W, 3] uint8 as an endless .gif or .webp, by the path's suffix, atomically."""
    kind = path.suffix.lower()
    frames = [Image.fromarray(picture) for picture in pictures]
    options = {"quality": _WEBP_QUALITY, "method": 6}
    if kind == ".gif":
        # One table of colours for all frames, without dithering: what does not move costs nothing then.
        table = _mosaic(frames).quantize(_GIF_COLOURS, method=Image.Quantize.MEDIANCUT)
        frames = [frame.quantize(palette=table, dither=Image.Dither.NONE) for frame in frames]
        options = {"optimize": True, "disposal": 1}
    with atomic_path(path) as temporary:
        frames[0].save(
            temporary, format=kind[1:].upper(), save_all=True, append_images=frames[1:],
            duration=round(1000 / fps), loop=0, **options,
        )


def _mosaic(frames: list[Image.Image]) -> Image.Image:
    """Return some of the frames, evenly spread, as one picture: what has all their colours."""
    chosen = frames[:: max(1, len(frames) // _MOSAIC_FRAMES)]
    width, height = frames[0].size
    mosaic = Image.new("RGB", (width, height * len(chosen)))
    for row, frame in enumerate(chosen):
        mosaic.paste(frame, (0, row * height))
    return mosaic
