"""The physical verdict as it is written and printed."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from skeleton2stage.motion.motion import Motion
from skeleton2stage.physics.score.dance_scorer import DanceScores
from skeleton2stage.physics.score.performances import origin
from skeleton2stage.tables import bootstrap_error, markdown_table


@dataclass(frozen=True)
class Column:
    """A figure of the verdict: its name in the files, DanceScores' name for it, and the digits shown."""

    name: str
    source: str
    decimals: int


COLUMNS = (
    Column("imitation", "imitation", 4),
    Column("success", "success", 3),
    Column("body_error_mm", "body_error_mm", 1),
    Column("residual_effort", "residual_force_share", 4),
    Column("self_contact", "self_contact_mm", 2),
)


def verdict(
    clips: dict[str, Motion], scores: DanceScores, setup: dict[str, Any], axes: dict[str, dict[str, Any]] | None = None
) -> dict[str, Any]:
    """Return the content of the written file: what was used, means, their standard errors, and each clip's own.

    axes: of clips by name, what `axis_content` says of each. Standard errors are by bootstrap over files, and left out
    where there is one file only.
    """
    axes = axes or {}
    figures = {column.name: getattr(scores, column.source).double().numpy() for column in COLUMNS}
    files = [origin(name)[0] for name in clips]
    errors = {name: bootstrap_error(values, files) for name, values in figures.items()}
    return {
        **setup,
        "n_motions": len(clips),
        "n_frames": sum(len(motion) for motion in clips.values()),
        "metrics": {name: float(np.mean(values)) for name, values in figures.items()},
        "standard_errors": {name: error for name, error in errors.items() if error is not None},
        "axes": _axis_means(axes),
        "per_motion": {
            clip: {name: float(values[index]) for name, values in figures.items()} | axes.get(clip, {})
            for index, clip in enumerate(clips)
        },
    }


def _axis_means(axes: dict[str, dict[str, Any]]) -> dict[str, float]:
    """Return the mean score of every axis over the clips that have axes."""
    each = [content["axes"] for content in axes.values()]
    return {name: float(np.mean([clip[name]["score"] for clip in each])) for name in each[0]} if each else {}


def verdict_table(content: dict[str, Any]) -> str:
    """Return a verdict as Markdown: a row a clip, the means last."""
    rows = [["motion", *(column.name for column in COLUMNS)]]
    for clip, values in content["per_motion"].items():
        rows.append([clip, *(f"{values[column.name]:.{column.decimals}f}" for column in COLUMNS)])
    errors = content["standard_errors"]
    mean = [f"{content['metrics'][column.name]:.{column.decimals}f}" for column in COLUMNS]
    spread = [f" ± {errors[column.name]:.{column.decimals}f}" if column.name in errors else "" for column in COLUMNS]
    rows.append(["mean ± standard error", *(value + error for value, error in zip(mean, spread, strict=True))])
    return markdown_table(rows) + _sentences(content)


def _sentences(content: dict[str, Any]) -> str:
    """Return what is wrong with each clip, a line a clip, and the axes' mean scores."""
    lines = [f"{clip}: {values['summary']}" for clip, values in content["per_motion"].items() if "summary" in values]
    means = ", ".join(f"{name} {score:.3f}" for name, score in content["axes"].items())
    return "\n" + "\n".join(lines) + f"\n\nmean score of the axes: {means}\n" if lines else ""
