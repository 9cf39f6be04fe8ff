"""Campaigns against the whole: what tests of single modules cannot show. Long ones are marked slow."""

import sys
from pathlib import Path

import numpy as np
import pytest

for _folder in ("motion", "motion/formats"):  # samples of motion files
    sys.path.append(str(Path(__file__).parent.parent / "skeleton2stage" / _folder))


@pytest.fixture(scope="module")
def campaign(tmp_path_factory, tiny_checkpoint, tiny_policy, clicks):
    """Return the folder of a campaign and the trainings and the import, whose runs lie in it."""
    from trainings import Inputs, works, write_windows

    from skeleton2stage.motion.formats.write_motion import write_motion
    from skeleton2stage.motion.motion import Motion

    folder = tmp_path_factory.mktemp("campaign")
    poses = np.zeros((160, 24, 3), np.float32)
    poses[:, 0, 0] = np.pi / 2
    for number, name in enumerate(("one", "two", "held")):
        poses[:, 16, 2] = -1.0 + 0.3 * np.sin(np.arange(160) / 10 + number)
        write_motion(folder / "clips" / f"{name}.pkl", Motion(poses, np.tile(np.float32([0, 0, 1]), (160, 1))))
    write_windows(folder / "windows.npz")
    inputs = Inputs(tiny_checkpoint, tiny_policy, clicks(folder / "clicks.wav", 12), folder / "windows.npz",
                    folder / "clips")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("S2S_RUNS", str(folder / "runs"))
        yield folder, works(inputs, folder / "runs")
