"""Joint positions that are none of SMPL's are refused before rotations are fitted to them."""

import numpy as np
import pytest
from motion_samples import dancing_motion

from skeleton2stage.errors import UserError
from skeleton2stage.motion import skeleton
from skeleton2stage.motion.positions import read_positions
from skeleton2stage.motion.smpl_positions import LEG_M, UNITS, checked_positions, leg_length

JOINTS = dancing_motion(30).joints().astype(float)


@pytest.mark.parametrize(("unit", "size"), UNITS.items())
@pytest.mark.parametrize("height", [0.6, 1.0, 1.4])
def test_a_unit_is_told_by_the_legs(unit, size, height):
    joints, found = checked_positions(size * height * JOINTS[:, :22])
    assert found == unit
    np.testing.assert_allclose(joints, height * JOINTS[:, :22], atol=1e-9)


def test_no_length_of_legs_is_of_two_units():
    sizes = sorted(UNITS.values())
    assert all(LEG_M[1] * small < LEG_M[0] * large for small, large in zip(sizes, sizes[1:], strict=False))
    assert leg_length(JOINTS) == pytest.approx(leg_length(skeleton.rest_joints()[None]), abs=1e-6)


def kinects_order(joints):
    """The 24 joints by limbs, as other programs list them, and not by depth, as SMPL does."""
    limbs = [0, 3, 6, 9, 12, 15, 13, 16, 18, 20, 22, 14, 17, 19, 21, 23, 1, 4, 7, 10, 2, 5, 8, 11]
    return joints[:, limbs]


@pytest.mark.parametrize("content", [
    kinects_order(JOINTS), JOINTS[:, ::-1], np.random.default_rng(0).normal(0.5, 0.3, JOINTS.shape),
    JOINTS[:, np.random.default_rng(1).permutation(24)],
], ids=["by limbs", "backwards", "anything", "shuffled"])
def test_joints_of_another_order_are_refused(content):
    with pytest.raises(UserError, match="its joints are not SMPL's in SMPL's order|its legs are"):
        checked_positions(content)


def test_rotations_are_no_positions():
    with pytest.raises(UserError, match="its joints are not SMPL's|give joint positions, not rotations"):
        checked_positions(dancing_motion(30).poses.astype(float))


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_left_handed_axes_are_refused(axis):
    mirrored = JOINTS.copy()
    mirrored[..., axis] *= -1
    with pytest.raises(UserError, match="its feet point backwards: left and right are exchanged"):
        checked_positions(mirrored)


def test_exchanged_sides_are_refused_in_files_too(tmp_path):
    exchanged = JOINTS[:, skeleton.mirror_order()]
    with pytest.raises(UserError, match="left and right are exchanged"):
        checked_positions(exchanged)
    np.save(tmp_path / "a.npy", exchanged)
    with pytest.raises(UserError, match=r"a\.npy.*left and right are exchanged"):
        read_positions(tmp_path / "a.npy")


def test_a_dancer_may_look_anywhere(tmp_path):
    """Turned in any way, and with a foot that points back now and then, it is the same dancer."""
    turned = JOINTS @ np.linalg.qr(np.random.default_rng(2).normal(size=(3, 3)))[0]
    flipped = turned * [1, 1, np.linalg.det(np.linalg.lstsq(JOINTS[0], turned[0], rcond=None)[0])]
    checked_positions(flipped)
    sole = JOINTS.copy()
    sole[:10, 10] = 2 * sole[:10, 7] - sole[:10, 10]
    checked_positions(sole)
    np.save(tmp_path / "a.npy", 100 * JOINTS)
    np.testing.assert_allclose(read_positions(tmp_path / "a.npy").joints(), JOINTS, atol=1e-5)
