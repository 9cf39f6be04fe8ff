"""The field's reference numbers for metrics, and the motions they belong to."""

import json

import numpy as np
import pytest
import torch


@pytest.fixture(scope="session")
def published(reference):
    """Return the published scripts' values: {"per_motion": ..., "set": ...}."""
    return json.loads((reference / "metrics_public.json").read_text())


@pytest.fixture(scope="session")
def public_arrays(reference):
    return np.load(reference / "metrics_public.npz")


@pytest.fixture(scope="session")
def public_joints(reference):
    """Return joints [T, 24, 3] of every public motion, of which the first 600 frames count."""
    with np.load(reference / "fk.npz") as arrays:
        return {key.split("/")[0]: torch.from_numpy(arrays[key][:600]) for key in arrays}


@pytest.fixture(scope="session")
def public_motions(reference):
    from skeleton2stage.motion.motion import Motion

    with np.load(reference / "motions_public.npz") as arrays:
        names = sorted({key.split("/")[0] for key in arrays})
        return {
            name: Motion(arrays[f"{name}/smpl_poses"].reshape(-1, 24, 3), arrays[f"{name}/smpl_trans"])
            for name in names
        }
