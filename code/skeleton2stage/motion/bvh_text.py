"""The text of a Biovision hierarchy file, as exporters write it: encodings, sections, numbers and frame rates."""

import re
from pathlib import Path

import numpy as np

from skeleton2stage.errors import UserError

_BYTE_ORDER_MARKS = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
_SECTION = re.compile(r"^[ \t]*MOTION\b[ \t]*:?", re.IGNORECASE | re.MULTILINE)
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


def read_sections(path: Path) -> tuple[str, str]:
    """Return the text of a file before and after its word MOTION; raise UserError for what is no BVH file."""
    try:
        text = decoded(path.read_bytes()).replace("\r\n", "\n").replace("\r", "\n")
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}") from None
    if not text[:_PREAMBLE].lstrip().upper().startswith("HIERARCHY"):
        raise UserError(f"{path} is not a BVH file: it does not begin with HIERARCHY")
    found = _SECTION.search(text)
    if found is None:
        raise UserError(f"{path} has no MOTION part: it was cut short, copy it again")
    return text[: found.start()], text[found.end():]


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


def motion_values(path: Path, text: str, n_channels: int) -> tuple[np.ndarray, float, tuple[str, ...]]:
    """Return channel values [T, C], the frame time (s), and what was odd, of the part after the word MOTION.

    A count of frames that is off by one is an exporter's habit and told; further off, the file was cut or altered.
    """
    n_promised, frame_time, numbers = _labels(path, text)
    frame_time_s = _frame_time(path, frame_time)
    try:
        values = _numbers(numbers)
    except ValueError as error:
        raise UserError(f"{path} is damaged: its MOTION part holds what is no number ({error})") from None
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


def _labels(path: Path, text: str) -> tuple[int, str, str]:
    """Return the number of frames promised, the frame time as written, and the text of the numbers after them."""
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
    return int(found["Frames"][:18]), found["Frame Time"].replace(",", "."), text[position:]


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


def _numbers(text: str) -> np.ndarray:
    """Return the numbers of a text, parted by white space or commas; lone commas are decimal ones."""
    comma = " " if "." in text else "."
    blocks, position = [np.zeros(0)], 0
    while position < len(text):
        end = _end_of_word(text, position + _BLOCK)
        words = text[position:end].replace(",", comma).split()
        blocks.append(np.array(words, dtype=np.float64) if words else np.zeros(0))
        position = end
    return np.concatenate(blocks)


def _end_of_word(text: str, position: int) -> int:
    """Return the first position, not before this one, that is between words."""
    found = re.compile(r"\s").search(text, position)
    return found.start() if found else len(text)
