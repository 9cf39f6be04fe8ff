"""The metrics by name, and what is written of a set's: metrics.json and metrics.md.

A new metric is one entry of `METRICS`; everything else follows from it.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np

from skeleton2stage.errors import unknown_name
from skeleton2stage.files import write_stamped_json, write_text
from skeleton2stage.metrics.foot_contact import pfc
from skeleton2stage.metrics.foot_skating import foot_skating
from skeleton2stage.metrics.ground_contact import fgd, fgd_floating, fgd_penetration
from skeleton2stage.metrics.heat_strip import heat_strip_figure
from skeleton2stage.metrics.measured_clip import FPS, Clip
from skeleton2stage.metrics.motion_magnitude import mot_mag
from skeleton2stage.motion.skeleton import joint_names
from skeleton2stage.plots.plot_style import save_figure
from skeleton2stage.tables import bootstrap_error, markdown_table

_ARROWS = {"lower": "↓", "higher": "↑", "neither": "→"}


@dataclass(frozen=True)
class Metric:
    """A metric's name and how to show, compute and average it.

    better: which way is better; "neither" for what should stay as it is.
    decimals: digits shown after the point.
    pooled: averaged over all frames of the set rather than over motions.
    of_clip: its value for one clip; None where it takes more than a clip, such as music or a simulator.
    needs_rotations: joint positions do not suffice for it.
    """

    name: str
    better: Literal["lower", "higher", "neither"]
    decimals: int
    pooled: bool = False
    of_clip: Callable[[Clip], float] | None = None
    needs_rotations: bool = False

    @property
    def label(self) -> str:
        """The name with an arrow that points to better."""
        return f"{self.name} {_ARROWS[self.better]}"


METRICS = (
    Metric("pen_rate", "lower", 2, pooled=True, needs_rotations=True),
    Metric("pen_rate_apart", "lower", 2, pooled=True, needs_rotations=True),
    Metric("pfc", "lower", 4, of_clip=lambda clip: float(pfc(clip.joints_w))),
    Metric("fgd", "lower", 2, pooled=True, of_clip=lambda clip: float(fgd(clip.joints_w))),
    Metric("fgd_penetration", "lower", 2, pooled=True, of_clip=lambda clip: float(fgd_penetration(clip.joints_w))),
    Metric("fgd_floating", "lower", 2, pooled=True, of_clip=lambda clip: float(fgd_floating(clip.joints_w))),
    Metric("mot_mag", "neither", 4, of_clip=lambda clip: float(mot_mag(clip.axis_angle)), needs_rotations=True),
    Metric("foot_skating", "lower", 4, of_clip=lambda clip: float(foot_skating(clip.joints_w))),
    Metric("bas", "higher", 4),
    Metric("success_rate", "higher", 3),
    Metric("imitation", "higher", 4),
    Metric("motion_critic", "higher", 3, needs_rotations=True),
    Metric("motion_critic_fixed", "higher", 3, needs_rotations=True),
    Metric("fid_k", "lower", 2),
    Metric("fid_g", "lower", 2),
    Metric("div_k", "neither", 2),
    Metric("div_g", "neither", 2),
    Metric("fid_k_fixed", "lower", 2),
    Metric("fid_g_fixed", "lower", 2),
    Metric("div_k_fixed", "neither", 2),
    Metric("div_g_fixed", "neither", 2),
)


def metric_named(name: str) -> Metric:
    """Return a metric by name; raise UserError that lists the known ones."""
    for metric in METRICS:
        if metric.name == name:
            return metric
    raise unknown_name("metric", name, [metric.name for metric in METRICS])


@dataclass(frozen=True)
class Evaluation:
    """The metrics of a set of motions.

    frames: motion -> how many of its frames counted.
    per_motion: motion -> metric -> value.
    of_set, errors_of_set: metric -> value, and its standard error, of those that only a set has.
    skipped: metric -> why it could not be computed.
    reference: what FID and diversity are relative to, if anything.
    seed: of the bootstrap behind standard errors.
    penetration: intersecting pairs by half second and joint's part of the body, [S, 24], or None.
    own: metrics besides METRICS that `per_motion` has values of, named by the user.
    """

    frames: dict[str, int]
    per_motion: dict[str, dict[str, float]]
    of_set: dict[str, float] = field(default_factory=dict)
    errors_of_set: dict[str, float] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)
    reference: str | None = None
    seed: int = 0
    penetration: np.ndarray | None = None
    own: tuple[Metric, ...] = ()

    @property
    def metrics(self) -> dict[str, float]:
        """The set's value of every metric that has one, in the order of `METRICS`."""
        means = {metric.name: np.average(values, weights=weights) for metric, values, weights in self._averaged()}
        return self._ordered(self.of_set | {name: float(mean) for name, mean in means.items()})

    @property
    def standard_errors(self) -> dict[str, float]:
        """The standard errors of `metrics`, by a bootstrap over motions; none of a single motion."""
        errors = {
            metric.name: bootstrap_error(values, [str(i) for i in range(len(values))], self.seed, weights)
            for metric, values, weights in self._averaged()
        }
        return self._ordered(self.errors_of_set | {name: error for name, error in errors.items() if error is not None})

    def _averaged(self) -> list[tuple[Metric, np.ndarray, np.ndarray]]:
        """Return metric, values [N] and weights [N] of those that are averaged over motions."""
        found = []
        for metric in self.known():
            having = [motion for motion, values in self.per_motion.items() if metric.name in values]
            if having:
                values = np.array([self.per_motion[motion][metric.name] for motion in having], dtype=np.float64)
                weights = [self.frames[motion] if metric.pooled else 1 for motion in having]
                found.append((metric, values, np.array(weights, dtype=np.float64)))
        return found

    def known(self) -> tuple[Metric, ...]:
        """Return the metrics that there may be values of, in the order in which they are shown."""
        return (*METRICS, *self.own)

    def _ordered(self, values: dict[str, float]) -> dict[str, float]:
        return {metric.name: values[metric.name] for metric in self.known() if metric.name in values}

    def as_json(self) -> dict[str, Any]:
        """Return the content of metrics.json."""
        return {
            "n_motions": len(self.per_motion),
            "n_frames": sum(self.frames.values()),
            "fps": int(FPS),
            "metrics": self.metrics,
            "standard_errors": self.standard_errors,
            "per_motion": self.per_motion,
            "skipped": self.skipped,
            "reference": self.reference,
        }


def clip_metrics(clip: Clip) -> dict[str, float]:
    """Return every metric that one clip suffices for; a value that is not finite is left out."""
    values = {
        metric.name: metric.of_clip(clip)
        for metric in METRICS if metric.of_clip and not (metric.needs_rotations and clip.axis_angle is None)
    }
    return {name: value for name, value in values.items() if math.isfinite(value)}


def shown(metric: Metric, value: float | None, error: float | None = None) -> str:
    """Return a value for people, with its standard error where it has one."""
    if value is None:
        return "–"
    return f"{value:.{metric.decimals}f}" + ("" if error is None else f" ± {error:.{metric.decimals}f}")


def evaluation_table(evaluation: Evaluation) -> str:
    """Return the metrics of a set with standard errors, and what was skipped and why, as Markdown."""
    values, errors = evaluation.metrics, evaluation.standard_errors
    rows = [["metric", "value ± standard error" if errors else "value"]]
    known = {metric.name: metric for metric in evaluation.known()}
    rows += [[known[name].label, shown(known[name], values[name], errors.get(name))] for name in values]
    lines = [f"{len(evaluation.per_motion)} motions, {sum(evaluation.frames.values())} frames at {FPS:g} fps", ""]
    lines.append(markdown_table(rows))
    if evaluation.of_set:
        lines.append(f"- fid and div are relative to {evaluation.reference}")
    lines += [f"- {name} was skipped: {reason}" for name, reason in evaluation.skipped.items()]
    return "\n".join(lines).rstrip() + "\n"


def write_evaluation(path: Path, evaluation: Evaluation) -> None:
    """Write metrics as `path` (.json) and, for people, as .md beside it, each atomically.

    Where penetrations were counted, the heat strip of them goes beside it too, as NAME_penetration.svg.
    """
    path = Path(path)
    if evaluation.penetration is not None:
        strip = heat_strip_figure(evaluation.penetration, joint_names())
        save_figure(path.with_name(f"{path.stem}_penetration.svg"), strip)
    write_text(path.with_suffix(".md"), evaluation_table(evaluation))
    write_stamped_json(path, evaluation.as_json())
