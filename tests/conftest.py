"""Fixtures that several tests share."""

from pathlib import Path

import pytest
import torch

from skeleton2stage import paths


@pytest.fixture(scope="session", autouse=True)
def one_torch_thread():
    """Keep small tests fast and repeatable: their tensors are too small to gain from threads."""
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Return the folder of mocap and songs, or skip."""
    folder = paths.shared_data()
    if not folder.is_dir():
        pytest.skip(f"no shared data at {folder} (set S2S_SHARED_DATA)")
    return folder


@pytest.fixture(scope="session")
def reference(shared_data: Path) -> Path:
    """Return the folder of the field's reference numbers, or skip."""
    folder = shared_data.parent / "reference"
    if not folder.is_dir():
        pytest.skip(f"no reference numbers at {folder}")
    return folder
