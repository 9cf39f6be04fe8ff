"""Small BVH files written by hand for the tests."""

import numpy as np

HEADER = """HIERARCHY
ROOT Hips
{
  OFFSET 1.0 2.0 3.0
  CHANNELS 6 Xposition Yposition Zposition Zrotation Xrotation Yrotation
  JOINT Arm
  {
    OFFSET 0.0 2.0 0.0
    CHANNELS 3 Yrotation Zrotation Xrotation
    End Site
    {
      OFFSET 1.0 0.0 0.0
    }
  }
}
"""


def motion_text(frames, frame_time_s):
    """Return the MOTION part of frames of channel values."""
    lines = [" ".join(f"{value:.6f}" for value in frame) for frame in frames]
    return "\n".join(["MOTION", f"Frames: {len(frames)}", f"Frame Time: {frame_time_s:.6f}", *lines, ""])


# A person of centimetres, in T-pose, named as Mixamo does; (name, parent, offset).
PERSON = [
    ("Hips", None, (0, 0, 0)), ("Spine", "Hips", (0, 10, 0)), ("Spine1", "Spine", (0, 15, 0)),
    ("Neck", "Spine1", (0, 22, 0)), ("Head", "Neck", (0, 10, 2)),
]
for _name, _x in (("Left", 1), ("Right", -1)):
    PERSON += [
        (f"{_name}Shoulder", "Spine1", (6 * _x, 15, 0)), (f"{_name}Arm", f"{_name}Shoulder", (12 * _x, 2, 0)),
        (f"{_name}ForeArm", f"{_name}Arm", (26 * _x, 0, 0)), (f"{_name}Hand", f"{_name}ForeArm", (25 * _x, 0, 0)),
        (f"{_name}UpLeg", "Hips", (9 * _x, -5, 0)), (f"{_name}Leg", f"{_name}UpLeg", (0, -40, 0)),
        (f"{_name}Foot", f"{_name}Leg", (0, -42, 0)), (f"{_name}ToeBase", f"{_name}Foot", (0, -6, 13)),
    ]
LEG_CM = 82.0
HIPS_CM = 97.0


def person_text(turns_deg, n_frames, fps=60, path_cm=None):
    """Return a BVH of PERSON; turns_deg: joint name -> [T] rotation about z; path_cm: hips [T, 3]."""
    text = "HIERARCHY\n" + _joint("Hips", 0) + "\n"
    path_cm = np.tile([0, HIPS_CM, 0], (n_frames, 1)) if path_cm is None else path_cm
    frames = []
    for frame in range(n_frames):
        values = list(path_cm[frame])
        for name in _order("Hips"):
            values += [turns_deg[name][frame] if name in turns_deg else 0.0, 0.0, 0.0]
        frames.append(values)
    return text + motion_text(frames, 1 / fps)


def _order(name):
    return [name, *(below for child, parent, _ in PERSON if parent == name for below in _order(child))]


def _joint(name, depth):
    offset = next(offset for joint, _, offset in PERSON if joint == name)
    root = depth == 0
    positions = "Xposition Yposition Zposition " if root else ""
    children = [_joint(child, depth + 1) for child, parent, _ in PERSON if parent == name]
    return "\n".join([
        f"{'ROOT' if root else 'JOINT'} mixamorig:{name}", "{", "OFFSET {} {} {}".format(*offset),
        f"CHANNELS {6 if root else 3} {positions}Zrotation Xrotation Yrotation",
        *(children or ["End Site\n{\nOFFSET 0 0 1\n}"]), "}",
    ])
