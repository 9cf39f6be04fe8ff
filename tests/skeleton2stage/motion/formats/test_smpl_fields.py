"""Names, shapes, genders and families as files have them; what is believed instead of a file."""

import numpy as np
import pytest

from skeleton2stage.errors import UserError
from skeleton2stage.motion.formats.file_listing import labelled
from skeleton2stage.motion.formats.format_choice import format_choice
from skeleton2stage.motion.formats.humanml3d import joints_of_features
from skeleton2stage.motion.formats.motion_file import Believed, RawMotion, as_motion_file, to_fps
from skeleton2stage.motion.formats.smpl_fields import (
    family_in,
    gender_of,
    has_smpl,
    poses_in,
    rate_of,
    shape_in,
    translation_in,
)
from skeleton2stage.motion.motion import Motion

T = 6
POSES, TRANS = np.random.default_rng(0).normal(size=(T, 24, 3)), np.random.default_rng(1).normal(size=(T, 3))


@pytest.mark.parametrize("name", ["poses", "smpl_poses", "pose_aa", "fullpose", "thetas", "bodyPose"])
@pytest.mark.parametrize("width", [24, 52, 55, 22])
@pytest.mark.parametrize("flat", [True, False])
def test_rotations_of_any_family_are_smpls(name, width, flat):
    """Fingers and face go; of 22 joints the hands are straight."""
    whole = np.random.default_rng(2).normal(size=(T, width, 3))
    found = poses_in({name: whole.reshape(T, -1) if flat else whole})
    assert found.shape == (T, 24, 3)
    np.testing.assert_array_equal(found[:, :22], whole[:, :22])
    if width != 24:
        assert not found[:, 22:].any()


@pytest.mark.parametrize(("root", "body"), [("global_orient", "body_pose"), ("root_orient", "pose_body")])
@pytest.mark.parametrize("n_body", [21, 23])
def test_rotations_in_two_parts_are_one(root, body, n_body):
    found = poses_in({root: POSES[:, 0], body: POSES[:, 1 : 1 + n_body].reshape(T, -1)})
    np.testing.assert_array_equal(found[:, : 1 + min(n_body, 21)], POSES[:, : 1 + min(n_body, 21)])


def test_parts_of_different_lengths_are_told():
    with pytest.raises(UserError, match="its 'global_orient' has 6 frames, and its 'body_pose' 5"):
        poses_in({"global_orient": POSES[:, 0], "body_pose": POSES[1:, 1:22].reshape(5, -1)})


def test_the_whole_is_taken_before_parts_where_it_is_called_so():
    """AMASS has poses beside root_orient; elsewhere a `pose` may be the body's alone."""
    parts = {"root_orient": np.zeros((T, 3)), "pose_body": np.zeros((T, 63))}
    assert poses_in(parts | {"poses": POSES}).any()
    assert not poses_in(parts | {"pose": POSES}).any()


@pytest.mark.parametrize("shape", [(T, 3), (1, T, 3), (T, 1, 3)])
def test_translations_may_have_an_axis_of_one(shape):
    np.testing.assert_array_equal(translation_in({"trans": TRANS.reshape(shape)}), TRANS)


@pytest.mark.parametrize("shape", [(T, 2), (3,), (2, 3, 3)])
def test_other_translations_are_told(shape):
    with pytest.raises(UserError, match=r"its 'transl' is \[.*\] where \[T, 3\] was expected"):
        translation_in({"transl": np.zeros(shape)})


@pytest.mark.parametrize(("content", "is_smpl"), [
    ({"poses": POSES, "trans": TRANS}, True), ({"poses": POSES}, False), ({"trans": TRANS}, False),
    ({"global_orient": POSES, "transl": TRANS}, False),
    ({"global_orient": POSES, "body_pose": POSES, "transl": TRANS}, True), ([POSES], False),
    ({"poses": None, "trans": TRANS}, False),
])
def test_motion_takes_rotations_and_a_place(content, is_smpl):
    assert has_smpl(content) == is_smpl


@pytest.mark.parametrize(("value", "gender"), [
    ("male", "male"), ("Female", "female"), (b"female", "female"), ("b'male'", "male"), ("m", "male"), ("F", "female"),
    (np.array("male"), "male"), (np.array([b"female"]), "female"), (["n"], "neutral"), (np.array(["male"] * 4), "male"),
    (1, "male"), (2, "female"), (0, "neutral"), ("", "neutral"), ([], "neutral"), ("unknown", "neutral"),
    (None, "neutral"),
])
def test_genders_in_every_spelling(value, gender):
    assert gender_of(value) == gender


@pytest.mark.parametrize(("content", "family"), [
    ({"surface_model_type": "smplx"}, "smplx"), ({"model_type": "SMPL-H"}, "smplh"), ({"model": "b'smplx'"}, "smplx"),
    ({"model": np.array("smpl")}, "smpl"), ({"model": "vit_b", "poses": np.zeros((T, 72))}, "smpl"),
    ({"poses": np.zeros((T, 156))}, "smplh"), ({"poses": np.zeros((T, 55, 3))}, "smplx"), ({"poses": np.zeros(72)}, ""),
    ({}, ""), ({"poses": np.zeros((T, 66))}, ""),
])
def test_the_family_is_said_or_told_by_the_width(content, family):
    assert family_in(content) == family


@pytest.mark.parametrize(("betas", "expected"), [
    (np.arange(10.0), tuple(range(10))), (np.stack([np.zeros(10), np.ones(10)]), (0.5,) * 10),
    (np.ones((1, 10)), (1.0,) * 10), (np.full((T, 1, 16), 2.0), (2.0,) * 16),
])
def test_shapes_are_means_over_frames(betas, expected):
    shape = shape_in({"betas": betas, "gender": "f"}, "smplh")
    assert shape.betas == pytest.approx(expected) and (shape.gender, shape.family) == ("female", "smplh")


@pytest.mark.parametrize("betas", ["none", np.full(10, np.nan), np.zeros(0), np.zeros(401), np.float64(1.0)])
def test_what_is_no_shape_is_none(betas):
    assert shape_in({"betas": betas}) is None and shape_in({}) is None


@pytest.mark.parametrize("name", ["mocap_framerate", "mocap_frame_rate", "fps", "frameRate"])
def test_rates_under_their_names(name):
    assert rate_of({name: np.array(120.0)}) == 120.0 and rate_of({"rate": 30}) is None


@pytest.mark.parametrize(("text", "name", "believed"), [
    ("amass", "amass", Believed()), ("auto@60", "auto", Believed(60.0)), ("amass@-y", "amass", Believed(None, "-y")),
    ("my.py:read@25@y", "my.py:read", Believed(25.0, "y")), ("@29.97", "auto", Believed(29.97)),
    ("smpl@y@50", "smpl", Believed(50.0, "y")),
])
def test_what_is_asked_for_after_the_format(text, name, believed):
    choice = format_choice(text)
    assert (choice.name, choice.believed) == (name, believed)


@pytest.mark.parametrize("part", ["0", "-30", "x", "inf", "nan", "", "30fps"])
def test_what_is_neither_rate_nor_axis_is_told_with_the_choices(part):
    with pytest.raises(UserError, match=rf"format=amass@{part}: after @ comes a frame rate above 0 .*\(z, y, -y, -z\)"):
        format_choice(f"amass@{part}")


def upright(n: int, fps: float) -> Motion:
    poses = np.zeros((n, 24, 3))
    poses[:, 0, 0] = np.pi / 2
    poses[:, 16, 2] = np.arange(n) / fps
    return Motion(poses, np.stack([np.arange(n) / fps, np.zeros(n), np.full(n, 0.95)], axis=1), fps)


@pytest.mark.parametrize(("fps", "n", "frames"), [
    (60, 61, 31), (120, 121, 31), (30, 31, 31), (25, 26, 31), (29.97, 31, 31),
])
def test_any_rate_becomes_thirty_a_second_with_the_same_seconds(fps, n, frames):
    found = to_fps(upright(n, fps), 30.0)
    assert (len(found), found.fps) == (frames, 30.0)
    np.testing.assert_allclose(found.translation[:, 0], np.arange(frames) / 30, atol=2e-4 * 31)
    np.testing.assert_allclose(found.poses[:, 16, 2], np.arange(frames) / 30, atol=2e-4 * 31)


@pytest.mark.parametrize(("fps", "contacts"), [(60.0, True), (50.0, False)])
def test_contacts_go_along_where_frames_are_the_files_own(fps, contacts):
    motion = upright(21, fps)
    marked = Motion(motion.poses, motion.translation, fps, contacts=(np.arange(84) % 2).reshape(21, 4))
    found = to_fps(marked, 30.0).contacts
    assert (found is None) != contacts
    if contacts:
        np.testing.assert_array_equal(found, marked.contacts[::2])


@pytest.mark.parametrize(("change", "words"), [
    (lambda raw: RawMotion(raw.poses * 40, raw.translation, 30, "z"), "look like degrees"),
    (lambda raw: RawMotion(raw.poses, raw.translation + [0, 0, 99.0], 30, "z"), "99 m high|looks like centimetres"),
    (lambda raw: RawMotion(raw.poses, raw.translation + [0, 0, 999.0], 30, "z"), "looks like millimetres"),
    (lambda raw: RawMotion(raw.poses, raw.translation * [16.0, 1, 1], 30, "z"), "pelvis goes at 16 m/s"),
    (lambda raw: RawMotion(raw.poses, raw.translation, None, "z"), "does not say its frame rate"),
])
def test_numbers_that_are_no_bodys_are_told(change, words):
    motion = upright(31, 30.0)
    raw = RawMotion(motion.poses, motion.translation, 30, "z")
    assert len(as_motion_file("amass", raw).motion) == 31
    with pytest.raises(UserError, match=words):
        as_motion_file("amass", change(raw))


@pytest.mark.parametrize("height", [59.0, 131.0, 599.0, 1301.0])
def test_a_tower_may_be_danced_on(height):
    motion = upright(31, 30.0)
    raised = RawMotion(motion.poses, motion.translation * [1, 1, 0] + [0, 0, height], 30, "z")
    assert as_motion_file("amass", raised).motion.translation[0, 2] == pytest.approx(height)


def test_what_is_believed_goes_before_the_file():
    motion = upright(61, 30.0)
    raw = RawMotion(motion.poses, motion.translation, 30.0, "z")
    found = as_motion_file("amass", raw, Believed(60.0))
    assert (found.source_fps, len(found.motion), found.source_frames) == (60.0, 31, 61)
    turned = as_motion_file("amass", raw, Believed(None, "-z"))
    assert turned.up_axis == "-z" and turned.motion.joints()[0, 15, 2] < turned.motion.joints()[0, 7, 2]


def test_features_of_a_walk_round_a_corner_by_hand():
    """The root goes 0.1 ahead a frame and turns by 90 degrees from frame 1 to 2, of which half is in the features."""
    features = np.zeros((4, 263))
    features[:, -4:] = 1.0
    features[1, 0] = np.pi / 4
    features[:, 2], features[:, 3] = 0.1, 0.9
    features[:, 4:7] = [0.0, 0.5, 0.2]  # a joint ahead of the root
    joints = joints_of_features(features)
    assert joints.shape == (4, 22, 3)
    np.testing.assert_allclose(joints[:2, 0], [[0, 0.9, 0], [0, 0.9, 0.1]], atol=1e-12)
    np.testing.assert_allclose(joints[1, 1], [0, 0.5, 0.3], atol=1e-12)
    ahead = joints[2, 1] - joints[2, 0]
    np.testing.assert_allclose(ahead, [-0.2, -0.4, 0.0], atol=1e-12)  # z, turned to -x
    np.testing.assert_allclose(joints[3, 0] - joints[2, 0], [-0.1, 0, 0], atol=1e-12)


@pytest.mark.parametrize(("label", "name"), [
    ("", "a.pkl"), ("ann", "a_ann.pkl"), ("x/y z", "a_x_y_z.pkl"), ("é.1", "a_é.1.pkl"),
])
def test_one_of_several_goes_under_the_files_name_and_its_own(tmp_path, label, name):
    assert labelled(tmp_path / "a.pkl", label) == tmp_path / name
