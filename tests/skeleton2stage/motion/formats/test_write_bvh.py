import re
from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from lively_motion import lively_motion
from skeleton2stage.motion import skeleton
from skeleton2stage.motion.bvh import local_transforms, read_bvh, world_transforms
from skeleton2stage.motion.formats.motion_file import as_motion_file
from skeleton2stage.motion.formats.read_motion import read_motion, read_motion_file
from skeleton2stage.motion.formats.smpl_bvh import smpl_motion
from skeleton2stage.motion.formats.write_bvh import write_bvh
from skeleton2stage.motion.motion import Motion


def turns_deg(first, second):
    """Angles between two poses' rotations, joint by joint."""
    relative = Rotation.from_rotvec(first.reshape(-1, 3)).inv() * Rotation.from_rotvec(second.reshape(-1, 3))
    return np.degrees(relative.magnitude())


def test_what_is_written_is_read_back(tmp_path):
    motion = lively_motion()
    write_bvh(tmp_path / "dance.bvh", motion)
    found = read_motion_file(tmp_path / "dance.bvh")
    assert (found.format, found.up_axis, found.source_fps, found.retargeting) == ("bvh", "y", 30.0, None)
    assert np.abs(found.motion.joints() - motion.joints()).max() < 1e-4
    assert turns_deg(found.motion.poses, motion.poses).max() < 0.01


def test_the_file_itself_has_every_joint_where_the_motion_has_it(tmp_path):
    motion = lively_motion(40)
    write_bvh(tmp_path / "dance.bvh", motion)
    bvh = read_bvh(tmp_path / "dance.bvh")
    _, position = world_transforms(bvh.parents, *local_transforms(bvh))
    ours = motion.joints()
    for number, name in enumerate(skeleton.joint_names()):
        x, y, z = np.moveaxis(position[:, bvh.names.index(name)], 1, 0) / 100
        np.testing.assert_allclose(np.stack([x, -z, y], axis=1), ours[:, number], atol=1e-4)


def test_angles_go_on_where_a_turn_is_complete(tmp_path):
    poses = np.zeros((60, 24, 3))
    heading = Rotation.from_rotvec(np.linspace(0, 4 * np.pi, 60)[:, None] * [0, 0, 1])
    poses[:, 0] = (heading * Rotation.from_euler("x", np.pi / 2)).as_rotvec()
    write_bvh(tmp_path / "turns.bvh", Motion(poses, np.tile([0, 0, 1.0], (60, 1))))
    assert np.abs(np.diff(read_bvh(tmp_path / "turns.bvh").values, axis=0)).max() < 20


@pytest.mark.parametrize("change", [
    lambda text: text.replace("left_", "L_").replace("right_", "R_").replace("pelvis", "Pelvis"),
    lambda text: re.sub(r"(left|right)_(\w)(\w+)", lambda m: f"m:{m[1].title()}{m[2].upper()}{m[3]}", text),
    lambda text: text.replace("left_foot", "L_Toe").replace("right_foot", "R_Toe").replace("spine1", "Torso")
    .replace("spine2", "Spine").replace("spine3", "Chest").replace("left_collar", "L_Thorax")
    .replace("right_collar", "R_Thorax").replace("left_", "L_").replace("right_", "R_"),
])
def test_other_spellings_of_smpls_joints_are_smpls(change, tmp_path):
    motion = lively_motion(20)
    write_bvh(tmp_path / "dance.bvh", motion)
    (tmp_path / "renamed.bvh").write_text(change((tmp_path / "dance.bvh").read_text()))
    assert np.abs(read_motion(tmp_path / "renamed.bvh").joints() - motion.joints()).max() < 1e-4


def test_a_file_that_turns_the_root_and_not_the_axes_is_z_up(tmp_path):
    motion = lively_motion(20)
    write_bvh(tmp_path / "dance.bvh", motion)
    bvh = read_bvh(tmp_path / "dance.bvh")
    values = bvh.values.copy()
    values[:, :3] = 100 * motion.translation
    values[:, 3:6] = Rotation.from_rotvec(motion.poses[:, 0]).as_euler("ZXY", degrees=True)
    found = as_motion_file("bvh", smpl_motion(replace(bvh, values=values)))
    assert found.up_axis == "z"
    np.testing.assert_allclose(found.motion.joints(), motion.joints(), atol=1e-4)


def test_a_skeleton_with_its_arms_down_at_rest_is_retargeted(tmp_path):
    write_bvh(tmp_path / "dance.bvh", lively_motion(40))
    bvh = read_bvh(tmp_path / "dance.bvh")
    offsets = bvh.offsets.copy()
    for side in ("left", "right"):
        offsets[bvh.names.index(f"{side}_elbow")] = [0.0, -26.0, 0.0]
    assert smpl_motion(bvh) is not None
    assert smpl_motion(replace(bvh, offsets=offsets)) is None


def test_another_bodys_bones_are_written_as_given(tmp_path):
    write_bvh(tmp_path / "tall.bvh", lively_motion(3), 1.1 * skeleton.offsets())
    bvh = read_bvh(tmp_path / "tall.bvh")
    knee = skeleton.joint_index("left_knee")
    np.testing.assert_allclose(bvh.offsets[bvh.names.index("left_knee")], 110 * skeleton.offsets()[knee], atol=1e-5)


def test_a_motion_of_one_frame_and_of_another_rate(tmp_path):
    write_bvh(tmp_path / "one.bvh", lively_motion(1))
    assert len(read_motion(tmp_path / "one.bvh")) == 1
    slow = Motion(lively_motion(50).poses, lively_motion(50).translation, fps=25.0)
    write_bvh(tmp_path / "slow.bvh", slow)
    assert read_bvh(tmp_path / "slow.bvh").fps == 25.0
