from pathlib import Path

import pytest

from skeleton2stage.errors import UserError
from skeleton2stage.motion.formats.file_listing import by_stem, motion_files


def test_a_folders_motions_are_those_that_one_sees(tmp_path):
    for name in ("b.PKL", "a.npz", ".a.npz", "notes.txt", "more/c.bvh"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    (tmp_path / "folder.pkl").mkdir()
    assert [file.name for file in motion_files(tmp_path)] == ["a.npz", "b.PKL", "c.bvh"]
    assert [file.name for file in motion_files(tmp_path, below=False)] == ["a.npz", "b.PKL"]
    assert motion_files(tmp_path / "a.npz") == [tmp_path / "a.npz"]


def test_two_motions_of_one_name_are_an_error():
    files = [Path("x/a.pkl"), Path("x/b.pkl")]
    assert by_stem(files) == {"a": files[0], "b": files[1]}
    with pytest.raises(UserError, match="two motions are called a: x/a.pkl and y/a.bvh"):
        by_stem([*files, Path("y/a.bvh")])
