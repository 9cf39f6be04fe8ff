import os
import pickle

import numpy as np
import pytest
import torch
from motion_samples import WRITERS, Y_UP, at_60_fps, lying_motion, turned, upright_motion, write_amass

from skeleton2stage.errors import UserError
from skeleton2stage.files import write_pickle
from skeleton2stage.motion import motion_layout
from skeleton2stage.motion.formats.file_listing import motion_files
from skeleton2stage.motion.formats.motion_file import NotAMotion, to_fps
from skeleton2stage.motion.formats.read_motion import FORMATS, read_motion, read_motion_file
from skeleton2stage.motion.formats.write_motion import write_motion
from skeleton2stage.motion.motion import Motion
from skeleton2stage.motion.scaler import MinMaxScaler

UP_AXIS = {"aistpp": "y", "popdance_split": "-y", "written": "z"}


@pytest.mark.parametrize("name", WRITERS)
def test_named_format_reads_back(tmp_path, name):
    motion = upright_motion()
    WRITERS[name](tmp_path / "a.pkl", motion)
    found = read_motion_file(tmp_path / "a.pkl", name)
    assert found.motion.fps == 30 and len(found.motion) == len(motion)
    np.testing.assert_allclose(found.motion.joints(), motion.joints(), atol=2e-5)
    assert found.up_axis == UP_AXIS.get(name, found.up_axis)


@pytest.mark.parametrize("name", WRITERS)
def test_auto_recognises(tmp_path, name):
    WRITERS[name](tmp_path / "a.pkl", upright_motion())
    assert read_motion_file(tmp_path / "a.pkl").format == name


def test_slices_of_someone_who_lies_must_be_named(tmp_path):
    WRITERS["edge_sliced"](tmp_path / "a.pkl", lying_motion())
    with pytest.raises(UserError, match="edge_sliced or popdance_sliced"):
        read_motion(tmp_path / "a.pkl")


def test_misnamed_sliced_form_stands_on_its_head(tmp_path):
    WRITERS["edge_sliced"](tmp_path / "a.pkl", upright_motion())
    with pytest.raises(UserError, match="over its feet"):
        read_motion(tmp_path / "a.pkl", "popdance_sliced")


@pytest.mark.parametrize(("name", "width", "key"), [
    ("clip_poses.npz", 156, "mocap_framerate"), ("clip_stageii.npz", 165, "mocap_frame_rate"),
])
def test_amass(tmp_path, name, width, key):
    motion = upright_motion()
    write_amass(tmp_path / name, motion, width, key, 30)
    np.testing.assert_allclose(read_motion(tmp_path / name).joints(), motion.joints(), atol=1e-5)


def test_amass_at_another_rate_is_interpolated(tmp_path):
    fast = upright_motion(n_frames=100)  # these frames are now said to be 1/100 s apart
    write_amass(tmp_path / "a.npz", fast, 156, "mocap_framerate", 100)
    found = read_motion_file(tmp_path / "a.npz")
    assert (found.source_fps, found.source_frames, len(found.motion)) == (100, 100, 30)
    np.testing.assert_allclose(found.motion.joints()[3], fast.joints()[10], atol=1e-5)
    between = fast.joints()[3] + (fast.joints()[4] - fast.joints()[3]) / 3
    np.testing.assert_allclose(found.motion.joints()[1], between, atol=5e-4)  # chord against arc


def test_amass_shape_file_is_no_motion(tmp_path):
    np.savez(tmp_path / "shape.npz", betas=np.zeros(16), gender="male")
    with pytest.raises(NotAMotion, match="no motion"):
        read_motion(tmp_path / "shape.npz")


def test_amass_stagei_file_is_no_motion(tmp_path):
    write_amass(tmp_path / "female_stagei.npz", upright_motion(12), 165, "mocap_frame_rate", 30)
    with pytest.raises(NotAMotion, match="body shape"):
        read_motion(tmp_path / "female_stagei.npz")


def test_published_representation_from_aistpp_files(tmp_path, reference):
    with np.load(reference / "representation.npz") as file:
        poses, trans, published = (file[k] for k in ("smpl_poses_yup", "smpl_trans_yup", "vec_unnormalised"))
        normalised = file["vec_normalised"]
    vectors = []
    for clip, (q, pos) in enumerate(zip(poses, trans, strict=True)):
        doubled = {"smpl_poses": q.repeat(2, 0), "smpl_trans": 90 * pos.repeat(2, 0), "smpl_scaling": [90.0]}
        write_pickle(tmp_path / f"{clip}.pkl", doubled)
        motion = read_motion(tmp_path / f"{clip}.pkl")
        pose, root = torch.from_numpy(motion.poses), torch.from_numpy(motion.translation)
        vectors.append(motion_layout.encode(pose, root, motion_layout.EDGE))
    vectors = torch.stack(vectors)
    np.testing.assert_allclose(vectors.numpy(), published, atol=2e-5)
    scaled = MinMaxScaler.fit(vectors).normalise(vectors)
    np.testing.assert_allclose(scaled.numpy(), normalised, atol=2e-4)


def test_written_form_has_edges_keys_and_types(tmp_path):
    motion = upright_motion()
    write_motion(tmp_path / "new" / "a.pkl", motion)
    with (tmp_path / "new" / "a.pkl").open("rb") as file:
        content = pickle.load(file)
    shapes = {key: (value.shape, value.dtype.name) for key, value in content.items()}
    assert shapes == {
        "smpl_poses": ((30, 72), "float32"), "smpl_trans": ((30, 3), "float32"),
        "full_pose": ((30, 24, 3), "float32"),
    }
    np.testing.assert_allclose(content["full_pose"], motion.joints(), atol=1e-6)
    assert os.listdir(tmp_path / "new") == ["a.pkl"]


def test_written_form_is_at_30_fps(tmp_path):
    with pytest.raises(UserError, match="not 60"):
        write_motion(tmp_path / "a.pkl", Motion(np.zeros((2, 24, 3)), np.zeros((2, 3)), fps=60))


class MakesFile:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


def test_foreign_pickle_is_refused_and_not_run(tmp_path):
    (tmp_path / "evil.pkl").write_bytes(pickle.dumps({"pos": MakesFile(tmp_path / "made")}))
    with pytest.raises(UserError, match="evil.pkl"):
        read_motion(tmp_path / "evil.pkl")
    assert not (tmp_path / "made").exists()


def bad_contents():
    motion = upright_motion(4)
    good = {"smpl_poses": motion.poses.reshape(-1, 72), "smpl_trans": motion.translation}
    camera = {"transl": np.zeros((4, 3)), "pred_thetas": np.zeros((4, 72)), "pred_camera": np.zeros((3, 1))}
    nan = good["smpl_trans"].copy()
    nan[2, 1] = np.nan
    lying_poses, lying_pelvis = turned(motion, Y_UP)
    return {
        "y_up": ({"smpl_poses": lying_poses, "smpl_trans": lying_pelvis}, "1.5. m along y, .* y seems to be up"),
        "degrees": (good | {"smpl_poses": np.rad2deg(good["smpl_poses"])}, "look like degrees"),
        "no_frames": ({"smpl_poses": np.zeros((0, 72)), "smpl_trans": np.zeros((0, 3))}, "no frames"),
        "nan": (good | {"smpl_trans": nan}, "NaN"),
        "joints": (good | {"smpl_poses": np.zeros((4, 69))}, "24 joints"),
        "length": (good | {"smpl_trans": np.zeros((5, 3))}, "4 frames"),
        "words": (good | {"smpl_trans": "none"}, "not an array"),
        "list": ([1, 2], "dictionary"),
        "keys": ({"poses": 1}, "no known format"),
        "keypoints": ({"keypoints3d": np.zeros((4, 17, 3))}, "no motion"),
        "camera": (camera, "does not fit"),
        "scale": (good | {"smpl_scaling": np.zeros(1)}, "positive"),
        "empty": ({"smpl_poses": np.zeros((0, 72)), "smpl_trans": np.zeros((0, 3))}, "no frames"),
    }


@pytest.mark.parametrize("name", bad_contents())
def test_bad_file_is_one_sentence_with_its_name(tmp_path, name):
    content, words = bad_contents()[name]
    write_pickle(tmp_path / f"{name}.pkl", content)
    with pytest.raises(UserError, match=words) as caught:
        read_motion(tmp_path / f"{name}.pkl")
    assert f"{name}.pkl" in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["a.pkl", "a.npz"])
def test_truncated_file(tmp_path, name):
    motion = upright_motion()
    if name.endswith("pkl"):
        write_motion(tmp_path / name, motion)
    else:
        write_amass(tmp_path / name, motion, 156, "mocap_framerate", 30)
    whole = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(UserError, match="damaged|truncated"):
        read_motion(tmp_path / name)


def test_missing_file_and_unknown_format(tmp_path):
    with pytest.raises(UserError, match="does not exist"):
        read_motion(tmp_path / "none.pkl")
    with pytest.raises(UserError, match="unknown motion format 'aist'.*" + ", ".join(sorted(["auto", *FORMATS]))):
        read_motion(tmp_path / "none.pkl", "aist")


def test_a_few_turns_too_many_are_not_degrees(tmp_path):
    motion = upright_motion(30)
    axis = motion.poses[:4, 0] / np.linalg.norm(motion.poses[:4, 0], axis=-1, keepdims=True)
    motion.poses[:4, 0] += 6 * np.pi * axis
    write_motion(tmp_path / "a.pkl", motion)
    assert len(read_motion(tmp_path / "a.pkl")) == 30


def test_motion_files(tmp_path):
    for name in ("b.pkl", "a.npz", "notes.txt", ".b.tmp.pkl", "sub/c.bvh"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    found = [file.relative_to(tmp_path).as_posix() for file in motion_files(tmp_path)]
    assert found == ["a.npz", "b.pkl", "sub/c.bvh"]
    assert motion_files(tmp_path / "b.pkl") == [tmp_path / "b.pkl"]
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match="no motion files"):
        motion_files(tmp_path / "empty")


def test_to_fps_keeps_every_nth_frame_exactly():
    motion = upright_motion()
    fast = Motion(at_60_fps(motion.poses), at_60_fps(motion.translation), fps=60)
    np.testing.assert_array_equal(to_fps(fast, 30).poses, motion.poses)
