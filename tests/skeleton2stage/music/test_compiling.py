"""Processes that meet numba's empty cache at the same time."""

import os
import subprocess
import sys

import pytest

from skeleton2stage.music.compiling import first_time_alone

EXTRACT = """
import sys
import numpy as np
from skeleton2stage.music.baseline_features import baseline_features
audio = np.random.default_rng(0).normal(size=5 * 22050).astype(sys.argv[1])
print(baseline_features(audio, 22050).shape)
"""


def start(cache, dtype):
    environment = os.environ | {"NUMBA_CACHE_DIR": str(cache), "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        [sys.executable, "-c", EXTRACT, dtype], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


def test_processes_that_compile_at_once_leave_a_cache_that_works(tmp_path):
    """Without waiting for each other these two crashed a later process in four of four tries."""
    together = [start(tmp_path, dtype) for dtype in ("float32", "float64")]
    for process in together:
        assert b"(150, 35)" in process.communicate(timeout=600)[0]
    for dtype in ("float32", "float64"):
        after = start(tmp_path, dtype)
        assert b"(150, 35)" in after.communicate(timeout=600)[0] and after.returncode == 0


def test_only_the_first_time_waits(monkeypatch, tmp_path):
    monkeypatch.setattr("skeleton2stage.music.compiling.lock_file", lambda: tmp_path / "lock")
    for _ in range(2):
        with first_time_alone("something new"):
            held = (tmp_path / "lock").exists()
        (tmp_path / "lock").unlink(missing_ok=True)
    assert not held


def test_a_failed_first_time_counts_for_nothing(monkeypatch, tmp_path):
    entered = []
    monkeypatch.setattr("skeleton2stage.music.compiling.lock_file", lambda: entered.append(1) or tmp_path / "lock")
    with pytest.raises(ValueError, match="broken"), first_time_alone("failing"):
        raise ValueError("broken")
    with first_time_alone("failing"):
        pass
    assert len(entered) == 2
