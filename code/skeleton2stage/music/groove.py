"""A groove: when the beats of a piece of percussion fall and how strong they are.

Made steady for a tempo, or from a dancer's own movement, which pairs music with mocap that has none.
"""

from dataclasses import dataclass, replace

import numpy as np

from skeleton2stage.errors import UserError
from skeleton2stage.limits import SHORTEST_BEAT_S
from skeleton2stage.music import beats as beat_frames

METERS = (3, 4)
MAX_SWING = 0.5
MIN_BPM, MAX_BPM = 80.0, 140.0
MIN_ACCENT = 0.55

# How far music and movement may lie apart and still be heard as one, in 60-fps frames: the σ of the
# beat alignment score, so that the tracker below maximises that very score.
_ALIGNMENT_SIGMA_FRAMES = 3.0
# Cost of a beat's interval d against the tempo's τ: steadiness · log²(d / τ). At this one, 10 % costs a fifth of
# the gain of a beat that falls on a beat of the dancer.
STEADINESS = 20.0
_INTERVAL_RANGE = (0.75, 1.33)


@dataclass(frozen=True)
class Groove:
    """Beats of a percussion track.

    beats_s: increasing times of the beats, s.
    accents: loudness of each beat, 0 to 1.
    meter: beats in a bar, 3 or 4.
    downbeat: index in `beats_s` of the first beat of a bar, 0 to meter - 1.
    swing: how late the second half of each beat comes, 0 (straight) to 0.5; 1/3 is a triplet feel.
    pattern: name of a percussion pattern, or None for one that the seed of the synthesis picks.
    """

    beats_s: tuple[float, ...]
    accents: tuple[float, ...]
    meter: int = 4
    downbeat: int = 0
    swing: float = 0.0
    pattern: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "beats_s", tuple(float(beat) for beat in self.beats_s))
        object.__setattr__(self, "accents", tuple(float(accent) for accent in self.accents))
        self._check_beats()
        if self.meter not in METERS:
            raise UserError(f"a groove's meter must be one of {METERS}, not {self.meter}")
        if not 0 <= self.downbeat < self.meter:
            raise UserError(f"a groove's downbeat must be 0 to {self.meter - 1}, not {self.downbeat}")
        if not 0.0 <= self.swing <= MAX_SWING:
            raise UserError(f"a groove's swing must be 0 to {MAX_SWING}, not {self.swing}")

    def _check_beats(self) -> None:
        times = np.array(self.beats_s)
        if len(times) < 2 or len(times) != len(self.accents):
            raise UserError(
                f"a groove needs two beats or more, and an accent for each; "
                f"it has {len(times)} beats and {len(self.accents)} accents"
            )
        if not np.isfinite(times).all() or (np.diff(times) < SHORTEST_BEAT_S).any():
            raise UserError(f"the beats of a groove must be finite times, {SHORTEST_BEAT_S:g} s apart or more")
        if not all(0.0 <= accent <= 1.0 for accent in self.accents):
            raise UserError("the accents of a groove must lie in 0 to 1")

    def covering(self, duration_s: float) -> "Groove":
        """Return the groove with beats from at or before 0 s to after `duration_s`.

        Beats are added at the tempo of the groove's end they continue, with its mean accent.
        """
        times = np.array(self.beats_s)
        first_s, last_s = times[1] - times[0], times[-1] - times[-2]
        n_before = max(0, int(np.ceil(times[0] / first_s)))
        n_after = max(0, int(np.ceil((duration_s - times[-1]) / last_s)) + 1)
        before = times[0] - first_s * np.arange(n_before, 0, -1)
        after = times[-1] + last_s * np.arange(1, n_after + 1)
        accent = float(np.mean(self.accents))
        return replace(
            self,
            beats_s=(*before, *times, *after),
            accents=(accent,) * n_before + self.accents + (accent,) * n_after,
            downbeat=(self.downbeat + n_before) % self.meter,
        )


def steady_groove(
    bpm: float, duration_s: float, meter: int = 4, swing: float = 0.0, phase_s: float = 0.0,
    pattern: str | None = None,
) -> Groove:
    """Return an even groove of `bpm` beats a minute, its first bar at `phase_s`, bars accented at their start."""
    if bpm <= 0:
        raise UserError(f"a tempo must be above 0 beats a minute, not {bpm}")
    period_s = 60.0 / bpm
    n_beats = max(2, int(np.ceil((duration_s - phase_s) / period_s)))
    accents = [1.0 if index % meter == 0 else 0.8 for index in range(n_beats)]
    return Groove(tuple(phase_s + period_s * np.arange(n_beats)), tuple(accents), meter, 0, swing, pattern)


def groove_from_motion(
    joints: np.ndarray, fps: float = 30.0, meter: int = 4, swing: float = 0.0, pattern: str | None = None,
    bpm: tuple[float, float] = (MIN_BPM, MAX_BPM), steadiness: float = STEADINESS,
) -> Groove:
    """Return a groove whose beats fall on a dancer's own kinetic beats where an even tempo allows.

    joints: [T, 24, 3] m, all of them. The tempo (of the range `bpm`) and the beats are those that maximise
    mean beat alignment less the cost of uneven intervals, which `steadiness` scales; beats around which the
    dancer moves more are louder; the bar starts where that puts most loudness.
    Raises UserError where the clip is too short for two beats at the slowest tempo.
    """
    speed = beat_frames.kinetic_speed(joints, fps, max_duration_s=None)
    slowest_frames = beat_frames.FPS * 60.0 / MIN_BPM
    if len(speed) < 2 * _INTERVAL_RANGE[1] * slowest_frames:
        raise UserError(f"a clip of {len(joints) / fps:.2f} s is too short to find its beats: give 2 s or more")
    score = alignment(beat_frames.kinetic_beats(joints, fps, max_duration_s=None), len(speed))
    frames = track_beats(score, bpm, steadiness)
    accents = movement_accents(speed, frames)
    times_s = np.round(frames / beat_frames.FPS, 4)
    return Groove(tuple(times_s), tuple(accents), meter, strongest_phase(accents, meter), swing, pattern)


def alignment(kinetic_beats: np.ndarray, n_frames: int) -> np.ndarray:
    """Return what a music beat in each frame would score, [n_frames]: exp(-d² / 2σ²), d to the nearest of
    the kinetic beats [K] (frames at 60 fps), σ = 3 frames; zeros where there are none.
    """
    if len(kinetic_beats) == 0:
        return np.zeros(n_frames)
    distance = np.abs(np.arange(n_frames)[:, None] - kinetic_beats[None, :]).min(axis=1)
    return np.exp(-(distance**2) / (2.0 * _ALIGNMENT_SIGMA_FRAMES**2))


def track_beats(
    score: np.ndarray, bpm: tuple[float, float] = (MIN_BPM, MAX_BPM), steadiness: float = STEADINESS
) -> np.ndarray:
    """Return the best beat frames for a score per 60-fps frame [T], over all tempi of a range.

    Each tempo is tracked by dynamic programming; the best is the one with the most score a beat.
    """
    slowest, fastest = (beat_frames.FPS * 60.0 / tempo for tempo in bpm)
    periods = np.arange(np.ceil(fastest), np.floor(slowest) + 1)
    tracks = [track_beats_at(score, period, steadiness) for period in periods]
    return max(tracks, key=lambda track: track[1] / len(track[0]))[0]


def track_beats_at(score: np.ndarray, period: float, steadiness: float = STEADINESS) -> tuple[np.ndarray, float]:
    """Return the beat frames that maximise total score less unevenness, and that maximum.

    score: [T] per frame, at least two periods long; period: frames of the tempo τ; steadiness: λ.
    Ellis, "Beat tracking by dynamic programming" (2007): C(t) = s(t) + max_d [C(t - d) - λ log²(d / τ)],
    from a first beat in the first period to a last one in the last.
    """
    gaps = np.arange(round(_INTERVAL_RANGE[0] * period), round(_INTERVAL_RANGE[1] * period) + 1)
    cost = steadiness * np.log(gaps / period) ** 2
    total, previous = score.astype(np.float64).copy(), np.full(len(score), -1)
    for frame in range(int(np.ceil(period)), len(score)):
        earlier = frame - gaps[gaps <= frame]
        gains = total[earlier] - cost[: len(earlier)]
        best = int(np.argmax(gains))
        total[frame] += gains[best]
        previous[frame] = earlier[best]
    last = len(score) - int(period) + int(np.argmax(total[-int(period) :]))
    return _trace_back(previous, last), float(total[last])


def _trace_back(previous: np.ndarray, last: int) -> np.ndarray:
    frames = [last]
    while previous[frames[-1]] >= 0:
        frames.append(int(previous[frames[-1]]))
    return np.array(frames[::-1])


def movement_accents(speed: np.ndarray, frames: np.ndarray) -> np.ndarray:
    """Return loudness [B] of beats at `frames` [B] from the largest speed [T] within half a beat of each.

    The 10th to the 90th percentile of the clip's beats become 0.55 to 1.
    """
    reach = max(1, int(np.diff(frames).mean() / 2))
    peaks = np.array([speed[max(0, frame - reach) : frame + reach + 1].max() for frame in frames])
    low, high = np.percentile(peaks, [10, 90])
    level = np.clip((peaks - low) / max(high - low, 1e-9), 0.0, 1.0)
    return np.round(MIN_ACCENT + (1.0 - MIN_ACCENT) * level, 3)


def strongest_phase(accents: np.ndarray, meter: int) -> int:
    """Return which of the first `meter` beats makes the loudest downbeats on average."""
    return int(np.argmax([np.mean(accents[phase::meter]) if phase < len(accents) else 0.0 for phase in range(meter)]))
