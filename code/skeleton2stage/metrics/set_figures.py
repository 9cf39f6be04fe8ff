"""FID and diversity of a set of dances, their standard errors, and why either is missing."""

from dataclasses import dataclass, field

import numpy as np
from threadpoolctl import threadpool_limits

from skeleton2stage.metrics.frechet import (
    MIN_CLIPS,
    FeatureStatistics,
    diversity,
    diversity_resampled,
    frechet_distance,
    frechet_resampled,
)
from skeleton2stage.metrics.reference_statistics import FEATURES, Reference
from skeleton2stage.tables import resamples


@dataclass(frozen=True)
class SetFigures:
    """By metric: the set's value, its standard error, or why there is no value."""

    values: dict[str, float] = field(default_factory=dict)
    errors: dict[str, float] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)


def no_figures(reason: str) -> SetFigures:
    """Return that all of them are missing for one reason."""
    return SetFigures(skipped={name: reason for feature in FEATURES for name in _names(feature)})


def set_figures(features: dict[str, np.ndarray], reference: Reference, seed: int) -> SetFigures:
    """Return FID and diversity of a set's features ([N, D] by name) against a reference.

    Standard errors are those of a bootstrap over the set's motions; the reference is taken as given.
    """
    n_clips = len(features["k"])
    if n_clips < MIN_CLIPS:
        return no_figures(f"FID and diversity need at least {MIN_CLIPS} motions, and this set has {n_clips}")
    figures = SetFigures()
    draws = resamples(n_clips, seed)
    for name, values in features.items():
        if name in reference.statistics:
            _add(figures, name, values, reference.statistics[name], draws)
        else:
            figures.skipped.update(dict.fromkeys(_names(name), f"{reference.source} has no features for it"))
    return figures


def _add(
    figures: SetFigures, name: str, features: np.ndarray, reference: FeatureStatistics, draws: np.ndarray
) -> None:
    fid, div = _names(name)
    figures.values.update({fid: frechet_distance(reference, features), div: diversity(reference, features)})
    # Many small decompositions: threads would only wait for each other.
    with threadpool_limits(limits=1, user_api="blas"):
        figures.errors[fid] = float(frechet_resampled(reference, features, draws).std(ddof=1))
    figures.errors[div] = float(np.nanstd(diversity_resampled(reference, features, draws), ddof=1))


def _names(feature: str) -> tuple[str, str]:
    return f"fid_{feature}", f"div_{feature}"
