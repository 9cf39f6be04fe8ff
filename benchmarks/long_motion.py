"""Peak memory and CPU seconds of commands over long BVH files: does it stay bounded as motions get longer?

python benchmarks/long_motion.py [minutes=[5,20]] [fps=120] [commands=[read,score,convert,evaluate]] [keep=DIR]

The files hold a made motion of a skeleton with fingers and MotionBuilder's names. Each command runs in a process of its
own, `read` being no more than reading and retargeting, `evaluate` over what `convert` wrote, and is measured by what
the kernel says of it when it has ended. Prints JSON.
"""

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from skeleton2stage.config import read_options
from skeleton2stage.errors import run_main
from skeleton2stage.motion import skeleton

COMMANDS = {
    "read": ["-c", "import sys; from pathlib import Path; from skeleton2stage.motion.formats.read_motion import "
                   "read_motion; read_motion(Path(sys.argv[1]))", "{file}"],
    "score": ["-m", "skeleton2stage.physics.score", "motions={file}", "out={folder}/score.json"],
    "convert": ["-m", "skeleton2stage.motion.convert", "source={file}", "out={folder}/library", "workers=1",
                "check=false"],
    "evaluate": ["-m", "rl_finetune.evaluate", "motions={folder}/library", "out={folder}/metrics.json"],
}
NAMES = {
    "pelvis": "Hips", "spine1": "Spine", "spine2": "Spine1", "spine3": "Spine2", "neck": "Neck", "head": "Head",
    "hip": "UpLeg", "knee": "Leg", "ankle": "Foot", "foot": "ToeBase", "collar": "Shoulder", "shoulder": "Arm",
    "elbow": "ForeArm", "wrist": "Hand",
}
FINGERS = [f"{finger}{number}" for finger in ("Thumb", "Index", "Middle", "Ring", "Pinky") for number in (1, 2, 3)]
PERIOD_S = 20.0  # of all the motion, so that files are of blocks that are written once


@dataclass(frozen=True)
class Options:
    """What is measured, from the command line."""

    minutes: tuple[float, ...] = (5, 20)
    fps: float = 120.0
    commands: tuple[str, ...] = tuple(COMMANDS)
    keep: Path | None = None


def hierarchy() -> str:
    """Return the text of a skeleton of SMPL's bones in centimetres, with fingers."""
    parents, offsets, joints = skeleton.parents(), 100 * skeleton.offsets(), skeleton.joint_names()

    def name(joint: int) -> str:
        side, _, part = joints[joint].partition("_")
        return f"{side.title()}{NAMES[part]}" if part else NAMES[side]

    def written(joint: int) -> str:
        children = [k for k, parent in enumerate(parents) if parent == joint and not joints[k].endswith("_hand")]
        below = [written(child) for child in children]
        if joints[joint].endswith("wrist"):
            sign = 1 if joints[joint].startswith("left") else -1
            below = [chain([f"{name(joint)}{finger}" for finger in FINGERS[k : k + 3]], 8 * sign, k / 3 - 2)
                     for k in range(0, len(FINGERS), 3)]
        kind, place = ("ROOT", "Xposition Yposition Zposition ") if joint == 0 else ("JOINT", "")
        return node(kind, name(joint), offsets[joint] if joint else np.zeros(3), place, below)

    return f"HIERARCHY\n{written(0)}\n"


def node(kind: str, name: str, offset: np.ndarray, place: str, below: list[str]) -> str:
    """Return the text of a joint; one without others below it has an end site."""
    inner = below or ["End Site\n{\nOFFSET 0 -3 5\n}"]
    channels = f"CHANNELS {6 if place else 3} {place}Zrotation Xrotation Yrotation"
    return "\n".join([f"{kind} {name}", "{", "OFFSET {:.4f} {:.4f} {:.4f}".format(*offset), channels, *inner, "}"])


def chain(names: list[str], x: float, z: float) -> str:
    """Return the text of a finger."""
    below = [chain(names[1:], x / 3, 0)] if len(names) > 1 else []
    return node("JOINT", names[0], np.array([x, 0.0, z]), "", below)


def write_file(path: Path, minutes: float, fps: float) -> None:
    """Write a BVH of someone who sways, steps and waves, for some minutes."""
    head = hierarchy()
    channels = head.count("rotation")
    times = np.arange(round(PERIOD_S * fps)) / fps
    phases = np.random.default_rng(0).uniform(0, 2 * np.pi, channels)
    rates = np.random.default_rng(1).integers(1, 20, channels) / PERIOD_S
    rows = 12 * np.sin(2 * np.pi * rates * times[:, None] + phases)
    place = np.stack([30 * np.sin(2 * np.pi * times / PERIOD_S), np.full(len(times), 95.0), 0 * times], axis=1)
    block = "".join(" ".join(f"{value:.5f}" for value in row) + "\n" for row in np.hstack([place, rows]))
    n_blocks = max(1, round(minutes * 60 / PERIOD_S))
    with path.open("w") as file:
        file.write(f"{head}MOTION\nFrames: {n_blocks * len(times)}\nFrame Time: {1 / fps:.8f}\n")
        for _ in range(n_blocks):
            file.write(block)


def measured(arguments: list[str]) -> dict[str, float]:
    """Return the peak memory and the CPU seconds of a command, and raise where it fails."""
    process = subprocess.Popen([sys.executable, *arguments], stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{' '.join(arguments)} ended with status {process.returncode}")
    return {"peak_mb": round(used.ru_maxrss / 1024), "cpu_s": round(used.ru_utime + used.ru_stime, 1)}


def measure(options: Options, folder: Path) -> dict[str, dict[str, dict[str, float]]]:
    """Return figures by file and command."""
    found = {}
    for minutes in options.minutes:
        place = folder / f"{minutes:g}_minutes"
        place.mkdir(parents=True, exist_ok=True)
        file = place / "long.bvh"
        write_file(file, minutes, options.fps)
        found[f"{minutes:g} minutes, {file.stat().st_size >> 20} MB"] = {
            name: measured([part.format(file=file, folder=place) for part in COMMANDS[name]])
            for name in options.commands
        }
        print(json.dumps(found), file=sys.stderr, flush=True)
    return found


def main(arguments: list[str]) -> int:
    """Measure and print."""
    options = read_options(arguments, Options)
    with tempfile.TemporaryDirectory() as folder:
        found = measure(options, options.keep or Path(folder))
    print(json.dumps(found, indent=2))
    return 0


if __name__ == "__main__":
    run_main(main)
