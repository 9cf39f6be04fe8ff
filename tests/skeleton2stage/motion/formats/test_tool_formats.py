"""What trackers, data sets and exporters write, read as the one motion that all of these files hold."""

import pickle

import numpy as np
import pytest
from motion_samples import Y_UP, lying_motion, upright_motion
from tool_samples import (
    AS_SEEN,
    N_FRAMES,
    TOOLS,
    amass,
    dance,
    features_of,
    in_axes,
    joints_y_up,
    matrices,
    rot6d,
    tram_content,
    wham_person,
    write_mdm,
    write_mdm_smpl,
    write_phalp,
    write_rot6d,
    write_smpl72,
    write_wham,
)

from skeleton2stage.errors import UserError
from skeleton2stage.motion import skeleton
from skeleton2stage.motion.formats.format_table import FILE_FORMATS, may_hold_motion
from skeleton2stage.motion.formats.motion_file import Believed, NotAMotion
from skeleton2stage.motion.formats.read_motion import FORMATS, read_motion, read_motion_file, read_motion_files


def placed(joints):
    """Joints [T, 24, 3] with the first pelvis at the origin: trackers put their worlds where they like."""
    return joints - joints[:1, :1]


@pytest.mark.parametrize("name", TOOLS)
def test_every_tools_file_is_the_motion_in_it(tmp_path, name):
    write, file, kind, n_motions, gender = TOOLS[name]
    write(tmp_path / file)
    found = read_motion_files(tmp_path / file)
    assert [one.format for one in found] == [kind] * n_motions
    assert len({one.label for one in found}) == n_motions and (n_motions > 1 or found[0].label == "")
    for one in found:
        assert (one.source_fps, one.source_frames, one.motion.fps) == (30, N_FRAMES, 30)
        np.testing.assert_allclose(placed(one.motion.joints()), placed(dance().joints()), atol=2e-4)
        np.testing.assert_allclose(matrices(one.motion.poses), matrices(dance().poses), atol=1e-4)
    shape = found[0].motion.shape
    assert (shape and shape.gender) == gender and (gender is None or shape.betas[:10] == (0.5,) * 10)


def test_every_format_of_the_table_has_a_test():
    tried = {kind for _, _, kind, _, _ in TOOLS.values()}
    elsewhere = {"aistpp", "edge_split", "edge_sliced", "popdance", "popdance_split", "popdance_sliced", "written",
                 "mdm", "mdm_smpl", "humanml3d", "bailando", "positions", "joints"}  # in this file and test_formats.py
    assert tried | elsewhere == {kind.name for kind in FILE_FORMATS} and {"bvh"} | tried | elsewhere == set(FORMATS)


@pytest.mark.parametrize(("name", "family"), [
    ("wham", "smpl"), ("gvhmr", "smplx"), ("amass", "smplh"), ("smpl72", "smpl"), ("motionx", "smplx"),
])
def test_whose_shapes_the_coefficients_are_of(tmp_path, name, family):
    write, file, *_ = TOOLS[name]
    write(tmp_path / file)
    assert read_motion(tmp_path / file).shape.family == family


# What is assumed is said; what cannot be known is asked for.


@pytest.mark.parametrize("name", ["wham", "gvhmr", "phalp", "tram", "prompthmr", "slahmr", "motionx", "finedance"])
def test_an_assumed_rate_is_said_and_another_can_be_given(tmp_path, name):
    write, file, kind, *_ = TOOLS[name]
    write(tmp_path / file)
    assert any("30 fps assumed" in note for note in read_motion_files(tmp_path / file)[0].notes)
    faster = read_motion_files(tmp_path / file, f"{kind}@60")[0]
    assert faster.source_fps == 60 and len(faster.motion) == N_FRAMES / 2
    np.testing.assert_allclose(placed(faster.motion.joints()), placed(dance().joints()[::2]), atol=2e-4)
    assert read_motion_files(tmp_path / file, "auto", Believed(fps=60))[0].source_fps == 60


@pytest.mark.parametrize("name", ["gvhmr_in_camera", "phalp", "tram"])
def test_the_cameras_frame_is_said(tmp_path, name):
    write, file, *_ = TOOLS[name]
    write(tmp_path / file)
    found = read_motion_files(tmp_path / file)[0]
    assert found.up_axis == "-y" and any("camera" in note for note in found.notes)


def test_a_file_without_a_rate_is_asked_for_it(tmp_path):
    amass(tmp_path / "a_poses.npz", mocap_framerate=None)
    with pytest.raises(UserError, match=r"frame rate.*format=amass@RATE.*clips=FILE.json"):
        read_motion(tmp_path / "a_poses.npz")
    np.testing.assert_allclose(read_motion(tmp_path / "a_poses.npz", "auto@30").joints(), dance().joints(), atol=1e-5)
    write_smpl72(tmp_path / "b.npz")
    wrong = read_motion_file(tmp_path / "b.npz", "smpl@60")
    assert (wrong.source_fps, len(wrong.motion)) == (60, 30)


@pytest.mark.parametrize("fps", [30 / 1.001, 60 / 1.001, 25.0])
def test_rates_near_ours_are_not_taken_for_it(tmp_path, fps):
    n_frames = round(300 * fps) + 1  # five minutes, at whose end a rate taken for 30 would be 0.3 s off
    poses = np.zeros((n_frames, 24, 3))
    poses[:, 0, 0] = np.pi / 2
    seconds = np.arange(n_frames) / fps
    poses[:, 16, 2] = 0.6 * np.sin(2 * seconds)
    np.savez(tmp_path / "a.npz", poses=poses.reshape(-1, 72), trans=np.zeros((n_frames, 3)) + [0, 0, 0.95], fps=fps)
    motion = read_motion(tmp_path / "a.npz")
    times = np.arange(len(motion)) / 30
    assert abs(times[-1] - 300) < 0.04
    np.testing.assert_allclose(motion.poses[:, 16, 2], 0.6 * np.sin(2 * times), atol=2e-3)


def test_up_is_told_by_head_and_feet_and_can_be_given(tmp_path):
    amass(tmp_path / "a_poses.npz", axes=Y_UP)
    found = read_motion_file(tmp_path / "a_poses.npz")
    assert found.up_axis == "y" and "y is up, by head and feet, where amass files have z up" in found.notes
    upside_down = read_motion_file(tmp_path / "a_poses.npz", "amass@-y")  # who names an axis is believed
    heights = upside_down.motion.joints()[:, [7, 15], 2].mean(axis=0)
    assert upside_down.up_axis == "-y" and heights[0] - heights[1] > 1


def test_who_lies_down_is_not_stood_up(tmp_path):
    lying = lying_motion(N_FRAMES)  # the head along y all the time, as in a file with y up
    np.savez(tmp_path / "a.npz", poses=lying.poses.reshape(-1, 72), trans=lying.translation, mocap_framerate=30)
    with pytest.raises(UserError, match="format=auto@z"):
        read_motion(tmp_path / "a.npz")
    np.testing.assert_allclose(read_motion(tmp_path / "a.npz", "auto@z").joints(), lying.joints(), atol=1e-5)


@pytest.mark.parametrize("text", ["amass@fast", "amass@0", "amass@-30", "auto@x", "auto@nan"])
def test_what_is_believed_is_a_rate_or_an_axis(tmp_path, text):
    with pytest.raises(UserError, match="after @ comes a frame rate above 0 or the axis"):
        read_motion(tmp_path / "a.npz", text)


# People who come and go.


def test_a_file_of_several_is_several_motions_and_not_one(tmp_path):
    write_wham(tmp_path / "wham_output.pkl", wham_person(), wham_person(slice(0, 20)))
    found = read_motion_files(tmp_path / "wham_output.pkl")
    assert [(one.label, len(one.motion)) for one in found] == [("0", N_FRAMES), ("1", 20)]
    with pytest.raises(UserError, match="holds 2 motions .*motion.convert source=.*wham_output.pkl"):
        read_motion(tmp_path / "wham_output.pkl")


def test_short_gaps_are_bridged_and_long_ones_part(tmp_path):
    kept = np.r_[0:10, 14:30, 50:60]
    write_wham(tmp_path / "a.pkl", wham_person(kept))
    first, second = read_motion_files(tmp_path / "a.pkl")
    assert (first.label, len(first.motion), second.label, len(second.motion)) == ("from0", 30, "from50", 10)
    assert "4 frames without this person bridged" in first.notes and len(second.notes) == 1
    truth = placed(dance().joints())
    np.testing.assert_allclose(placed(first.motion.joints()), truth[:30], atol=0.03)
    np.testing.assert_allclose(placed(second.motion.joints()), placed(dance().joints()[50:]), atol=2e-4)


def test_frames_in_which_4d_humans_only_guesses_are_left_out(tmp_path):
    write_phalp(tmp_path / "a.pkl", lambda person, frame: person == 2 or not 20 <= frame < 25)
    found = {one.label: one for one in read_motion_files(tmp_path / "a.pkl")}
    assert "5 frames without this person bridged" in found["7"].notes
    np.testing.assert_allclose(placed(found["7"].motion.joints()), placed(dance().joints()), atol=0.03)
    apart = found["7"].motion.translation - found["2"].motion.translation
    np.testing.assert_allclose(apart, np.tile([2.0, 0, 0], (N_FRAMES, 1)), atol=5e-3)


def test_frame_numbers_that_do_not_ascend_are_refused(tmp_path):
    person = wham_person()
    write_wham(tmp_path / "a.pkl", person | {"frame_ids": person["frame_ids"][::-1]})
    with pytest.raises(UserError, match="60 frame numbers do not go with its 60 frames"):
        read_motion(tmp_path / "a.pkl")


def test_tram_is_carried_by_its_camera(tmp_path):
    """A camera that turns about the vertical and walks sees someone whose place in the world is the known one."""
    angle = 0.01 * np.arange(N_FRAMES)
    turn = np.zeros((N_FRAMES, 3, 3))
    for frame, a in enumerate(angle):
        turn[frame] = [[np.cos(a), 0, np.sin(a)], [0, 1, 0], [-np.sin(a), 0, np.cos(a)]]
    place = np.stack([0.02 * np.arange(N_FRAMES), np.zeros(N_FRAMES), np.zeros(N_FRAMES)], axis=1)
    (tmp_path / "hps").mkdir()
    content = tram_content(away=np.zeros(3))
    world, at = np.array(content["pred_rotmat"]), np.array(content["pred_trans"])[:, 0]
    seen = world.copy()
    seen[:, 0] = turn.transpose(0, 2, 1) @ world[:, 0]
    content |= {"pred_rotmat": seen, "pred_trans": np.einsum("tji,tj->ti", turn, at - place)[:, None]}
    np.save(tmp_path / "hps" / "hps_track_0.npy", content, allow_pickle=True)
    np.save(tmp_path / "camera.npy", {"pred_cam_R": turn, "pred_cam_T": place, "img_focal": 600.0}, allow_pickle=True)
    found = read_motion_file(tmp_path / "hps" / "hps_track_0.npy")
    np.testing.assert_allclose(found.motion.joints(), dance().joints(), atol=2e-4)
    assert any("camera.npy" in note for note in found.notes)


# Joint positions, and rotations to them.


def assert_same_joints(found, expected, atol_m=2e-3):
    """Compare 22 joints; hands are not in such files."""
    np.testing.assert_allclose(placed(found)[:, :22], placed(expected)[:, :22], atol=atol_m)


@pytest.mark.parametrize(("shape", "kind"), [("22", "joints"), ("66", "joints"), ("72", "bailando"), ("52", "joints")])
def test_joints_become_rotations_that_put_them_there(tmp_path, shape, kind):
    joints = joints_y_up()[:, :22]
    content = {"22": joints, "66": joints.reshape(-1, 66), "72": joints_y_up().reshape(-1, 72),
               "52": np.concatenate([joints, np.zeros((N_FRAMES, 30, 3))], axis=1)}[shape]
    np.save(tmp_path / "a.npy", content)
    found = read_motion_file(tmp_path / "a.npy", f"{kind}@30")
    assert found.format == kind and found.up_axis == "y"
    assert_same_joints(found.motion.joints(), dance().joints())


def test_bare_joints_do_not_say_their_rate(tmp_path):
    np.save(tmp_path / "000001.npy", joints_y_up()[:, :22])
    with pytest.raises(UserError, match="HumanML3D, MDM .*format=humanml3d .*format=joints@RATE"):
        read_motion(tmp_path / "000001.npy")
    found = read_motion_file(tmp_path / "000001.npy", "humanml3d")
    assert (found.source_fps, len(found.motion)) == (20, 89)  # (60 - 1) / 20 s at 30 a second, and the first


def test_humanml3ds_features(tmp_path):
    joints = joints_y_up()[:, :22]
    np.save(tmp_path / "a.npy", features_of(joints).astype(np.float32))
    found = read_motion_file(tmp_path / "a.npy", "auto@30")
    assert found.format == "humanml3d"
    expected = dance().joints()
    expected[..., :2] -= expected[:1, :1, :2]
    assert_same_joints(found.motion.joints(), expected)
    assert read_motion_file(tmp_path / "a.npy").source_fps == 20
    np.save(tmp_path / "b.npy", (features_of(joints) - 0.3) / 0.45)
    with pytest.raises(UserError, match=r"normalised; multiply by Std\.npy"):
        read_motion(tmp_path / "b.npy")


def test_mdms_results_and_fits(tmp_path):
    write_mdm(tmp_path / "results.npy")
    found = read_motion_files(tmp_path / "results.npy", "auto@30")
    assert [(one.format, one.label, len(one.motion)) for one in found] == [("mdm", "0", N_FRAMES), ("mdm", "1", 40)]
    assert_same_joints(found[1].motion.joints(), dance().joints()[:40])
    assert read_motion_files(tmp_path / "results.npy")[0].source_fps == 20
    write_mdm_smpl(tmp_path / "sample00_rep00_smpl_params.npy")
    fit = read_motion_file(tmp_path / "sample00_rep00_smpl_params.npy", "auto@30")
    np.testing.assert_allclose(placed(fit.motion.joints()), placed(dance().joints()), atol=2e-4)


@pytest.mark.parametrize(("factor", "unit"), [(1000.0, "millimetres"), (100.0, "centimetres")])
def test_joints_in_other_units_are_told_by_their_legs(tmp_path, factor, unit):
    np.save(tmp_path / "a.npy", factor * joints_y_up()[:, :22])
    found = read_motion_file(tmp_path / "a.npy", "humanml3d@30")
    assert_same_joints(found.motion.joints(), dance().joints())
    assert any(f"in {unit}, by its legs" in note for note in found.notes)


@pytest.mark.parametrize("factor", [10.0, 0.01])
def test_joints_of_no_persons_size_are_refused(tmp_path, factor):
    np.save(tmp_path / "a.npy", factor * joints_y_up()[:, :22])
    with pytest.raises(UserError, match="legs are .* long: give joint positions, .* in metres"):
        read_motion(tmp_path / "a.npy", "humanml3d")


# What is no motion, or none that can be known, is refused by the name of the tool, with the way in.


def contents_refused():
    poses, translation = in_axes(AS_SEEN)
    placeless = {"pred_cam": np.zeros((N_FRAMES, 3)), "pose": poses.reshape(-1, 72), "betas": np.zeros((N_FRAMES, 10))}
    robot = {"pose_aa": np.zeros((N_FRAMES, 27, 3)), "root_trans_offset": translation, "dof": np.zeros((N_FRAMES, 23))}
    rows = {"poses": dance().poses.reshape(-1, 72), "trans": dance().translation, "fps": 30}
    return {
        "vibe": ({1: placeless}, "no place in space, as VIBE.*WHAM, GVHMR"),
        "robot": ({"g1_walk": robot}, "retargeted to a robot"),
        "romp": ({"smpl_thetas": poses, "cam_trans": translation}, "ROMP.*WHAM"),
        "smplify": ({"camera_rotation": 1, "camera_translation": 2, "body_pose": poses[:1]}, "one frame, as SMPLify-X"),
        "quaternions": (rows | {"poses": np.zeros((N_FRAMES, 24, 4))}, "no quaternions: their lengths are not 1"),
        "lengths": (rows | {"trans": dance().translation[:-1]}, "60 frames needs a translation"),
        "wide": (rows | {"trans": np.zeros((N_FRAMES, 2))}, r"'trans' is \[60, 2\] where \[T, 3\]"),
        "degrees": (rows | {"poses": np.rad2deg(rows["poses"])}, "look like degrees"),
        "huge": (rows | {"fps": 10**400}, "not an array of numbers"),
        "placeless": ({"poses": poses}, "no place in space under any name.*add trans"),
        "unknown": ({"x": 1, "y": 2}, "no known format has the keys x, y: docs/extending.md .*format=my_"),
    }


@pytest.mark.parametrize("name", contents_refused())
def test_refusals_say_whose_it_is_and_what_to_do(tmp_path, name):
    content, words = contents_refused()[name]
    (tmp_path / "a.pkl").write_bytes(pickle.dumps(content))
    with pytest.raises(UserError, match=words) as caught:
        read_motion(tmp_path / "a.pkl")
    assert str(caught.value).count("a.pkl") == 1 and "\n" not in str(caught.value)


@pytest.mark.parametrize(("array", "words"), [
    (np.zeros((60, 35)), "as files of music features do"), (np.zeros((60, 251)), "KIT-ML's 251 features"),
    (np.zeros((60, 21, 3)), "KIT-ML's 21 joints"), (np.random.default_rng(0).uniform(-1, 1, (60, 151)), "normalised"),
])
def test_arrays_of_other_things(tmp_path, array, words):
    np.save(tmp_path / "a.npy", array)
    with pytest.raises(UserError, match=words):
        read_motion(tmp_path / "a.npy")


def test_keypoints_are_no_motion(tmp_path):
    (tmp_path / "tracking_results.pth").write_bytes(pickle.dumps({0: {"keypoints": np.zeros((9, 17, 3)), "bbox": 1}}))
    with pytest.raises(NotAMotion):
        read_motion(tmp_path / "tracking_results.pth")


def test_headers_tell_what_may_hold_motion(tmp_path):
    for name, shape in {"music": (60, 35), "joints": (60, 22, 3), "long": (9, 4800)}.items():
        np.save(tmp_path / f"{name}.npy", np.zeros(shape))
    write_rot6d(tmp_path / "finedance.npy")
    np.save(tmp_path / "pickled.npy", {"a": 1}, allow_pickle=True)
    may = [path.stem for path in sorted(tmp_path.iterdir()) if may_hold_motion(path)]
    assert may == ["finedance", "joints", "pickled"]
    assert may_hold_motion(tmp_path / "music.pkl")


def test_samples_are_what_they_say():
    assert rot6d(dance().poses).shape == (N_FRAMES, 144) and len(upright_motion()) == 30
    assert skeleton.N_JOINTS == 24 and (dance().poses[:, 22:] == 0).all()
