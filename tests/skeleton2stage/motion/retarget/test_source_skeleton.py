"""A foreign skeleton's size, axes and sides, from positions made by hand."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from naming_styles import STYLES
from scipy.spatial.transform import Rotation
from skeleton_manners import bvh_of, dance

from skeleton2stage.motion import skeleton
from skeleton2stage.motion.bvh import read_bvh
from skeleton2stage.motion.retarget.guide import (
    MAX_FOOT_PITCH_FIX_RAD,
    TARGETS,
    Alignment,
    _standing_pitch,
    alignment_of,
    guide_of,
)
from skeleton2stage.motion.retarget.joint_roles import Roles
from skeleton2stage.motion.retarget.source_skeleton import (
    SourceSkeleton,
    during,
    frame_of,
    shortest_rotation,
    smpl_rest,
    understand,
    unit,
)
from skeleton2stage.motion.retarget.zero_pose import rest_pitch, zero_pose_alignment
from skeleton2stage.motion.rotations import slerp

POSES, PELVIS = dance(40)


@pytest.fixture(scope="module")
def bvh(tmp_path_factory):
    path = tmp_path_factory.mktemp("bvh") / "a.bvh"
    path.write_text(bvh_of(POSES, PELVIS, STYLES["LAFAN1"][0]))
    return read_bvh(path)


@pytest.fixture(scope="module")
def source(bvh) -> SourceSkeleton:
    return understand(bvh)


def turned(source: SourceSkeleton, rotmat: np.ndarray) -> SourceSkeleton:
    return replace(source, position={role: value @ rotmat.T for role, value in source.position.items()})


def test_legs_are_hip_to_ankle_on_average_of_both():
    rest = {f"{side}_{part}": np.array([0.0, -height, 0.0])
            for side, heights in (("left", (0, 40, 82)), ("right", (0, 44, 90)))
            for part, height in zip(("hip", "knee", "ankle"), heights, strict=True)}
    found = SourceSkeleton(rest, {}, {})
    assert found.leg_length() == pytest.approx(86.0)
    own = smpl_rest()
    legs = sum(np.linalg.norm(own[f"{side}_{a}"] - own[f"{side}_{b}"])
               for side in ("left", "right") for a, b in (("hip", "knee"), ("knee", "ankle"))) / 2
    assert found.scale_m() == pytest.approx(legs / 86.0) and 0.7 < legs < 0.9


@pytest.mark.parametrize("axis", range(3))
@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_up_is_the_axis_along_which_heads_are_over_feet(source, axis, sign):
    start, up = source.up(), sign * np.eye(3)[axis]
    np.testing.assert_array_equal(turned(source, shortest_rotation(start, up)).up(), up)


def test_a_somersault_amid_a_clip_does_not_turn_the_world(source):
    """A third of the frames upside down."""
    upside = {role: value * np.where(np.arange(40) < 13, -1.0, 1.0)[:, None] for role, value in source.position.items()}
    np.testing.assert_array_equal(replace(source, position=upside).up(), source.up())


def test_parts_of_a_clip_are_those_of_the_whole(bvh, source):
    part = during(bvh, source, slice(10, 25))
    for role in source.position:
        np.testing.assert_allclose(part.position[role], source.position[role][10:25], atol=1e-12)
        np.testing.assert_allclose(part.rotmat[role], source.rotmat[role][10:25], atol=1e-12)
        np.testing.assert_array_equal(part.rest[role], source.rest[role])


def test_without_rotations_positions_are_the_same(bvh, source):
    bare = understand(bvh, turned=False)
    assert bare.rotmat == {} and bare.joints == source.joints
    for role in source.position:
        np.testing.assert_array_equal(bare.position[role], source.position[role])


def test_mirrored_roles_exchange_sides_and_nothing_else():
    roles = Roles({"pelvis": 0, "left_hip": 1, "right_hip": 2, "left_toe": 3, "head": 4}, sides_named=False)
    mirrored = roles.mirrored()
    assert mirrored.joints == {"pelvis": 0, "right_hip": 1, "left_hip": 2, "right_toe": 3, "head": 4}
    assert mirrored.mirrored() == roles


@pytest.mark.parametrize("seed", range(4))
def test_the_shortest_rotation_is_scipys_and_turns_no_more_than_it_must(seed):
    start, end = unit(np.random.default_rng(seed).normal(size=(2, 3)))
    found = shortest_rotation(start, end)
    angle = np.arccos(start @ end)
    np.testing.assert_allclose(found @ start, end, atol=1e-12)
    assert Rotation.from_matrix(found).magnitude() == pytest.approx(angle)
    axis = unit(np.cross(start, end))
    np.testing.assert_allclose(found, Rotation.from_rotvec(angle * axis).as_matrix(), atol=1e-9)


def test_a_frame_has_its_first_direction_and_the_plane_of_both():
    first, second = np.array([2.0, 0.0, 0.0]), np.array([5.0, 0.0, 3.0])
    np.testing.assert_allclose(frame_of(first, second), np.array([[1, 0, 0], [0, 0, -1], [0, 1, 0]]), atol=1e-12)
    found = frame_of(*np.random.default_rng(0).normal(size=(2, 3)))
    np.testing.assert_allclose(found.T @ found, np.eye(3), atol=1e-12)
    assert np.linalg.det(found) == pytest.approx(1.0)


def test_vectors_without_length_stay():
    np.testing.assert_array_equal(unit(np.zeros((2, 3))), np.zeros((2, 3)))
    np.testing.assert_allclose(unit(np.array([[3.0, 0.0, 4.0]])), [[0.6, 0.0, 0.8]])


def test_a_guide_has_its_targets_where_the_scaled_source_has_them(bvh, source):
    up = source.up()
    guide = guide_of(source, up, alignment_of(bvh, source, up))
    to_world = shortest_rotation(up, np.array([0.0, 0.0, 1.0]))
    for place, role in enumerate(TARGETS.values()):
        expected = source.scale_m() * source.position[role] @ to_world.T
        np.testing.assert_allclose(guide.targets_w[:, place], expected, atol=1e-12)
    assert guide.targets_w.shape == (40, 14, 3) and guide.rotmat_w.shape == (40, 24, 3, 3)


def test_bones_that_a_source_lacks_lie_between_those_it_has(bvh, source):
    guide = guide_of(source, source.up(), alignment_of(bvh, source, source.up()))
    bone = {name: guide.rotmat_w[:, joint] for joint, name in enumerate(skeleton.joint_names())}
    torch.testing.assert_close(bone["spine1"], slerp(bone["pelvis"], bone["spine3"], 1 / 3))
    torch.testing.assert_close(bone["spine2"], slerp(bone["pelvis"], bone["spine3"], 2 / 3))
    for side in ("left", "right"):
        torch.testing.assert_close(bone[f"{side}_hand"], bone[f"{side}_wrist"])
        torch.testing.assert_close(bone[f"{side}_foot"], bone[f"{side}_ankle"])


def test_a_source_without_neck_and_collars_is_filled_in(bvh, source):
    alignment = alignment_of(bvh, source, source.up())
    lacking = ("neck", "left_collar", "right_collar")
    bare = replace(source, **{
        name: {role: value for role, value in getattr(source, name).items() if role not in lacking}
        for name in ("rest", "rotmat", "position")
    })
    kept = Alignment({r: v for r, v in alignment.by_role.items() if r not in lacking}, alignment.rest_pose)
    guide = guide_of(bare, source.up(), kept)
    bone = {name: guide.rotmat_w[:, joint] for joint, name in enumerate(skeleton.joint_names())}
    torch.testing.assert_close(bone["left_collar"], bone["spine3"])
    torch.testing.assert_close(bone["neck"], slerp(bone["spine3"], bone["head"], 0.5))
    head, neck = (list(TARGETS).index(name) for name in ("head", "neck"))
    torch.testing.assert_close(guide.targets_w[:, neck], guide.targets_w[:, head])  # asked for twice


UP, FPS = np.array([0.0, 1.0, 0.0]), 30.0


def standing_with(source: SourceSkeleton, by_rad: float, n_still: int = 40) -> SourceSkeleton:
    """The left foot at rest for a while, then lifted; it points further up than in the zero pose by an angle."""
    angle, reach = rest_pitch(source, "left") + by_rad, 10.0
    ankle = np.tile([0.0, 8.0, 0.0], (120, 1))
    ankle[n_still:, 1] = 50.0 + np.arange(120 - n_still)
    toe = ankle + reach * np.array([0.0, np.sin(angle), np.cos(angle)])
    return replace(source, position=source.position | {"left_ankle": ankle, "left_toe": toe})


@pytest.mark.parametrize(("by_rad", "told"), [
    (0.0, 0.0), (0.2, 0.2), (-0.2, -0.2), (0.6, MAX_FOOT_PITCH_FIX_RAD), (-0.6, -MAX_FOOT_PITCH_FIX_RAD),
])
def test_how_a_flat_foot_is_drawn_is_read_off_where_it_stands(source, by_rad, told):
    assert _standing_pitch(standing_with(source, by_rad), "left", UP, FPS) == pytest.approx(told, abs=1e-9)


@pytest.mark.parametrize(("n_still", "told"), [(9, 0.2), (6, 0.0)])
def test_a_quarter_second_of_standing_is_needed_for_that(source, n_still, told):
    assert _standing_pitch(standing_with(source, 0.2, n_still), "left", UP, FPS) == pytest.approx(told, abs=1e-9)


def test_a_foot_without_a_toe_is_taken_as_drawn(source):
    bare = {name: {role: value for role, value in getattr(source, name).items() if not role.endswith("toe")}
            for name in ("rest", "rotmat", "position")}
    toeless = replace(source, **bare)
    assert _standing_pitch(toeless, "left", UP, FPS) == 0.0
    found = zero_pose_alignment(toeless, {"left": 0.0, "right": 0.0})
    np.testing.assert_allclose(found["left_ankle"], found["pelvis"])
