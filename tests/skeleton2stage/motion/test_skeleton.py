import json

import numpy as np
import pytest
import torch

from skeleton2stage.motion import skeleton


def test_table_is_the_published_one(reference):
    published = json.loads((reference / "smpl_mean_skeleton.json").read_text())
    assert skeleton.joint_names() == published["names"]
    assert skeleton.parents() == published["parents"]
    np.testing.assert_array_equal(skeleton.offsets(), np.array(published["offsets"]))


def test_published_forward_kinematics(reference):
    with np.load(reference / "motions_public.npz") as motions, np.load(reference / "fk.npz") as joints:
        names = sorted({key.split("/")[0] for key in motions.files})
        assert len(names) == 7
        for name in names:
            poses = torch.from_numpy(motions[f"{name}/smpl_poses"]).reshape(-1, 24, 3)
            found = skeleton.forward_kinematics(poses, torch.from_numpy(motions[f"{name}/smpl_trans"]))
            np.testing.assert_allclose(found.numpy(), joints[f"{name}/joints"], atol=1e-5)


def test_rest_pose_is_the_sum_of_offsets():
    joints = skeleton.forward_kinematics(torch.zeros(24, 3).double(), torch.zeros(3).double())
    np.testing.assert_allclose(joints.numpy(), skeleton.rest_joints(), atol=1e-12)
    assert joints[skeleton.joint_index("head"), 1] > 0.6
    assert joints[skeleton.joint_index("left_wrist"), 0] > 0.6


def test_one_turned_joint_carries_what_is_beyond_it():
    pose = torch.zeros(24, 3, dtype=torch.float64)
    elbow, wrist = skeleton.joint_index("left_elbow"), skeleton.joint_index("left_wrist")
    pose[elbow, 2] = np.pi / 2
    joints = skeleton.forward_kinematics(pose, torch.zeros(3, dtype=torch.float64)).numpy()
    x, y, z = skeleton.offsets()[wrist]
    np.testing.assert_allclose(joints[wrist] - joints[elbow], [-y, x, z], atol=1e-12)
    np.testing.assert_allclose(joints[elbow], skeleton.rest_joints()[elbow], atol=1e-12)


def test_given_offsets_replace_the_mean_ones():
    doubled = torch.from_numpy(2 * skeleton.offsets())
    joints = skeleton.forward_kinematics(torch.zeros(24, 3).double(), torch.zeros(3).double(), doubled)
    np.testing.assert_allclose(joints.numpy(), 2 * skeleton.rest_joints(), atol=1e-12)


def test_mirror_order_swaps_sides_and_nothing_else():
    order, names = skeleton.mirror_order(), skeleton.joint_names()
    assert [order[order[j]] for j in range(24)] == list(range(24))
    assert names[order[skeleton.joint_index("left_knee")]] == "right_knee"
    assert order[skeleton.joint_index("spine2")] == skeleton.joint_index("spine2")


def test_wrong_shape_is_named():
    with pytest.raises(ValueError, match=r"\[..., 24, 3, 3\]"):
        skeleton.forward_kinematics_rotmat(torch.zeros(5, 23, 3, 3), torch.zeros(5, 3))
