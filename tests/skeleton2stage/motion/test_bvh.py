import numpy as np
import pytest
from bvh_samples import HEADER, motion_text

from skeleton2stage.errors import UserError
from skeleton2stage.motion.bvh import local_transforms, read_bvh, rest_positions, world_transforms

REST = [0.0] * 9


def read(tmp_path, text):
    (tmp_path / "a.bvh").write_text(text)
    return read_bvh(tmp_path / "a.bvh")


def joints(bvh):
    return world_transforms(bvh.parents, *local_transforms(bvh))[1]


def test_hierarchy(tmp_path):
    bvh = read(tmp_path, HEADER + motion_text([REST, REST], 0.008333))
    assert bvh.names == ("Hips", "Arm", "Arm_end")
    assert bvh.parents == (-1, 0, 1)
    assert bvh.channels[1] == ("Yrotation", "Zrotation", "Xrotation") and bvh.channels[2] == ()
    np.testing.assert_array_equal(rest_positions(bvh), [[0, 0, 0], [0, 2, 0], [1, 2, 0]])


@pytest.mark.parametrize(
    ("frame_time_s", "fps"), [(0.008333, 120), (0.033333, 30), (0.0416667, 24), (0.027, 1 / 0.027)]
)
def test_rounded_frame_times(tmp_path, frame_time_s, fps):
    (tmp_path / "a.bvh").write_text(HEADER + motion_text([REST], 1).replace("1.000000", str(frame_time_s)))
    assert read_bvh(tmp_path / "a.bvh").fps == pytest.approx(fps, rel=1e-9)


def test_root_position_replaces_its_offset(tmp_path):
    bvh = read(tmp_path, HEADER + motion_text([[5, 6, 7] + [0] * 6], 0.1))
    np.testing.assert_allclose(joints(bvh)[0], [[5, 6, 7], [5, 8, 7], [6, 8, 7]], atol=1e-12)


def test_turned_root_carries_the_arm(tmp_path):
    bvh = read(tmp_path, HEADER + motion_text([[0, 0, 0, 90, 0, 0, 0, 0, 0]], 0.1))
    # 90 degrees about z: up (0, 2, 0) becomes (-2, 0, 0), the hand's (1, 0, 0) becomes (0, 1, 0).
    np.testing.assert_allclose(joints(bvh)[0], [[0, 0, 0], [-2, 0, 0], [-2, 1, 0]], atol=1e-12)


def test_rotations_multiply_in_file_order(tmp_path):
    # The arm's order is Y Z X: R = Ry Rz Rx, so (1, 0, 0) is turned by z first, to (0, 1, 0), where y leaves it.
    bvh = read(tmp_path, HEADER + motion_text([[0, 0, 0, 0, 0, 0, 90, 90, 0]], 0.1))
    np.testing.assert_allclose(joints(bvh)[0, 2], [0, 3, 0], atol=1e-12)
    # The root's order is Z X Y: R = Rz Rx Ry takes (1, 0, 0) by y to (0, 0, -1), by x to (0, 1, 0), by z to (-1, 0, 0).
    bvh = read(tmp_path, HEADER + motion_text([[0, 0, 0, 90, 90, 90, 0, 0, 0]], 0.1))
    rotmat = world_transforms(bvh.parents, *local_transforms(bvh))[0][0, 0]
    np.testing.assert_allclose(rotmat @ [1, 0, 0], [-1, 0, 0], atol=1e-12)


GOOD = HEADER + motion_text([REST, REST], 0.1)
BAD = {
    "foreign": ("ply\nformat ascii 1.0\n", "does not begin with HIERARCHY"),
    "binary": ("\x00\x01PK", "does not begin with HIERARCHY"),
    "no motion": (HEADER, "no MOTION"),
    "short motion": (GOOD[:-12], "cut short"),
    "short hierarchy": (HEADER[:-30] + "\nMOTION\nFrames: 0\nFrame Time: 0.1\n", "hierarchy"),
    "letters": (GOOD.replace("0.000000", "x", 1), "damaged"),
    "nan": (GOOD.replace("0.000000", "nan", 1), "no usable motion"),
    "no frames": (HEADER + motion_text([], 0.1), "no usable motion"),
    "no time": (HEADER + motion_text([REST], 0), "frame time of 0.000000"),
    "channel": (GOOD.replace("Yrotation", "Wrotation"), "Wrotation.*choose one of.*Xposition"),
    "channel count": (GOOD.replace("CHANNELS 3", "CHANNELS nan"), "CHANNELS"),
    "offset": (GOOD.replace("OFFSET 1.0 2.0", "OFFSET 1.0 two"), "expected a number"),
    "stray word": (GOOD.replace("JOINT Arm", "LIMB Arm"), "LIMB"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_file_is_one_sentence_with_its_name(tmp_path, name):
    text, words = BAD[name]
    with pytest.raises(UserError, match=words) as caught:
        read(tmp_path, text)
    assert "a.bvh" in str(caught.value) and "\n" not in str(caught.value)


def test_missing_file(tmp_path):
    with pytest.raises(UserError, match="none.bvh"):
        read_bvh(tmp_path / "none.bvh")
