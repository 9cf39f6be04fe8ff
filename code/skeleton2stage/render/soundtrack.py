"""The song that dances are shown with: which, from where on, and whether it can be heard at all."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from skeleton2stage.errors import UserError
from skeleton2stage.music.audio import read_audio

_NEGLIGIBLE_S = 0.1


@dataclass(frozen=True)
class Soundtrack:
    """A song file, and where in it (s) the dance begins."""

    path: Path
    start_s: float = 0.0


def part_of(soundtrack: Soundtrack, duration_s: float) -> tuple[np.ndarray, int]:
    """Return at most so many seconds of a song from where the dance begins, mono [N], and its rate in Hz.

    Raises UserError where it cannot be read, or is over before the dance begins.
    """
    audio, rate_hz = read_audio(soundtrack.path)
    start = int(soundtrack.start_s * rate_hz)
    if start >= len(audio):
        raise UserError(
            f"{soundtrack.path} lasts {len(audio) / rate_hz:.1f} s, and music_start_s={soundtrack.start_s:g} is after "
            "its end: give less, or another song"
        )
    return audio[start : start + int(duration_s * rate_hz) + 1], rate_hz


def silence_note(soundtrack: Soundtrack, duration_s: float) -> str | None:
    """Return a sentence where a song is over before the dance is, None otherwise; raises UserError as `part_of`."""
    audio, rate_hz = part_of(soundtrack, duration_s)
    heard_s = len(audio) / rate_hz
    if heard_s > duration_s - _NEGLIGIBLE_S:
        return None
    return f"{soundtrack.path.name} ends after {heard_s:.1f} s of the dance's {duration_s:.1f}: the rest is silent"

