"""The text of a Biovision hierarchy file, as exporters write it: encodings, sections, numbers and frame rates."""

import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np

from skeleton2stage.errors import UserError
from skeleton2stage.read_boundary import first_words

_BYTE_ORDER_MARKS = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
_SECTION = re.compile(rb"^[ \t]*MOTION\b[ \t]*:?", re.IGNORECASE | re.MULTILINE)
_COUNT = re.compile(r"\s*(?:number[\s_]of[\s_])?frames\s*:?\s*(\S+)", re.IGNORECASE)
_TIME = re.compile(r"\s*frame[\s_]*time\s*:?\s*(\S+)", re.IGNORECASE)

# Frame times of seconds: slower and faster than any capture are other units, or frames a second.
_FRAME_TIME_S = (1 / 2000, 0.5)
_WHOLE_RATES = (24, 25, 30, 48, 50, 60, 72, 75, 90, 100, 120, 144, 150, 180, 200, 240, 250, 300, 360, 480, 500, 1000)
_NTSC = 1.001
# A rate written with all its digits is met this nearly; NTSC's are a thousandth from the whole ones.
_RATE_NOISE = 2e-5
_MAX_ROUNDING = 0.025

# Numbers are turned into values this many characters at a time, so that their words are never all in memory.
_BLOCK = 1 << 22
_PREAMBLE = 1000  # characters of white space that may stand before a file's first word
_LARGEST_HEAD = 1 << 26  # of a skeleton's text; real ones have some thousand characters
_LABELS = 1 << 16  # characters that hold the number of frames and the frame time


def read_sections(path: Path) -> tuple[str, BinaryIO]:
    """Return the text of a file before its word MOTION, and the file, open, from behind that word on.

    Numbers are most of a long clip's file: they are not held as text. The caller closes it.
    Raises UserError for what is no BVH file.
    """
    try:
        file = _as_ascii(path.open("rb"))
        head = _head(file)
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}") from None
    text = decoded(head).replace("\r\n", "\n").replace("\r", "\n")
    if not text[:_PREAMBLE].lstrip().upper().startswith("HIERARCHY"):
        raise UserError(f"{path} is not a BVH file: it does not begin with HIERARCHY")
    found = _SECTION.search(head.replace(b"\r", b"\n"))
    if found is None:
        raise UserError(f"{path} has no MOTION part: it was cut short, copy it again")
    file.seek(found.end())
    return decoded(head[: found.start()]).replace("\r\n", "\n").replace("\r", "\n"), file


def _as_ascii(file: BinaryIO) -> BinaryIO:
    """Return a file whose numbers are bytes of ASCII: itself, or its content where two bytes are a letter."""
    start = file.read(64)
    file.seek(0)
    if not start.startswith((b"\xff\xfe", b"\xfe\xff")) and b"\0" not in start:
        return file
    with file:
        return io.BytesIO(decoded(file.read()).encode())


def _head(file: BinaryIO) -> bytes:
    """Return the beginning of a file, to behind its word MOTION where it has one."""
    head = b""
    while len(head) < _LARGEST_HEAD and (block := file.read(_BLOCK)):
        head += block
        if _SECTION.search(head.replace(b"\r", b"\n")):
            break
    return head


def decoded(content: bytes) -> str:
    """Return text whose encoding is told by its byte order mark, or else by what its bytes can be.

    Joint names alone can be anything but ASCII: a wrong guess among old encodings costs their words, not the file.
    """
    for mark, encoding in _BYTE_ORDER_MARKS.items():
        if content.startswith(mark):
            return content.decode(encoding, errors="replace").lstrip("\ufeff")
    if b"\0" in content[:64]:
        return content.decode("utf-16-be" if content[:1] == b"\0" else "utf-16-le", errors="replace")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        # Letters with accents stand alone among ASCII ones, the bytes of Japanese and Chinese in pairs.
        alone = re.search(rb"(?<![\x80-\xff])[\x80-\xff](?![\x80-\xff])", content)
        for encoding in () if alone else ("cp932", "gb18030"):
            try:
                return content.decode(encoding)
            except UnicodeDecodeError:
                continue
        return content.decode("latin-1")


def motion_values(path: Path, file: BinaryIO, n_channels: int) -> tuple[np.ndarray, float, tuple[str, ...]]:
    """Return channel values [T, C], the frame time (s), and what was odd, of a file from behind the word MOTION on.

    A count of frames that is off by one is an exporter's habit and told; further off, the file was cut or altered.
    """
    n_promised, frame_time = _labels(path, file)
    frame_time_s = _frame_time(path, frame_time)
    try:
        values = _numbers(file, (n_promised + 1) * n_channels)
    except ValueError as error:
        raise UserError(f"{path} is damaged: its MOTION part holds what is no number ({first_words(error)})") from None
    n_frames, left_over = divmod(len(values), n_channels) if n_channels else (0, 1)
    if left_over or abs(n_frames - n_promised) > 1:
        raise UserError(
            f"{path} promises {n_promised} frames of {n_channels} values and holds {len(values)} values: "
            "it was cut short or altered, copy it again"
        )
    if n_frames == 0 or not np.isfinite(values).all():
        raise UserError(f"{path} holds no usable motion: no frames, or NaN")
    odd = () if n_frames == n_promised else (f"it promises {n_promised} frames and holds {n_frames}: all are taken",)
    return values.reshape(n_frames, n_channels), frame_time_s, odd


def _labels(path: Path, file: BinaryIO) -> tuple[int, str]:
    """Return the number of frames promised and the frame time as written, the file standing behind them then."""
    begin = file.tell()
    text = file.read(_LABELS).decode("latin-1").replace("\r", "\n")
    found: dict[str, str] = {}
    position = 0
    while len(found) < 2:
        for name, pattern in (("Frames", _COUNT), ("Frame Time", _TIME)):
            match = pattern.match(text, position) if name not in found else None
            if match:
                found[name], position = match[1], match.end()
                break
        else:
            missing = min({"Frames", "Frame Time"} - set(found))
            raise UserError(f"{path} is damaged: its MOTION part does not say '{missing}:' where it should")
    if not found["Frames"].isdecimal():
        raise UserError(f"{path} is damaged: its number of frames is '{found['Frames'][:40]}'")
    file.seek(begin + position)
    return int(found["Frames"][:18]), found["Frame Time"].replace(",", ".")


def _frame_time(path: Path, written: str) -> float:
    """Return a frame time in seconds as the rate that it stands for has it."""
    try:
        frame_time_s = float(written)
    except ValueError:
        raise UserError(f"{path} is damaged: its frame time is '{written[:40]}'") from None
    shortest, longest = _FRAME_TIME_S
    if not shortest <= frame_time_s <= longest:
        raise UserError(
            f"{path} has a frame time of {written[:40]}: it is the seconds from frame to frame "
            f"({shortest:g} to {longest:g}), 0.016667 for 60 frames a second"
        )
    return 1.0 / rate_of(written)


def rate_of(frame_time: str) -> float:
    """Return the frames a second that a frame time in seconds, as written, stands for.

    It is the usual rate, whole or NTSC's (a whole one / 1.001), that gives these digits when rounded or cut to as
    many; 0.033367 is 29.97, 0.033333 is 30, and 0.033 could be both and is taken for 30. Without one it is the inverse.
    """
    frame_time_s = float(frame_time)
    mantissa, _, exponent = frame_time.lower().partition("e")
    digits = len(mantissa.partition(".")[2])
    last_digit_s = 10.0 ** (int(exponent or 0) - digits)
    for rates in (_WHOLE_RATES, [rate / _NTSC for rate in _WHOLE_RATES]):
        fitting = [rate for rate in rates if _stands_for(frame_time_s, rate, last_digit_s)]
        if fitting:
            return float(min(fitting, key=lambda rate: abs(1 / rate - frame_time_s)))
    return 1.0 / frame_time_s


def _stands_for(frame_time_s: float, rate: float, last_digit_s: float) -> bool:
    """Return whether 1 / rate, rounded or cut to the last digit, is the frame time."""
    missed_s = 1 / rate - frame_time_s
    if abs(missed_s) * rate < _RATE_NOISE:
        return True
    return -0.5001 * last_digit_s <= missed_s < last_digit_s and abs(missed_s) * rate < _MAX_ROUNDING


def _numbers(file: BinaryIO, expected: int) -> np.ndarray:
    """Return the numbers in the rest of a file, parted by white space or commas; lone commas are decimal ones.

    `expected` of them are likely, no more than fit the file's length.
    """
    begin, end = file.tell(), file.seek(0, io.SEEK_END)
    values, n_values = np.empty(min(expected, (end - begin) // 2 + 1)), 0
    comma = None
    for block in _blocks(file, begin):
        if comma is None and b"," in block:
            comma = b" " if any(b"." in other for other in _blocks(file, begin)) else b"."
        words = (block if comma is None else block.replace(b",", comma)).decode("latin-1").split()
        if n_values + len(words) > len(values):
            values = np.concatenate((values[:n_values], np.empty(max(len(words), n_values // 4))))
        values[n_values : n_values + len(words)] = words
        n_values += len(words)
    return values[:n_values]


def _blocks(file: BinaryIO, begin: int) -> Iterator[bytes]:
    """Yield the rest of a file from a place on, in blocks that end between words."""
    rest, at = b"", begin
    while True:
        file.seek(at)
        block = file.read(_BLOCK)
        at += len(block)
        if not block:
            break
        block = rest + block
        end = max(block.rfind(space) for space in (b" ", b"\n", b"\t", b"\r")) + 1
        rest = block[end:]
        if end:
            yield block[:end]
    if rest:
        yield rest
