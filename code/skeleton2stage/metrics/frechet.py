"""Distances between sets of dances by their features: Fréchet distance (FID) and diversity.

Both normalise features by the mean and the population deviation of the first set, the reference, as AIST++ and
Bailando do; of that set only these statistics are needed. All in float64.
"""

from dataclasses import dataclass

import numpy as np

MIN_CLIPS = 2
_DEVIATION_FLOOR = 1e-10
# A feature that deviates by less than this is constant: the published features are shares and energies.
_CONSTANT_UNDER = 1e-9


@dataclass(frozen=True)
class FeatureStatistics:
    """What is kept of a set's features. mean, deviation (population's): [D]. covariance (sample's): [D, D]."""

    mean: np.ndarray
    deviation: np.ndarray
    covariance: np.ndarray

    @property
    def varying(self) -> np.ndarray:
        """Which features vary in the set, [D] bool."""
        return self.deviation >= _CONSTANT_UNDER

    def normalised(self, features: np.ndarray) -> np.ndarray:
        """Return features [N, D] relative to the set's mean and deviation, [N, V]: only those that vary in it.

        The published scripts keep the others and divide them by 1e-10. Where they differ at all from the set's
        constant, they then drown all the rest; where they do not, they add nothing, as here.
        """
        return ((np.asarray(features, dtype=np.float64) - self.mean) / self._scale)[:, self.varying]

    def normalised_covariance(self) -> np.ndarray:
        """Return the covariance of the set's own normalised features, [V, V]."""
        return (self.covariance / np.outer(self._scale, self._scale))[np.ix_(self.varying, self.varying)]

    @property
    def _scale(self) -> np.ndarray:
        return self.deviation + _DEVIATION_FLOOR


def statistics_of(features: np.ndarray) -> FeatureStatistics:
    """Return the statistics of features [N, D]; ValueError for fewer than two clips."""
    features = _checked(features)
    return FeatureStatistics(features.mean(axis=0), features.std(axis=0), np.cov(features, rowvar=False))


def frechet_distance(reference: FeatureStatistics, features: np.ndarray) -> float:
    """Return |m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2)) of normalised features [N, D]; ValueError for N < 2.

    The trace of the root is the sum of singular values of B A^T, where A^T A = C1 and B^T B = C2: it exists, and
    is accurate, for singular covariances too, such as those of fewer clips than features.
    """
    whitened = reference.normalised(_checked(features))
    return _distance(*_prepared(reference), whitened)


def frechet_resampled(reference: FeatureStatistics, features: np.ndarray, draws: np.ndarray) -> np.ndarray:
    """Return the distance [R] of each resample of features [N, D]; `draws` [R, N] are the clips that it holds."""
    prepared = _prepared(reference)
    normalised = reference.normalised(_checked(features))
    return np.array([_distance(*prepared, normalised[draw]) for draw in draws])


def diversity(reference: FeatureStatistics, features: np.ndarray) -> float:
    """Return the mean distance between two of the normalised features [N, D]; ValueError for N < 2."""
    distances = _distances(reference.normalised(_checked(features)))
    return float(distances.sum() / (len(distances) * (len(distances) - 1)))


def diversity_resampled(reference: FeatureStatistics, features: np.ndarray, draws: np.ndarray) -> np.ndarray:
    """Return the diversity [R] of each resample; `draws` [R, N] are the clips that it holds.

    Pairs of a clip with itself, which resampling makes and a set does not have, are left out.
    """
    distances = _distances(reference.normalised(_checked(features)))
    n = len(distances)
    counts = np.stack([np.bincount(draw, minlength=n) for draw in draws]).astype(np.float64)
    pairs = n * n - (counts**2).sum(axis=1)
    return ((counts @ distances) * counts).sum(axis=1) / np.where(pairs > 0, pairs, np.nan)


def _checked(features: np.ndarray) -> np.ndarray:
    features = np.asarray(features, dtype=np.float64)
    if features.ndim != 2 or len(features) < MIN_CLIPS:
        raise ValueError(f"expected features [N >= {MIN_CLIPS}, D], got {list(features.shape)}")
    return features


def _prepared(reference: FeatureStatistics) -> tuple[np.ndarray, float]:
    """Return a root A [D, D], A A^T being the reference's normalised covariance, and the trace of that."""
    covariance = reference.normalised_covariance()
    values, vectors = np.linalg.eigh(covariance)
    return vectors * np.sqrt(values.clip(min=0.0)), float(np.trace(covariance))


def _distance(root: np.ndarray, trace: float, normalised: np.ndarray) -> float:
    """Return the distance of normalised features [N, D] from zero mean and the covariance root root^T."""
    mean = normalised.mean(axis=0)
    centred = (normalised - mean) / np.sqrt(len(normalised) - 1)
    # The triangle of a QR decomposition has the same singular values, and no more rows than columns.
    triangle = np.linalg.qr(centred @ root, mode="r")
    root_trace = np.linalg.svd(triangle, compute_uv=False).sum()
    distance = mean @ mean + trace + (centred**2).sum() - 2.0 * root_trace
    return max(0.0, float(distance))


def _distances(points: np.ndarray) -> np.ndarray:
    """Return the distance between every two of the points [N, D], [N, N]."""
    return np.stack([np.linalg.norm(points - point, axis=1) for point in points])
