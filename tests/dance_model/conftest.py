"""EDGE's published small model."""

import numpy as np
import pytest
import torch


@pytest.fixture(scope="session")
def edge_small(reference):
    """Return the arrays of edge_small.npz: weights as sd/NAME, inputs and outputs."""
    with np.load(reference / "edge_small.npz") as file:
        return {name: torch.from_numpy(file[name]) for name in file.files}
