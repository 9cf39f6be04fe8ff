"""What FID and diversity are measured against: statistics of a reference set's features, as a file.

No motion can be recovered from it, so that it can be shared where the motions cannot.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from skeleton2stage.arrays import read_npz
from skeleton2stage.errors import UserError
from skeleton2stage.files import write_npz
from skeleton2stage.metrics.frechet import MIN_CLIPS, FeatureStatistics, statistics_of
from skeleton2stage.metrics.geometric_features import geometric_features, geometric_features_fixed
from skeleton2stage.metrics.kinetic_features import kinetic_features, kinetic_features_fixed
from skeleton2stage.metrics.measured_clip import Clip

# By the end of the names of their metrics, fid_k and so on.
FEATURES: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "k": kinetic_features,
    "g": geometric_features,
    "k_fixed": kinetic_features_fixed,
    "g_fixed": geometric_features_fixed,
}
_WORDS = {"k": "kinetic", "g": "geometric", "k_fixed": "kinetic (fixed)", "g_fixed": "geometric (fixed)"}
_STATISTICS = ("mean", "deviation", "covariance")


@dataclass(frozen=True)
class Reference:
    """A reference set.

    source: the file or folder that it came from. n_clips: how many motions it was made of.
    statistics: of each of FEATURES.
    """

    source: str
    n_clips: int
    statistics: dict[str, FeatureStatistics]

    @property
    def description(self) -> str:
        """What it is, in words, with how many features it cannot judge."""
        left_out = {name: int((~found.varying).sum()) for name, found in self.statistics.items()}
        parts = [f"{n} of {len(self.statistics[name].mean)} {_WORDS[name]}" for name, n in left_out.items() if n]
        note = f"; features that never vary in it are left out, {', '.join(parts)}" if parts else ""
        return f"{self.source}, {self.n_clips} motions{note}"


def features_of(clips: list[Clip]) -> dict[str, np.ndarray]:
    """Return each of FEATURES for clips, [N, 72] or [N, 32] float64."""
    rows: dict[str, list[np.ndarray]] = {name: [] for name in FEATURES}
    for clip in tqdm(clips, desc="features", unit="dance", leave=False, disable=None):
        for name, extract in FEATURES.items():
            rows[name].append(extract(clip.joints_w).numpy())
    return {name: np.stack(values) for name, values in rows.items()}


def reference_of(features: dict[str, np.ndarray], source: str) -> Reference:
    """Return the reference that a set's features make; raise UserError for fewer than two motions."""
    n_clips = len(features["k"])
    if n_clips < MIN_CLIPS:
        raise UserError(f"statistics for FID need at least {MIN_CLIPS} motions, and {source} has {n_clips}")
    return Reference(source, n_clips, {name: statistics_of(values) for name, values in features.items()})


def write_reference(path: Path, reference: Reference) -> None:
    """Write a reference as .npz, atomically."""
    arrays = {
        f"{name}/{statistic}": getattr(found, statistic)
        for name, found in reference.statistics.items() for statistic in _STATISTICS
    }
    write_npz(path, n_clips=np.array(reference.n_clips), **arrays)


def read_reference(path: Path) -> Reference:
    """Return the reference in a file; raise UserError where it is missing or is something else."""
    try:
        arrays = read_npz(path)
        statistics = {
            name: FeatureStatistics(*(arrays[f"{name}/{statistic}"] for statistic in _STATISTICS))
            for name in FEATURES
        }
        return Reference(str(path), int(arrays["n_clips"]), statistics)
    except (KeyError, ValueError, TypeError, UserError) as error:
        if not Path(path).exists():
            raise UserError(f"{path} does not exist: make it with motions=DIR stats_out={path}") from None
        raise UserError(
            f"{path} holds no statistics for FID ({error}): make it with motions=DIR stats_out=FILE.npz"
        ) from None
