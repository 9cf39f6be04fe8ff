"""One person's motion, several people's, and frames one by one, as tools lay them out in a file."""

import pickle

import numpy as np
import pytest
from motion_samples import Y_UP
from scipy.spatial.transform import Rotation
from tool_samples import N_FRAMES, dance, in_axes, in_parts, joints_y_up, rot6d

from skeleton2stage.errors import UserError
from skeleton2stage.motion.formats.people import frames_first, people_in
from skeleton2stage.motion.formats.read_motion import read_motion, read_motion_file, read_motion_files

TWO = np.array([[0.0, 0, 0], [1.5, 0, 0]])


def fields(**more):
    motion = dance()
    return {"poses": motion.poses.reshape(-1, 72), "trans": motion.translation, "fps": 30} | more


def of_two(order):
    """Two people 1.5 m apart, in arrays [people, frames, ...] or [frames, people, ...]."""
    motion = dance()
    poses = np.stack([motion.poses.reshape(-1, 72)] * 2)
    trans = motion.translation + TWO[:, None]
    both = {"poses": poses, "trans": trans}
    return {name: value if order == "people first" else value.swapaxes(0, 1) for name, value in both.items()}


def write(path, content):
    path.write_bytes(pickle.dumps(content))


def joints_of(motion):
    return motion.joints() - motion.joints()[:1, :1]


def assert_same_body(motion):
    """Joints that rotations were fitted to, hands left out, which positions do not turn."""
    np.testing.assert_allclose(motion.joints()[:, :22], dance().joints()[:, :22], atol=2e-3)


EXPECTED = joints_of(dance())


@pytest.mark.parametrize("order", ["people first", "frames first"])
def test_people_are_told_from_frames(tmp_path, order):
    write(tmp_path / "a.pkl", of_two(order) | {"fps": 30, "betas": np.zeros((2, 10))})
    found = read_motion_files(tmp_path / "a.pkl")
    assert [(one.label, len(one.motion)) for one in found] == [("0", N_FRAMES), ("1", N_FRAMES)]
    for one in found:
        np.testing.assert_allclose(joints_of(one.motion), EXPECTED, atol=1e-5)


@pytest.mark.parametrize("order", ["people first", "frames first"])
def test_joints_of_people_are_told_from_frames(tmp_path, order):
    joints = joints_y_up()[:, :22] + TWO[:, None, None]
    np.save(tmp_path / "a.npy", joints if order == "people first" else joints.swapaxes(0, 1))
    found = read_motion_files(tmp_path / "a.npy", "joints@30")
    assert [len(one.motion) for one in found] == [N_FRAMES, N_FRAMES]


def test_many_short_clips_are_not_frames():
    """A model's batch has more clips than a clip has frames; from clip to clip it goes in larger steps."""
    drawn = np.random.default_rng(0)
    clips = drawn.normal(size=(80, 1, 3)) + 0.01 * np.cumsum(drawn.normal(size=(80, 40, 3)), axis=1)
    assert not frames_first(clips) and frames_first(clips[:30].swapaxes(0, 1))


FRAMES = {
    "a list": lambda frames: frames,
    "by number": lambda frames: dict(enumerate(frames)),
    "by number, as text and in no order": lambda frames: {str(i): frames[i] for i in reversed(range(len(frames)))},
    "by picture": lambda frames: {f"img/{i:04d}.jpg": frame for i, frame in enumerate(frames)},
    "an array of objects": lambda frames: np.array(frames, dtype=object),
    "in a list of its own": lambda frames: {"fps": 30, "results": frames},
}


@pytest.mark.parametrize("shape", [(72,), (1, 72), (24, 3)])
@pytest.mark.parametrize("name", FRAMES)
def test_frames_one_by_one_are_one_motion(tmp_path, name, shape):
    motion = dance()
    frames = [{"poses": pose.reshape(shape), "trans": place, "betas": np.full((1, 10), 0.5)}
              for pose, place in zip(motion.poses, motion.translation, strict=True)]
    write(tmp_path / "a.pkl", FRAMES[name](frames))
    found = read_motion_file(tmp_path / "a.pkl", "smpl@30")
    assert found.label == "" and found.motion.shape.betas == (0.5,) * 10
    np.testing.assert_allclose(joints_of(found.motion), EXPECTED, atol=1e-5)


def test_frames_in_parts_are_one_motion(tmp_path):
    parts = {key: value for key, value in in_parts(Y_UP).items() if key != "betas"}
    write(tmp_path / "a.pkl", [{key: value[frame] for key, value in parts.items()} for frame in range(N_FRAMES)])
    np.testing.assert_allclose(joints_of(read_motion(tmp_path / "a.pkl", "smpl@30")), EXPECTED, atol=1e-5)


def test_missing_frames_are_told(tmp_path):
    frames = {i: {"poses": np.zeros(72), "trans": np.zeros(3)} for i in (0, 1, 5)}
    write(tmp_path / "a.pkl", frames)
    with pytest.raises(UserError, match="frames 0 to 5 and lacks 3"):
        read_motion(tmp_path / "a.pkl", "smpl@30")


def test_frames_of_different_widths_are_told(tmp_path):
    frames = [{"poses": np.zeros(72), "trans": np.zeros(3)}, {"poses": np.zeros(75), "trans": np.zeros(3)}]
    write(tmp_path / "a.pkl", frames)
    with pytest.raises(UserError, match="another number of values under 'poses'"):
        read_motion(tmp_path / "a.pkl", "smpl@30")


WRAPPED = {
    "a dictionary": lambda content: {"result": content},
    "two of them": lambda content: {"run": {"smpl": content}},
    "a list": lambda content: [content],
    "a list within": lambda content: {"people": [content]},
}


@pytest.mark.parametrize("name", WRAPPED)
def test_motion_within_containers_is_found(tmp_path, name):
    write(tmp_path / "a.pkl", WRAPPED[name](fields()))
    found = read_motion_file(tmp_path / "a.pkl")
    assert found.source_fps == 30 and found.format == "smpl"
    np.testing.assert_allclose(joints_of(found.motion), EXPECTED, atol=1e-5)


def test_containers_are_looked_into_only_so_far():
    content = fields()
    for _ in range(6):
        content = [content]
    assert people_in(content) == {}


def test_two_people_within_containers_keep_their_names(tmp_path):
    write(tmp_path / "a.pkl", {"people": {"ann": fields(), "bob": fields()}})
    assert [one.label for one in read_motion_files(tmp_path / "a.pkl")] == ["people_ann", "people_bob"]


@pytest.mark.parametrize("key", ["arr_0", "data", "results"])
def test_a_dictionary_saved_as_npz_is_found(tmp_path, key):
    np.savez(tmp_path / "a.npz", **{key: np.array(fields(), dtype=object)})
    np.testing.assert_allclose(joints_of(read_motion(tmp_path / "a.npz")), EXPECTED, atol=1e-5)


def test_an_array_saved_as_npz_is_one(tmp_path):
    np.savez(tmp_path / "a.npz", joints_y_up()[:, :22])
    assert_same_body(read_motion(tmp_path / "a.npz", "humanml3d@30"))


@pytest.mark.parametrize("n_joints", [22, 24])
def test_joints_in_a_dictionary_say_their_rate(tmp_path, n_joints):
    np.savez(tmp_path / "a.npz", joints=joints_y_up()[:, :n_joints], fps=30)
    found = read_motion_file(tmp_path / "a.npz")
    assert (found.format, found.source_fps) == ("joints", 30)
    assert_same_body(found.motion)


# What a file says of itself, and what its numbers say against it.


def test_a_rate_in_a_file_is_taken_before_that_of_its_kind(tmp_path):
    motion = dance()
    poses, trans = motion.poses.reshape(-1, 72), motion.translation
    write(tmp_path / "written.pkl", {"smpl_poses": poses, "smpl_trans": trans, "fps": 60})
    found = read_motion_file(tmp_path / "written.pkl")
    assert (found.source_fps, len(found.motion)) == (60, 30)
    write(tmp_path / "edge.pkl", {"q": poses, "pos": trans, "scale": np.ones(1), "mocap_framerate": 30.0})
    assert read_motion_file(tmp_path / "edge.pkl", "edge_split@z").source_fps == 30
    write(tmp_path / "gvhmr.pkl", {"smpl_params_global": in_parts(Y_UP), "fps": 60})
    found = read_motion_file(tmp_path / "gvhmr.pkl")
    assert found.source_fps == 60 and not any("assumed" in note for note in found.notes)
    assert read_motion_file(tmp_path / "gvhmr.pkl", "gvhmr@120").source_fps == 120


@pytest.mark.parametrize("factor", [100.0, 1000.0])
def test_a_place_in_other_units_is_refused(tmp_path, factor):
    motion = dance()
    walks = motion.translation + np.linspace(0, 2, N_FRAMES)[:, None] * [1, 0, 0]
    write(tmp_path / "a.pkl", fields(trans=factor * walks))
    with pytest.raises(UserError, match=r"pelvis goes at .* m/s .*: give its translation in metres"):
        read_motion(tmp_path / "a.pkl")
    write(tmp_path / "b.pkl", fields(trans=walks))
    read_motion(tmp_path / "b.pkl")
    jump = walks.copy()
    jump[30:] += 5  # a tracker's slip is not a unit
    write(tmp_path / "c.pkl", fields(trans=jump))
    read_motion(tmp_path / "c.pkl")


@pytest.mark.parametrize(("factor", "unit"), [(100.0, "centimetres"), (1000.0, "millimetres")])
@pytest.mark.parametrize("axes", [None, Y_UP])
def test_who_stands_still_in_other_units_is_refused_by_height(tmp_path, factor, unit, axes):
    poses, trans = (dance().poses, dance().translation) if axes is None else in_axes(axes)
    still = np.repeat(trans[:1], N_FRAMES, axis=0)
    write(tmp_path / "a.pkl", fields(poses=poses, trans=factor * still))
    with pytest.raises(UserError, match=f"m high: give its translation in metres, this looks like {unit}"):
        read_motion(tmp_path / "a.pkl")


# Rotations in other forms.


@pytest.mark.parametrize("scalar", ["first", "last"])
@pytest.mark.parametrize("flat", [True, False])
def test_quaternions_are_read_in_either_order(tmp_path, scalar, flat):
    quat = Rotation.from_rotvec(dance().poses.reshape(-1, 3)).as_quat(scalar_first=scalar == "first")
    quat = quat.reshape(N_FRAMES, 24, 4) * np.where(np.arange(24) % 2, 1, -1)[:, None]  # either sign is the same
    write(tmp_path / "a.pkl", fields(poses=quat.reshape(N_FRAMES, -1) if flat else quat))
    np.testing.assert_allclose(joints_of(read_motion(tmp_path / "a.pkl")), EXPECTED, atol=1e-5)


@pytest.mark.parametrize(("quat", "words"), [
    (np.full((N_FRAMES, 24, 4), 0.5), "do not tell which of their parts"),
    (np.full((N_FRAMES, 24, 4), 3.0), "their lengths are not 1"),
])
def test_four_numbers_that_are_no_clear_quaternion_are_refused(tmp_path, quat, words):
    write(tmp_path / "a.pkl", fields(poses=quat))
    with pytest.raises(UserError, match=words):
        read_motion(tmp_path / "a.pkl")


@pytest.mark.parametrize("n_joints", [22, 24, 52])
@pytest.mark.parametrize("contacts", [0, 4])
def test_the_pelvis_may_come_before_or_after_6d_rotations(tmp_path, n_joints, contacts):
    poses, trans = in_axes(Y_UP)
    body = np.zeros((N_FRAMES, n_joints, 3))
    body[:, :22] = poses[:, :22]
    lead = [np.ones((N_FRAMES, contacts))]
    for order in ([trans, rot6d(body)], [rot6d(body), trans]):
        np.save(tmp_path / "a.npy", np.concatenate([*lead, *order], axis=1))
        np.testing.assert_allclose(joints_of(read_motion(tmp_path / "a.npy"))[:, :22], EXPECTED[:, :22], atol=1e-5)
