import subprocess
import sys

import numpy as np

from skeleton2stage import paths
from skeleton2stage.motion import skeleton
from skeleton2stage.motion.formats.write_motion import write_motion
from skeleton2stage.motion.motion import FPS, Motion

SCRIPT = paths.REPOSITORY / "scripts" / "body_manners.py"


def rows(*folders):
    done = subprocess.run([sys.executable, SCRIPT, *folders], capture_output=True, text=True, check=True)
    lines = [[cell.strip() for cell in line.strip("| ").split(" | ")] for line in done.stdout.splitlines()]
    return lines[0], {line[0]: line[1:] for line in lines[2:]}


def test_a_known_motion_has_its_known_manners(tmp_path):
    """Elbows bent by 30 degrees, in a body that is flung sideways at 2 m/s², beside one that stands straight."""
    straight = np.zeros((30, 24, 3))
    straight[:, 0, 0] = np.pi / 2  # SMPL's rest pose has y up
    poses = straight.copy()
    poses[:, [18, 19], 1] = np.radians(30)
    translation = np.zeros((30, 3))
    translation[:, 0] = 0.5 * 2.0 * (np.arange(30) / FPS) ** 2
    write_motion(tmp_path / "flung" / "a.pkl", Motion(poses, translation))
    write_motion(tmp_path / "still" / "a.pkl", Motion(straight, np.zeros((30, 3))))
    header, table = rows(tmp_path / "flung", tmp_path / "still")
    assert header[-2:] == ["flung", "still"]
    assert table["elbow, degrees from straight"] == ["30 / 30 / 30", "0 / 0 / 0"]
    assert table["shoulder, degrees from straight"] == ["0 / 0 / 0", "0 / 0 / 0"]
    assert table["acceleration, m/s², mean"] == ["2.0", "0.0"]
    joints = skeleton.rest_joints()
    reach = 100 * np.linalg.norm(joints[[20, 21]] - joints[3], axis=1)
    percentiles = np.percentile(np.tile(reach, 30), (10, 50, 90))
    assert table["wrist to spine, cm"][1] == " / ".join(f"{value:.0f}" for value in percentiles)
