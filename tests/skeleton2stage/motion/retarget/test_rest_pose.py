from dataclasses import replace

import numpy as np
import pytest
from naming_styles import STYLES
from scipy.spatial.transform import Rotation
from skeleton_manners import NAMES, along, bvh_of, dance, misses

from skeleton2stage.errors import UserError
from skeleton2stage.motion.bvh import read_bvh
from skeleton2stage.motion.retarget.motion_alignment import motion_alignment
from skeleton2stage.motion.retarget.retarget import retarget
from skeleton2stage.motion.retarget.source_skeleton import understand
from skeleton2stage.motion.retarget.zero_pose import rest_frame, why_not_standing, zero_pose_alignment

LAFAN = STYLES["LAFAN1"][0]
POSES, PELVIS = dance(90)
ARMS, LEGS = ("collar", "shoulder", "elbow", "wrist"), ("hip", "knee", "ankle", "foot")


def written(tmp_path, axes=None, n_frames=90, **options):
    (tmp_path / "a.bvh").write_text(bvh_of(POSES[:n_frames], PELVIS[:n_frames], LAFAN, axes=axes, **options))
    return read_bvh(tmp_path / "a.bvh")


def only(parts):
    """Return axes along x for some parts of limbs, none for the rest: the zero pose is odd in them alone."""
    axes = np.tile(np.eye(3), (len(NAMES), 1, 1))
    for joint, name in enumerate(NAMES):
        if name.partition("_")[2] in parts:
            axes[joint] = along("x")[joint]
    return axes


def mirrored():
    """Return axes along x on the left and against it on the right, as Unreal's rigs have them."""
    turn = np.diag([-1.0, -1.0, 1.0])
    return np.stack([axes @ turn if name.startswith("right") else axes
                     for name, axes in zip(NAMES, along("x"), strict=True)])


LYING_ODDLY = {
    "x": along("x"), "y": along("y"), "z": along("z"), "mirrored": mirrored(), "arms alone": only(ARMS),
    "legs alone": only(LEGS), "at random": Rotation.random(len(NAMES), random_state=3).as_matrix(),
}


@pytest.mark.parametrize("name", LYING_ODDLY)
def test_zero_poses_that_no_body_can_have_are_told_and_the_motion_comes_back(tmp_path, name):
    motion, report = retarget(written(tmp_path, LYING_ODDLY[name]))
    away_m, turned_rad = misses(motion, POSES, PELVIS)
    assert report.rest_pose == "motion" and away_m < 0.01 and np.degrees(turned_rad) < 5


@pytest.mark.parametrize("turn_deg", [(0, 180, 0), (0, 45, 0), (90, 0, 0), (30, 45, 70)])
def test_a_zero_pose_that_stands_in_another_direction_is_one(tmp_path, turn_deg):
    axes = np.tile(Rotation.from_euler("xyz", turn_deg, degrees=True).as_matrix(), (len(NAMES), 1, 1))
    motion, report = retarget(written(tmp_path, axes))
    away_m, turned_rad = misses(motion, POSES, PELVIS)
    assert report.rest_pose == "zero pose" and away_m < 0.01 and np.degrees(turned_rad) < 3


@pytest.mark.parametrize(("side_deg", "fore_deg"), [(-60, 0), (-85, 0), (0, 70), (40, 0)])
def test_arms_may_be_held_anyhow_in_the_zero_pose(tmp_path, side_deg, fore_deg):
    axes = np.tile(np.eye(3), (len(NAMES), 1, 1))
    for side, sign in (("left", 1), ("right", -1)):
        turn = Rotation.from_euler("zy", [sign * side_deg, -sign * fore_deg], degrees=True).as_matrix()
        for part in ("shoulder", "elbow", "wrist"):
            axes[NAMES.index(f"{side}_{part}")] = turn.T
    motion, report = retarget(written(tmp_path, axes))
    away_m, turned_rad = misses(motion, POSES, PELVIS)
    assert report.rest_pose == "zero pose" and away_m < 0.01 and np.degrees(turned_rad) < 5


def test_without_toes_the_foot_goes_on_from_the_shin(tmp_path):
    bvh = written(tmp_path, along("x"), left_out=("left_hand", "right_hand", "left_foot", "right_foot"))
    source = understand(bvh)
    bare = {name: {role: value for role, value in getattr(source, name).items() if not role.endswith("toe")}
            for name in ("rest", "rotmat", "position")}
    with_toes, without = (motion_alignment(found, found.up(), 30.0, "") for found in (source, replace(source, **bare)))
    turned = Rotation.from_matrix(with_toes["left_ankle"].T @ without["left_ankle"]).magnitude()
    assert np.degrees(turned) < 15


def test_a_clip_too_short_to_tell_is_refused(tmp_path):
    with pytest.raises(UserError, match="not one of a standing body .* and 20 frames are too few"):
        retarget(written(tmp_path, along("x"), 20))
    assert len(retarget(written(tmp_path, None, 20))[0]) == 20


def test_knees_that_bend_as_no_hinge_does_are_refused(tmp_path):
    source = understand(written(tmp_path, along("x")))
    about = Rotation.from_euler("y", np.linspace(0, 360, 90)[:, None], degrees=True).as_matrix()
    knee = source.position["left_knee"]
    around = knee + np.einsum("tij,tj->ti", about, np.array([35.0, -25.0, 0.0]) * np.ones((90, 1)))
    odd = replace(source, position=source.position | {"left_ankle": around})
    with pytest.raises(UserError, match="left knee bends as no hinge does"):
        motion_alignment(odd, source.up(), 30.0, "")


@pytest.mark.parametrize(("change", "why"), [
    ({"left_knee": "left_hip"}, "no length"), ({"head": "left_ankle"}, "square|head"),
    ({"left_wrist": "right_wrist"}, "mirror"),
])
def test_why_a_zero_pose_is_none(tmp_path, change, why):
    source = understand(written(tmp_path))
    assert why_not_standing(source) == ""
    moved = {role: source.rest[other] for role, other in change.items()}
    found = why_not_standing(replace(source, rest=source.rest | moved))
    assert any(word in found for word in why.split("|"))


def test_both_ways_agree_where_both_can_tell(tmp_path):
    source = understand(written(tmp_path))
    told = zero_pose_alignment(source, {"left": 0.0, "right": 0.0})
    seen = motion_alignment(source, source.up(), 30.0, "")
    for role in ("pelvis", "chest", "left_hip", "right_knee", "left_shoulder", "right_elbow"):
        turned = Rotation.from_matrix(told[role].T @ seen[role]).magnitude()
        assert np.degrees(turned) < 8, role
    np.testing.assert_allclose(rest_frame(source), np.eye(3), atol=1e-12)
