import numpy as np
import pytest

from skeleton2stage.errors import UserError
from skeleton2stage.motion.folder import read_any_folder, read_folder
from skeleton2stage.motion.formats.write_motion import write_motion
from skeleton2stage.motion.motion import Motion


def upright(n):
    poses = np.zeros((n, 24, 3))
    poses[:, 0, 0] = np.pi / 2
    return Motion(poses, np.zeros((n, 3)))


def at_least_ten(motion):
    if len(motion) < 10:
        raise UserError(f"only {len(motion)} frames")


def test_usable_files_are_read_by_name_and_others_named(tmp_path, capsys):
    for name, n in (("a.pkl", 12), ("more/b.pkl", 30), ("c.pkl", 4)):
        write_motion(tmp_path / name, upright(n))
    (tmp_path / "torn.pkl").write_bytes(b"\x80")
    np.savez(tmp_path / "shape.npz", betas=np.zeros(10))
    motions, n_bad = read_folder(tmp_path, "auto", at_least_ten)
    assert {name: len(motion) for name, motion in motions.items()} == {"a.pkl": 12, "more/b.pkl": 30}
    lines = sorted(capsys.readouterr().err.splitlines())
    assert n_bad == 2 and [line.split()[0] for line in lines] == ["left", "left", "passed"]
    assert lines[0].endswith("c.pkl: only 4 frames") and "shape.npz" in lines[2]


def test_one_file_is_a_folder_of_one(tmp_path):
    write_motion(tmp_path / "a.pkl", upright(12))
    assert list(read_folder(tmp_path / "a.pkl", "written", at_least_ten)[0]) == ["a.pkl"]


def test_a_folder_without_any_usable_file_is_refused(tmp_path):
    write_motion(tmp_path / "a.pkl", upright(4))
    with pytest.raises(UserError, match="none of the 1 files"):
        read_folder(tmp_path, "auto", at_least_ten)


def test_joint_positions_are_read_where_they_suffice(tmp_path):
    write_motion(tmp_path / "a.pkl", upright(12))
    np.save(tmp_path / "b.npy", upright(12).joints())
    posed = read_folder(tmp_path, "auto", at_least_ten)[0]
    assert set(posed) == {"a.pkl", "b.npy"}  # who needs rotations gets some that put the joints there
    np.testing.assert_allclose(posed["b.npy"].joints()[:, :22], posed["a.pkl"].joints()[:, :22], atol=2e-3)
    motions, n_bad = read_any_folder(tmp_path, "auto", at_least_ten)
    assert set(motions) == {"a.pkl", "b.npy"} and n_bad == 0
    np.testing.assert_allclose(motions["b.npy"].joints(), motions["a.pkl"].joints(), atol=1e-6)
