"""A percussion synthesiser: drum voices made of sines and noise, patterns of a bar or two, and a mixer.

Pure numpy and deterministic: the same groove, duration, seed and rate give the same samples.
"""

from dataclasses import dataclass

import numpy as np

from skeleton2stage.errors import UserError, unknown_name
from skeleton2stage.music.groove import Groove

SAMPLE_RATE_HZ = 30720  # what beat detection works at, and twice what the features do
STEPS_PER_BEAT = 4
_PEAK = 0.9
_ROOM_NOISE = 5e-4  # -66 dB: silence between hits is a room's, not a digital zero
_HIT_GAIN = {".": 0.0, "o": 0.5, "x": 1.0}


@dataclass(frozen=True)
class Pattern:
    """What each voice plays over one or two bars.

    voices: (voice, steps) pairs; a step is a quarter of a beat, "x" a hit, "o" a soft one, "." none,
    with "|" between beats.
    """

    name: str
    meter: int
    voices: tuple[tuple[str, str], ...]

    def hits(self) -> list[tuple[int, str, float]]:
        """Return (step, voice, gain) of every hit, the step counted from the pattern's start."""
        return [
            (step, voice, _HIT_GAIN[mark])
            for voice, steps in self.voices
            for step, mark in enumerate(steps.replace("|", ""))
            if _HIT_GAIN[mark] > 0
        ]

    @property
    def n_beats(self) -> int:
        """Length in beats."""
        return len(self.voices[0][1].split("|"))


# A voice of many bands (kick's click, snare) is on every beat of every pattern, and what plays off the
# beat is narrow or high: beat detection and ears agree on where the beat is.
_PATTERNS = (
    Pattern("rock", 4, (
        ("kick", "x...|....|x...|...."),
        ("snare", "....|x...|....|x..."),
        ("hat", "x.o.|x.o.|x.o.|x.o."),
    )),
    Pattern("house", 4, (
        ("kick", "x...|x...|x...|x..."),
        ("snare", "....|o...|....|o..."),
        ("hat", "..x.|..x.|..x.|..x."),
        ("clave", "....|....|....|...o"),
    )),
    # 3-2 son clave, the salsa's key, over a cowbell on the beats and maracas in between.
    Pattern("salsa", 4, (
        ("clave", "x...|..x.|....|x...|....|x...|x...|...."),
        ("cowbell", "x...|x...|x...|x...|x...|x...|x...|x..."),
        ("kick", "x...|o...|x...|o...|x...|o...|x...|o..."),
        ("hat", "x.o.|x.o.|x.o.|x.o.|x.o.|x.o.|x.o.|x.o."),
    )),
    Pattern("waltz", 3, (
        ("kick", "x...|....|...."),
        ("snare", "....|o...|o..."),
        ("hat", "x...|x.o.|x.o."),
    )),
    Pattern("slow_waltz", 3, (
        ("kick", "x...|o...|o..."),
        ("cowbell", "x...|....|...."),
        ("hat", "....|x...|x.o."),
        ("clave", "....|....|..o."),
    )),
)


@dataclass(frozen=True)
class Kit:
    """The timbre of a track: what differs between two drum sets. Decays are times to 1/e, in seconds."""

    kick_hz: float
    kick_decay_s: float
    snare_hz: float
    snare_decay_s: float
    hat_decay_s: float
    clave_hz: float
    cowbell_hz: float


def pattern_names(meter: int | None = None) -> list[str]:
    """Return the names of all patterns, or of those with this many beats in a bar."""
    return [pattern.name for pattern in _PATTERNS if meter in (None, pattern.meter)]


def find_pattern(name: str, meter: int) -> Pattern:
    """Return a pattern by name; raise UserError for an unknown name or one of another meter."""
    for pattern in _PATTERNS:
        if pattern.name == name:
            if pattern.meter != meter:
                raise UserError(f"pattern '{name}' has {pattern.meter} beats in a bar, the groove {meter}")
            return pattern
    raise unknown_name("percussion pattern", name, pattern_names())


def draw_kit(rng: np.random.Generator) -> Kit:
    """Return a random but plausible drum set."""
    return Kit(
        kick_hz=rng.uniform(45.0, 65.0),
        kick_decay_s=rng.uniform(0.08, 0.16),
        snare_hz=rng.uniform(170.0, 230.0),
        snare_decay_s=rng.uniform(0.05, 0.09),
        hat_decay_s=rng.uniform(0.015, 0.04),
        clave_hz=rng.uniform(2000.0, 2800.0),
        cowbell_hz=rng.uniform(520.0, 620.0),
    )


def kick(kit: Kit, rng: np.random.Generator, rate_hz: int) -> np.ndarray:
    """Return a bass drum: a sine falling to the drum's pitch, and the click of the beater, [N]."""
    time_s = _times(6 * kit.kick_decay_s, rate_hz)
    glide_s = 0.03
    cycles = kit.kick_hz * (time_s + 2.0 * glide_s * (1.0 - np.exp(-time_s / glide_s)))
    body = np.sin(2.0 * np.pi * cycles) * np.exp(-time_s / kit.kick_decay_s)
    return body + 0.6 * rng.standard_normal(len(time_s)) * np.exp(-time_s / 0.006)


def snare(kit: Kit, rng: np.random.Generator, rate_hz: int) -> np.ndarray:
    """Return a snare drum: a short tone of the skin under the noise of the wires, [N]."""
    time_s = _times(6 * kit.snare_decay_s, rate_hz)
    tone = np.sin(2.0 * np.pi * kit.snare_hz * time_s) * np.exp(-time_s / 0.04)
    return 0.5 * tone + 0.35 * rng.standard_normal(len(time_s)) * np.exp(-time_s / kit.snare_decay_s)


def hat(kit: Kit, rng: np.random.Generator, rate_hz: int) -> np.ndarray:
    """Return a closed hi-hat: noise above 6 kHz, [N]."""
    time_s = _times(6 * kit.hat_decay_s, rate_hz)
    noise = rng.standard_normal(len(time_s)) * np.exp(-time_s / kit.hat_decay_s)
    # Filtered after the decay, whose sudden start would bring the low bands back; with as much silence
    # behind, which takes the filter's ringing before the start, as it wraps around.
    padded = 2 * len(time_s)
    spectrum = np.fft.rfft(noise, padded)
    spectrum[np.fft.rfftfreq(padded, 1.0 / rate_hz) < 6000.0] = 0.0
    return 0.25 * np.fft.irfft(spectrum, padded)[: len(time_s)]


def clave(kit: Kit, rng: np.random.Generator, rate_hz: int) -> np.ndarray:
    """Return two wooden sticks: one damped sine, [N]."""
    time_s = _times(0.12, rate_hz)
    onset = np.minimum(1.0, time_s / 0.001)  # a soft start keeps the hit a narrow band
    return 0.35 * onset * np.sin(2.0 * np.pi * kit.clave_hz * time_s) * np.exp(-time_s / 0.02)


def cowbell(kit: Kit, rng: np.random.Generator, rate_hz: int) -> np.ndarray:
    """Return a cowbell: two tones a rough fifth apart with their third harmonics, [N]."""
    time_s = _times(0.3, rate_hz)
    tone = sum(
        np.sin(2.0 * np.pi * kit.cowbell_hz * ratio * harmonic * time_s) / harmonic
        for ratio in (1.0, 1.48) for harmonic in (1, 3)
    )
    return 0.12 * tone * np.exp(-time_s / 0.06)


def _times(duration_s: float, rate_hz: int) -> np.ndarray:
    return np.arange(int(duration_s * rate_hz)) / rate_hz


_VOICES = (("kick", kick), ("snare", snare), ("hat", hat), ("clave", clave), ("cowbell", cowbell))


def swing_phase(phase: float, swing: float) -> float:
    """Return where in a beat (0 to 1) a step at an even `phase` is played: the half moves late by swing/2."""
    half = 0.5 + 0.5 * swing
    return phase * 2.0 * half if phase < 0.5 else half + (phase - 0.5) * 2.0 * (1.0 - half)


def hit_times(groove: Groove, pattern: Pattern) -> list[tuple[float, str, float]]:
    """Return (time in s, voice, gain) of all hits of a pattern laid over a groove, its downbeats aligned.

    Steps between beats divide the interval to the next beat, so the last beat only ends its predecessor.
    """
    hits = []
    for index in range(len(groove.beats_s) - 1):
        start_s, stop_s = groove.beats_s[index : index + 2]
        beat = (index - groove.downbeat) % pattern.n_beats
        for step, voice, gain in pattern.hits():
            if step // STEPS_PER_BEAT == beat:
                phase = swing_phase(step % STEPS_PER_BEAT / STEPS_PER_BEAT, groove.swing)
                hits.append((start_s + phase * (stop_s - start_s), voice, gain * groove.accents[index]))
    return hits


def synthesise(
    groove: Groove, duration_s: float, seed: int = 0, sample_rate_hz: int = SAMPLE_RATE_HZ
) -> np.ndarray:
    """Return the percussion track of a groove, mono float32 [duration_s · rate], its peak at 0.9.

    The seed sets timbre, touch (each hit's loudness within 10 %) and, where the groove names none, the
    pattern. Beats are continued to fill the duration.
    """
    rng = np.random.default_rng(seed)
    drawn = str(rng.choice(pattern_names(groove.meter)))
    pattern = find_pattern(groove.pattern or drawn, groove.meter)
    kit = draw_kit(rng)
    sounds = {name: voice(kit, rng, sample_rate_hz) for name, voice in _VOICES}
    audio = _ROOM_NOISE * rng.standard_normal(int(duration_s * sample_rate_hz))
    for time_s, voice, gain in hit_times(groove.covering(duration_s), pattern):
        _mix(audio, gain * rng.uniform(0.9, 1.1) * sounds[voice], round(time_s * sample_rate_hz))
    return (_PEAK / np.abs(audio).max() * audio).astype(np.float32)


def _mix(audio: np.ndarray, sound: np.ndarray, start: int) -> None:
    """Add a sound to the audio from sample `start` on; what lies outside is cut."""
    first, last = max(0, start), min(len(audio), start + len(sound))
    if first < last:
        audio[first:last] += sound[first - start : last - start]
