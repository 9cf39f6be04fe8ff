"""How bodies are held and moved in folders of motions, side by side: python scripts/body_manners.py DIR [DIR ...]

Prints a table in Markdown, a column a folder: distance of the wrists from the spine, angles of elbows, shoulders and
knees at the 10th, 50th and 90th percentile of all frames, and the joints' acceleration and jerk. A reward that is paid
for in stiff arms or in trembling shows here.
"""

from pathlib import Path

import numpy as np
import torch

from skeleton2stage.errors import run_main
from skeleton2stage.metrics.measured_clip import check_motion
from skeleton2stage.motion import skeleton
from skeleton2stage.motion.folder import read_folder
from skeleton2stage.motion.motion import Motion

SPINE, WRISTS = 3, (20, 21)
JOINTS = {"elbow": (18, 19), "shoulder": (16, 17), "knee": (4, 5)}
PERCENTILES = (10, 50, 90)


def manners(motions: list[Motion]) -> dict[str, str]:
    """Return the rows of one column by name."""
    distances, angles, accelerations, jerks = [], {name: [] for name in JOINTS}, [], []
    for motion in motions:
        poses, translation = (torch.from_numpy(np.asarray(part)).float() for part in (motion.poses, motion.translation))
        joints = skeleton.forward_kinematics(poses, translation).numpy()
        distances.append(np.linalg.norm(joints[:, WRISTS] - joints[:, [SPINE]], axis=-1).ravel())
        for name, pair in JOINTS.items():
            angles[name].append(np.degrees(np.linalg.norm(motion.poses[:, pair], axis=-1)).ravel())
        accelerations.append(np.linalg.norm(np.diff(joints, 2, axis=0), axis=-1).ravel() * motion.fps**2)
        jerks.append(np.linalg.norm(np.diff(joints, 3, axis=0), axis=-1).ravel() * motion.fps**3)
    jerk = np.concatenate(jerks)
    return {
        "wrist to spine, cm": _three(100 * np.concatenate(distances)),
        **{f"{name}, degrees from straight": _three(np.concatenate(values)) for name, values in angles.items()},
        "acceleration, m/s², mean": f"{np.concatenate(accelerations).mean():.1f}",
        "jerk, m/s³, mean / 99th percentile": f"{jerk.mean():.0f} / {np.percentile(jerk, 99):.0f}",
    }


def _three(values: np.ndarray) -> str:
    return " / ".join(f"{value:.0f}" for value in np.percentile(values, PERCENTILES))


def main(arguments: list[str]) -> None:
    """Read the folders and print the table."""
    if not arguments or arguments[0] in ("-h", "--help"):
        print(__doc__)
        return
    columns = {}
    for argument in arguments:
        motions, _ = read_folder(Path(argument), "auto", check_motion)
        columns[Path(argument).name] = manners(list(motions.values()))
    print("| | " + " | ".join(columns) + " |\n| --- |" + " --: |" * len(columns))
    for name in next(iter(columns.values())):
        print(f"| {name} | " + " | ".join(column[name] for column in columns.values()) + " |")


if __name__ == "__main__":
    run_main(main)
