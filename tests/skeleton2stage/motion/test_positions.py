import os

import numpy as np
import pytest
from motion_samples import Y_UP, at_60_fps, lying_motion, upright_motion

from skeleton2stage.errors import UserError
from skeleton2stage.motion.positions import JointMotion, read_positions


def bailando(motion):
    """Return a motion's joints as Bailando has them: y up, 60 fps, [2 T, 72]."""
    return at_60_fps(motion.joints() @ Y_UP.T).reshape(-1, 72)


def joint_forms():
    joints = upright_motion().joints()
    published = bailando(upright_motion())
    return {
        "bailando": published,
        "bailando_joints": published.reshape(-1, 24, 3),
        "bailando_pickled": {"pred_position": published.astype(np.float32)},
        "positions": joints,
        "positions_flat": joints.reshape(-1, 72),
    }


@pytest.mark.parametrize("name", joint_forms())
def test_each_form_reads_back_z_up_at_30_fps(tmp_path, name):
    np.save(tmp_path / "a.pkl.npy", joint_forms()[name], allow_pickle=True)
    for given in ("auto", name.split("_")[0]):
        found = read_positions(tmp_path / "a.pkl.npy", given)
        assert found.fps == 30
        np.testing.assert_allclose(found.joints(), upright_motion().joints(), atol=1e-5)


def test_someone_who_lies_must_be_named(tmp_path):
    np.save(tmp_path / "a.npy", lying_motion().joints()[..., [1, 2, 0]])  # the head along x
    with pytest.raises(UserError, match="bailando or positions"):
        read_positions(tmp_path / "a.npy")
    assert len(read_positions(tmp_path / "a.npy", "positions")) == 30


def test_a_wrong_name_stands_on_its_head(tmp_path):
    np.save(tmp_path / "a.npy", bailando(upright_motion()) * np.tile([1, -1, -1], 24))
    with pytest.raises(UserError, match="under its feet"):
        read_positions(tmp_path / "a.npy", "bailando")


def bad_contents():
    joints = upright_motion().joints()
    nan = joints.copy()
    nan[3, 2, 1] = np.nan
    return {
        "nan": (nan, "NaN or infinity in 1 frames, the first of them 3"),
        "inches": (39.37 * joints, "in metres"),
        "rotations": (upright_motion().poses, "not rotations"),
        "width": (joints[:, :22], r"\[T, 72\] were expected"),
        "features": (np.zeros((150, 35)), r"\[T, 72\] were expected"),
        "no_frames": (joints[:0], "no frames"),
        "keys": ({"pcodes_up": 1}, "lacks 'pred_position'; it has pcodes_up"),
    }


@pytest.mark.parametrize("name", bad_contents())
def test_bad_file_is_one_sentence_with_its_name(tmp_path, name):
    content, words = bad_contents()[name]
    np.save(tmp_path / f"{name}.npy", content, allow_pickle=True)
    with pytest.raises(UserError, match=words) as caught:
        read_positions(tmp_path / f"{name}.npy")
    assert f"{name}.npy" in str(caught.value) and "\n" not in str(caught.value)


class MakesFile:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


def test_foreign_code_is_refused_and_not_run(tmp_path):
    np.save(tmp_path / "evil.npy", {"pred_position": MakesFile(tmp_path / "made")}, allow_pickle=True)
    with pytest.raises(UserError, match="refused to read .*evil.npy"):
        read_positions(tmp_path / "evil.npy")
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize("content", [b"", b"\x93NUMPY\x01\x00", b"something else"])
def test_torn_files(tmp_path, content):
    (tmp_path / "torn.npy").write_bytes(content)
    with pytest.raises(UserError, match=r"torn.npy is damaged or not an .npy file"):
        read_positions(tmp_path / "torn.npy")


def test_a_file_cut_short(tmp_path):
    np.save(tmp_path / "a.npy", upright_motion().joints())
    (tmp_path / "a.npy").write_bytes((tmp_path / "a.npy").read_bytes()[:-100])
    with pytest.raises(UserError, match="damaged"):
        read_positions(tmp_path / "a.npy")


def test_missing_file_and_unknown_format(tmp_path):
    with pytest.raises(UserError, match="does not exist"):
        read_positions(tmp_path / "a.npy")
    with pytest.raises(UserError, match="choose one of auto, bailando, positions"):
        read_positions(tmp_path / "a.npy", "edge")


def test_other_shapes_are_no_joint_motion():
    with pytest.raises(UserError, match=r"must be \[T, 24, 3\]"):
        JointMotion(np.zeros((4, 22, 3)))
