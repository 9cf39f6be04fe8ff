"""The joint regressor: each joint as a mean of the vertices around it."""

import numpy as np
from scipy.optimize import nnls

NEIGHBOURS = 160
# How strongly the joint's position and the sum of weights bind, against evenness of the weights.
BINDING = 1e3


def joint_regressor(vertices: np.ndarray, weights: np.ndarray, joints: np.ndarray, parents: list[int]) -> np.ndarray:
    """Return the matrix [24, V], rows summing to one, that takes `vertices` to `joints` [24, 3].

    A joint's vertices are the nearest among those that move with the joint or its parent; their weights
    are not negative, and as even as the joint's position lets them be.
    """
    regressor = np.zeros((len(joints), len(vertices)))
    for joint, position in enumerate(joints):
        influence = weights[:, joint] + (weights[:, parents[joint]] if parents[joint] >= 0 else 0.0)
        distance = np.linalg.norm(vertices - position, axis=1) + np.where(influence > 0.05, 0.0, 1e3)
        nearest = np.argsort(distance)[:NEIGHBOURS]
        regressor[joint, nearest] = _even_weights(vertices[nearest], position)
    return regressor


def _even_weights(points: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Return weights [N] >= 0, summing to one, that average `points` to `target`, closest to even."""
    even = np.full(len(points), 1.0 / len(points))
    system = np.vstack([np.eye(len(points)), BINDING * (points - target).T, np.full((1, len(points)), BINDING)])
    weights, _ = nnls(system, np.concatenate([even, np.zeros(3), [BINDING]]))
    return _correct(weights, points, target)


def _correct(weights: np.ndarray, points: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Return the weights with the last small error taken out among those that are not zero."""
    used = weights > 0
    constraints = np.vstack([points[used].T, np.ones(used.sum())])
    error = np.append(target, 1.0) - constraints @ weights[used]
    corrected = weights.copy()
    corrected[used] += np.linalg.pinv(constraints) @ error
    return corrected
