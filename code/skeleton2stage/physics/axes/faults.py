"""Faults in plain English: of every axis the stretches that are at fault, with what, where, when and how much."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch

from skeleton2stage.motion.motion import FPS
from skeleton2stage.physics.axes.fault_words import say
from skeleton2stage.physics.axes.reading import Reading

# Stretches of a part nearer than this are one; what never comes to the least share is not worth a sentence.
BRIDGED_FRAMES = 8
LEAST_SHARE = 0.15
# Said by other axes too: the area of what is deep, and what the floor cannot give, of which this is a part.
_UNSAID = ("penetration_area",)
# What is over within a frame or two, such as a body turned about, is seen as much as what lasts this long.
_AT_ONCE, _SEEN_FRAMES = ("joint_speed", "jerk"), 15


@dataclass(frozen=True)
class Fault:
    """Something wrong with a motion.

    axis: which says so. part: the SMPL joint whose part is worst. parts: all that are at fault at the same time.
    start_s, stop_s: from when to when; peak_s: where it is worst. peak: how much there, in the axis' unit. cost: the
    sum of its shares over frames, in frames; of leaps and turns, at least half a second of the largest. sentence: the
    same in plain English.
    """

    axis: str
    part: int
    parts: tuple[int, ...]
    start_s: float
    stop_s: float
    peak_s: float
    peak: float
    unit: str
    cost: float
    sentence: str


def faults(readings: dict[str, Reading]) -> list[Fault]:
    """Return the faults of one motion, readings [1, T, 24], the costliest first."""
    found = [
        fault for axis, reading in readings.items() if axis not in _UNSAID for fault in _of_axis(axis, reading)
    ]
    return sorted(found, key=lambda fault: -fault.cost)


def summary(found: list[Fault], most: int = 3) -> str:
    """Return the worst faults of different axes as one sentence, or that there are none."""
    chosen: list[Fault] = []
    for fault in found:
        if len(chosen) < most and all(fault.axis != other.axis for other in chosen):
            chosen.append(fault)
    if not chosen:
        return "Nothing that a person could not do."
    text = "; ".join(fault.sentence for fault in sorted(chosen, key=lambda fault: fault.start_s))
    return f"{text[0].upper()}{text[1:]}."


def _of_axis(axis: str, reading: Reading) -> Iterator[Fault]:
    share, value = reading.share[0], reading.value[0]
    for start, stop in stretches((share > 0).any(dim=-1)):
        inside = share[start:stop]
        if inside.max() < LEAST_SHARE:
            continue
        parts = (inside.amax(dim=0) > 0).nonzero().squeeze(-1).tolist()
        # The worst part by its share, and among equals by its value: shares end at 1.
        frame, part = divmod(int((inside + 1e-6 * value[start:stop] / value.max().clamp(min=1e-9)).argmax()), 24)
        peak = float(value[start + frame, part])
        when = (start / FPS, stop / FPS, (start + frame) / FPS)
        sentence = say(axis, value[start:stop], frame, part, parts, when)
        cost = float(inside.amax(dim=-1).sum())
        if axis in _AT_ONCE:
            cost = max(cost, _SEEN_FRAMES * float(inside.max()))
        yield Fault(axis, part, tuple(parts), *when, peak, reading.unit, cost, sentence)


def stretches(marked: torch.Tensor) -> list[tuple[int, int]]:
    """Return (first, after the last) of the stretches of True of marks [T], gaps of up to 8 frames bridged."""
    found: list[tuple[int, int]] = []
    for frame in marked.nonzero().squeeze(-1).tolist():
        if found and frame - found[-1][1] <= BRIDGED_FRAMES:
            found[-1] = (found[-1][0], frame + 1)
        else:
            found.append((frame, frame + 1))
    return found
