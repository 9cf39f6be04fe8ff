"""Pictures to files: an mp4 with its song, captions, and a contact sheet."""

import subprocess
import tempfile
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from skeleton2stage.errors import UserError
from skeleton2stage.ffmpeg_program import ffmpeg_program
from skeleton2stage.files import atomic_path
from skeleton2stage.render.soundtrack import Soundtrack

SHEET_COLUMNS = 4
SHEET_WIDTH = 1600
_MARGIN = 0.025  # of a picture's height


def encode(
    path: Path, pictures: Iterable[np.ndarray], n_pictures: int, size: tuple[int, int], fps: int, crf: int = 20,
    soundtrack: Soundtrack | None = None,
) -> None:
    """Write n pictures [H, W, 3] uint8 of one even size (width, height) as an mp4, atomically.

    The song, where given, is cut to the pictures' length, or followed by silence where it is shorter. Raises
    UserError with ffmpeg's own words where it cannot read the song or write the file.
    """
    with atomic_path(path) as temporary, tempfile.TemporaryFile() as log:
        command = _ffmpeg_input(size, fps, soundtrack)
        command += _ffmpeg_output(temporary, n_pictures / fps, crf, soundtrack)
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=log)
        try:
            _feed(process, pictures)
        except BaseException:
            process.kill()
            raise
        finally:
            status = process.wait()
        if status != 0:
            log.seek(0)
            words = log.read().decode(errors="replace").split("\n")
            raise UserError(f"ffmpeg could not write {path}: {'; '.join(filter(None, words)) or 'no reason given'}")


def _feed(process: subprocess.Popen, pictures: Iterable[np.ndarray]) -> None:
    try:
        for picture in pictures:
            process.stdin.write(np.ascontiguousarray(picture).data)
        process.stdin.close()
    except BrokenPipeError:
        pass  # ffmpeg has given up; its exit status and log say why


def _ffmpeg_input(size: tuple[int, int], fps: int, soundtrack: Soundtrack | None) -> list[str]:
    command = [ffmpeg_program(), "-y", "-v", "error"]
    command += ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{size[0]}x{size[1]}", "-r", str(fps), "-i", "-"]
    if soundtrack:
        # "file:" keeps ffmpeg from taking a colon in a name for a protocol.
        command += ["-ss", str(soundtrack.start_s), "-i", f"file:{soundtrack.path}"]
    return command


def _ffmpeg_output(path: Path, duration_s: float, crf: int, soundtrack: Soundtrack | None) -> list[str]:
    command = ["-map", "0:v:0", "-c:v", "libx264", "-preset", "veryfast", "-crf", str(crf), "-pix_fmt", "yuv420p"]
    if soundtrack:
        command += ["-map", "1:a:0", "-af", "apad", "-c:a", "aac", "-b:a", "160k"]
    return [*command, "-t", f"{duration_s:.6f}", "-movflags", "+faststart", f"file:{path}"]


def panelled(pictures: list[np.ndarray], labels: list[str], columns: int) -> np.ndarray:
    """Return pictures [H, W, 3] in rows of so many columns, each with its caption; an empty caption writes nothing."""
    captioned = [_captioned(picture, label) for picture, label in zip(pictures, labels, strict=True)]
    rows = [np.concatenate(captioned[start : start + columns], axis=1) for start in range(0, len(captioned), columns)]
    return np.concatenate(rows, axis=0)


def _captioned(picture: np.ndarray, text: str) -> np.ndarray:
    if not text:
        return picture
    image = Image.fromarray(picture)
    margin = max(4, round(_MARGIN * image.height))
    _write(image, (margin, margin), text, size=max(12, image.height // 20))
    return np.asarray(image)


def _write(image: Image.Image, corner: tuple[int, int], text: str, size: int) -> None:
    """Write white text on a dark translucent box."""
    draw = ImageDraw.Draw(image, "RGBA")
    font = ImageFont.load_default(size)
    pad = size // 3
    left, top, right, bottom = draw.textbbox((corner[0] + pad, corner[1] + pad), text, font=font)
    draw.rounded_rectangle((left - pad, top - pad, right + pad, bottom + pad), radius=pad, fill=(20, 26, 36, 170))
    draw.text((corner[0] + pad, corner[1] + pad), text, font=font, fill=(255, 255, 255, 255))


def sheet_indices(n_frames: int, n_pictures: int) -> list[int]:
    """Return which frames a contact sheet shows: evenly spread, first and last included, none twice."""
    return sorted({round(index) for index in np.linspace(0, n_frames - 1, min(n_pictures, n_frames))})


def write_contact_sheet(path: Path, pictures: list[np.ndarray], times_s: list[float]) -> None:
    """Write pictures [H, W, 3] with their times as one PNG, four squares to a row, atomically."""
    aspect = pictures[0].shape[1] / pictures[0].shape[0]
    columns = min(max(1, round(SHEET_COLUMNS / aspect)), len(pictures))
    width = min(pictures[0].shape[1], SHEET_WIDTH // columns)
    height = round(width / aspect)
    rows = -(-len(pictures) // columns)
    sheet = Image.new("RGB", (columns * width, rows * height), "white")
    for index, (picture, time_s) in enumerate(zip(pictures, times_s, strict=True)):
        cell = Image.fromarray(picture).resize((width, height), Image.Resampling.LANCZOS)
        text_size = max(11, height // 22)
        _write(cell, (4, height - 2 * text_size - 4), f"{time_s:.1f} s", text_size)
        sheet.paste(cell, (index % columns * width, index // columns * height))
    write_picture(path, np.asarray(sheet))


def write_picture(path: Path, picture: np.ndarray) -> None:
    """Write one picture [H, W, 3] uint8 as a PNG, atomically."""
    with atomic_path(path) as temporary:
        Image.fromarray(picture).save(temporary, format="PNG")
