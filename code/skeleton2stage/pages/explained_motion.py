"""What a page says of a motion."""

from dataclasses import dataclass

import numpy as np

from skeleton2stage.motion.motion import Motion


@dataclass(frozen=True)
class ExplainedAxis:
    """An axis of the verdict: its name, group, score in [0, 1], worst value with its unit, and the share of fault of
    every frame, [T] in [0, 1].
    """

    name: str
    group: str
    score: float
    worst: float
    unit: str
    frames: np.ndarray


@dataclass(frozen=True)
class ExplainedFault:
    """A fault in plain English: the axis that says so, when it is worst, s, and from when to when."""

    axis: str
    sentence: str
    peak_s: float
    start_s: float
    stop_s: float


@dataclass(frozen=True)
class ExplainedMotion:
    """A motion and all that its verdict found.

    name: of its file. figures: the policy's, by name. axes, faults: the latter costliest first. summary: in a
    sentence. parts: [T, 24] in [0, 1], how wrong each part is; whole: [T], how wrong what concerns the body as a
    whole is. floor_m: what of the motion's height is its floor.
    """

    name: str
    motion: Motion
    figures: dict[str, float]
    axes: tuple[ExplainedAxis, ...]
    faults: tuple[ExplainedFault, ...]
    summary: str
    parts: np.ndarray
    whole: np.ndarray
    floor_m: float

    @property
    def soundness(self) -> float:
        """The mean of the axes' scores."""
        return float(np.mean([axis.score for axis in self.axes]))
