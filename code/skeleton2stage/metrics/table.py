"""The metrics by name, and the tables made of them: metrics.json, metrics.md, comparisons.

A new metric is one entry of `METRICS`; everything else follows from it.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from skeleton2stage.errors import UserError, unknown_name
from skeleton2stage.files import read_json, write_json, write_text
from skeleton2stage.metrics.clip import FPS, Clip
from skeleton2stage.metrics.foot_contact import pfc
from skeleton2stage.metrics.foot_skating import foot_skating
from skeleton2stage.metrics.ground_contact import fgd, fgd_floating, fgd_penetration
from skeleton2stage.metrics.motion_magnitude import mot_mag
from skeleton2stage.tables import markdown_table

_ARROWS = {"lower": "↓", "higher": "↑", "neither": "→"}


@dataclass(frozen=True)
class Metric:
    """A metric's name and how to show, compute and average it.

    better: which way is better; "neither" for what should stay as it is.
    decimals: digits shown after the point.
    pooled: averaged over all frames of the set rather than over motions.
    of_clip: its value for one clip; None where it takes more than a clip, such as music or a simulator.
    """

    name: str
    better: Literal["lower", "higher", "neither"]
    decimals: int
    pooled: bool = False
    of_clip: Callable[[Clip], float] | None = None

    @property
    def label(self) -> str:
        """The name with an arrow that points to better."""
        return f"{self.name} {_ARROWS[self.better]}"


METRICS = (
    Metric("pfc", "lower", 4, of_clip=lambda clip: float(pfc(clip.joints_w))),
    Metric("fgd", "lower", 2, pooled=True, of_clip=lambda clip: float(fgd(clip.joints_w))),
    Metric("fgd_penetration", "lower", 2, pooled=True, of_clip=lambda clip: float(fgd_penetration(clip.joints_w))),
    Metric("fgd_floating", "lower", 2, pooled=True, of_clip=lambda clip: float(fgd_floating(clip.joints_w))),
    Metric("mot_mag", "neither", 4, of_clip=lambda clip: float(mot_mag(clip.axis_angle))),
    Metric("foot_skating", "lower", 4, of_clip=lambda clip: float(foot_skating(clip.joints_w))),
    Metric("bas", "higher", 4),
    Metric("success_rate", "higher", 3),
    Metric("imitation", "higher", 4),
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
    of_set: metric -> value, of those that only a set has.
    skipped: metric -> why it could not be computed.
    """

    frames: dict[str, int]
    per_motion: dict[str, dict[str, float]]
    of_set: dict[str, float] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)

    @property
    def metrics(self) -> dict[str, float]:
        """The set's value of every metric that has one, in the order of `METRICS`."""
        values = {metric.name: self._value(metric) for metric in METRICS}
        return {name: value for name, value in values.items() if value is not None}

    def _value(self, metric: Metric) -> float | None:
        if metric.name in self.of_set:
            return self.of_set[metric.name]
        having = [motion for motion, values in self.per_motion.items() if metric.name in values]
        weights = [self.frames[motion] if metric.pooled else 1 for motion in having]
        total = math.fsum(
            weight * self.per_motion[motion][metric.name] for motion, weight in zip(having, weights, strict=True)
        )
        return total / sum(weights) if having else None

    def as_json(self) -> dict[str, Any]:
        """Return the content of metrics.json."""
        return {
            "n_motions": len(self.per_motion),
            "n_frames": sum(self.frames.values()),
            "fps": int(FPS),
            "metrics": self.metrics,
            "per_motion": self.per_motion,
            "skipped": self.skipped,
        }


def clip_metrics(clip: Clip) -> dict[str, float]:
    """Return every metric that one clip suffices for; a value that is not finite is left out."""
    values = {metric.name: metric.of_clip(clip) for metric in METRICS if metric.of_clip}
    return {name: value for name, value in values.items() if math.isfinite(value)}


def write_evaluation(path: Path, evaluation: Evaluation) -> None:
    """Write metrics as `path` (.json) and, for people, as .md beside it, each atomically."""
    path = Path(path)
    write_text(path.with_suffix(".md"), evaluation_table(evaluation))
    write_json(path, evaluation.as_json())


def read_metrics(path: Path) -> dict[str, float]:
    """Return the "metrics" of a metrics.json; raise UserError where it is missing or is something else."""
    content = read_json(path)
    metrics = content.get("metrics") if isinstance(content, dict) else None
    if not isinstance(metrics, dict):
        raise UserError(f'{path} has no "metrics": it is not a metrics.json')
    return metrics


def evaluation_table(evaluation: Evaluation) -> str:
    """Return the metrics of a set, and what was skipped and why, as Markdown."""
    n_frames = sum(evaluation.frames.values())
    lines = [f"{len(evaluation.per_motion)} motions, {n_frames} frames at {FPS:g} fps", ""]
    lines.append(comparison_table({"value": evaluation.metrics}))
    lines += [f"- {name} was skipped: {reason}" for name, reason in evaluation.skipped.items()]
    return "\n".join(lines).rstrip() + "\n"


def comparison_table(columns: dict[str, dict[str, float]]) -> str:
    """Return metrics side by side as Markdown: title -> metrics; later columns show their change from the first."""
    first, *later = columns.values()
    rows = [["metric", *columns]]
    for metric in METRICS:
        if any(metric.name in column for column in columns.values()):
            base = first.get(metric.name)
            cells = [_cell(metric, column.get(metric.name), base) for column in later]
            rows.append([metric.label, _cell(metric, base, None), *cells])
    return markdown_table(rows)


def _cell(metric: Metric, value: float | None, base: float | None) -> str:
    if value is None:
        return "–"
    shown = f"{value:.{metric.decimals}f}"
    if base is None:
        return shown
    if base == 0:
        return f"{shown} ({value:+.{metric.decimals}f})"
    return f"{shown} ({100.0 * (value - base) / abs(base):+.1f} %)"
