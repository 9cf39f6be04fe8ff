"""Numpy's files: what is plain comes through, nothing is allocated that is not there."""

import io
import zipfile

import numpy as np
import pytest

from skeleton2stage.arrays import read_npy, read_npz
from skeleton2stage.errors import UserError


def npy(shape, descr="<f8", data=b"\0" * 16):
    """Return an .npy file with a header of one's own."""
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(file, {"descr": descr, "fortran_order": False, "shape": shape})
    return file.getvalue() + data


@pytest.mark.parametrize("array", [
    np.arange(6.0).reshape(2, 3), np.asfortranarray(np.arange(6).reshape(2, 3)), np.array(1.5), np.zeros((0, 4)),
    np.array(["a", "bc"]), np.array([True]),
], ids=str)
def test_arrays_come_through_and_can_be_written_to(array, tmp_path):
    np.save(tmp_path / "a.npy", array)
    np.savez_compressed(tmp_path / "a.npz", a=array, b=array)
    for back in (read_npy(tmp_path / "a.npy"), read_npz(tmp_path / "a.npz")["b"]):
        assert back.dtype == array.dtype and back.shape == array.shape and back.tolist() == array.tolist()
        assert back.flags.writeable
    assert list(read_npz(tmp_path / "a.npz", ("b", "c"))) == ["b"]


def test_one_pickled_value_comes_through(tmp_path):
    np.save(tmp_path / "a.npy", {"pose": np.arange(3)}, allow_pickle=True)
    assert read_npy(tmp_path / "a.npy")["pose"].tolist() == [0, 1, 2]


@pytest.mark.parametrize(("content", "reason"), [
    (npy((10**12,)), "its header says 8000000000000 bytes of data, and it has 16"),
    (npy((1,)), "its header says 8 bytes"),
    (npy((2,), [("a", "<f8")]), "structured array"),
    (npy((1,), [("a", "|O")], b"A" * 8), "structured array of objects"),
    (npy((2,))[:20], "damaged or not an .npy file"),
    (b"hello", "damaged or not an .npy file"),
    (npy((1,), "|O", b"cos\nsystem\n(S'true'\ntR."), "names os.system"),
])
def test_what_is_not_so_is_told(content, reason, tmp_path):
    (tmp_path / "x.npy").write_bytes(content)
    with pytest.raises(UserError, match=reason):
        read_npy(tmp_path / "x.npy")
    with zipfile.ZipFile(tmp_path / "x.npz", "w") as archive:
        archive.writestr("x.npy", content)
    with pytest.raises(UserError):
        read_npz(tmp_path / "x.npz")


def test_missing_files_and_folders_are_told(tmp_path):
    for read in (read_npy, read_npz):
        with pytest.raises(UserError, match="does not exist"):
            read(tmp_path / "none")
        with pytest.raises(UserError, match="is a folder"):
            read(tmp_path)


def test_an_archive_that_unpacks_to_too_much_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("skeleton2stage.arrays.MAX_BYTES", 1000)
    np.savez_compressed(tmp_path / "a.npz", a=np.zeros(1000))
    with pytest.raises(UserError, match="unpacks to"):
        read_npz(tmp_path / "a.npz")
