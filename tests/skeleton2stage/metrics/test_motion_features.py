import numpy as np
import pytest
import torch

from skeleton2stage.metrics.geometric_features import (
    UPPER_ARM_M,
    geometric_features,
    geometric_features_fixed,
)
from skeleton2stage.metrics.kinetic_features import kinetic_features, kinetic_features_fixed

Y, Z = 1, 2


def turned_y_up(joints):
    """Return z-up joints with y up, moved so that the root starts at the origin, as Bailando has them."""
    turned = torch.stack((joints[..., 0], joints[..., 2], -joints[..., 1]), dim=-1)
    return turned - turned[:1, :1]


def test_published_kinetic_features(public_arrays, public_joints):
    for name, joints in public_joints.items():
        for key, features in (
            ("kin_raw_zup", kinetic_features(joints)),
            ("kin_yup_zero", kinetic_features(turned_y_up(joints))),
            ("kin_popdg_z30", kinetic_features(joints, fps=30.0, up=Z)),
        ):
            np.testing.assert_allclose(features, public_arrays[f"{name}/{key}"], rtol=1e-4, err_msg=f"{name} {key}")


def test_published_geometric_features(public_arrays, public_joints):
    for name, joints in public_joints.items():
        np.testing.assert_allclose(geometric_features(joints), public_arrays[f"{name}/man_raw_zup"], rtol=1e-4)
        off = (geometric_features(turned_y_up(joints)) - public_arrays[f"{name}/man_yup_zero"]).abs()
        # In one frame of M1 a speed lies on its threshold to within the rounding of the turn.
        one_frame = 1 / (len(joints) - 1) if name == "M1" else 0.0
        assert off[0] < one_frame + 1e-6 and off[1:].max() < 1e-6, name


def test_published_features_of_clips(public_arrays, public_joints):
    joints = list(public_joints.values())
    names = list(public_joints)
    assert names == sorted(names)  # the order that the index of a clip's motion counts in
    indices, starts = public_arrays["clips/motion_index"], public_arrays["clips/start_frame"]
    clips = torch.stack([joints[i][s : s + 50] for i, s in zip(indices, starts, strict=True)])
    np.testing.assert_allclose(kinetic_features(clips), public_arrays["clips/kin_raw_zup"], rtol=1e-4)
    np.testing.assert_allclose(geometric_features(clips), public_arrays["clips/man_raw_zup"], rtol=1e-4)


def _gliding(metres_a_frame, axis, n_frames=20):
    joints = torch.zeros(n_frames, 24, 3)
    joints[..., axis] = metres_a_frame * torch.arange(float(n_frames))[:, None]
    return joints


def test_fixed_kinetic_features_by_hand():
    # 0.1 m a frame are 3 m/s; a steady glide spends nothing.
    rising, sideways = (kinetic_features_fixed(_gliding(0.1, axis)).reshape(24, 3) for axis in (2, 1))
    np.testing.assert_allclose(rising, np.tile([0.0, 9.0, 0.0], (24, 1)), atol=1e-4)
    np.testing.assert_allclose(sideways, np.tile([9.0, 0.0, 0.0], (24, 1)), atol=1e-4)


def test_only_the_published_expenditure_depends_on_the_place(public_joints):
    here, there = public_joints["synth01"].double(), public_joints["synth01"].double() + torch.tensor([3.0, 0, 0])
    np.testing.assert_allclose(kinetic_features_fixed(here), kinetic_features_fixed(there), rtol=1e-6)
    assert (kinetic_features(here)[2::3] - kinetic_features(there)[2::3]).abs().min() > 1.0


@pytest.mark.parametrize(("frames_a_second", "features"), [
    (30.0, geometric_features_fixed), (120.0, geometric_features)
])
def test_speeds_are_in_the_frame_rate_by_hand(frames_a_second, features):
    # The last relation: the pelvis is faster than 2.3 upper arms a second.
    step = 2.3 * UPPER_ARM_M / frames_a_second
    assert float(features(_gliding(1.01 * step, 0))[-1]) == 1.0
    assert float(features(_gliding(0.99 * step, 0))[-1]) == 0.0


def test_fixed_geometric_features_know_up():
    # Relations 16 and 17: an ankle is higher over the lowest joint than 1.2 upper arms, here in half the frames.
    joints = torch.randn(1, 24, 3).expand(21, 24, 3).clone()
    joints[..., 2] = 0.0
    joints[1:11, 8, 2] = 1.25 * UPPER_ARM_M
    fixed, raw = geometric_features_fixed(joints), geometric_features(joints)
    assert (float(fixed[16]), float(fixed[17])) == (0.5, 0.0)
    assert float(raw[16]) != 0.5


def test_batches_equal_one_by_one(public_joints):
    dances = torch.stack([public_joints["synth02"], public_joints["synth05"]])
    for features in (kinetic_features, kinetic_features_fixed, geometric_features, geometric_features_fixed):
        assert torch.equal(features(dances), torch.stack([features(dance) for dance in dances]))
