"""Pickles of joblib's and torch's, read as arrays; what is damaged or would run something is refused."""

import bz2
import collections
import gzip
import io
import lzma
import os
import pickle
import zlib
from pathlib import Path

import joblib
import numpy as np
import pytest
import torch

from skeleton2stage import read_boundary, tool_pickles

ARRAYS = {
    "floats": np.arange(12.0).reshape(3, 4), "fortran": np.asfortranarray(np.arange(6).reshape(2, 3)),
    "objects": np.array([{"a": 1}, None], dtype=object), "empty": np.zeros((0, 3)), "bools": np.array([True, False]),
    "texts": np.array(["male", "female"]), "scalar": np.float32(3.5),
}


def same(found, expected):
    assert set(found) == set(expected)
    for key, value in expected.items():
        np.testing.assert_array_equal(found[key], value, err_msg=key)


@pytest.mark.parametrize("compress", [0, True, ("zlib", 9), ("gzip", 3), ("bz2", 3), ("xz", 3), ("lzma", 3)])
def test_joblib_files_read_as_their_arrays(tmp_path, compress):
    joblib.dump(ARRAYS, tmp_path / "a.pkl", compress=compress)
    same(tool_pickles.loads((tmp_path / "a.pkl").read_bytes()), ARRAYS)


@pytest.mark.parametrize("protocol", range(2, 6))
def test_joblib_files_of_every_protocol(tmp_path, protocol):
    joblib.dump(ARRAYS, tmp_path / "a.pkl", protocol=protocol)
    same(tool_pickles.loads((tmp_path / "a.pkl").read_bytes()), ARRAYS)


TENSORS = {
    "plain": torch.arange(6.0).reshape(2, 3), "turned": torch.arange(6).reshape(2, 3).T, "part": torch.arange(9.0)[2:5],
    "repeated": torch.ones(1, 3).expand(4, 3), "half": torch.tensor([1.5, -2.0]).half(), "none": torch.zeros(0, 3),
    "brain": torch.tensor([1.5, -2.0]).bfloat16(), "flags": torch.tensor([True, False]), "one": torch.tensor(7),
}


def as_numpy():
    return {key: value.float().numpy() if key == "brain" else value.numpy() for key, value in TENSORS.items()}


def test_tensors_become_arrays_wherever_they_are(tmp_path):
    torch.save(TENSORS | {"numpy": np.arange(3)}, tmp_path / "a.pt")
    same(tool_pickles.loads((tmp_path / "a.pt").read_bytes()), as_numpy() | {"numpy": np.arange(3)})
    same(tool_pickles.loads(pickle.dumps(TENSORS)), as_numpy())
    joblib.dump(TENSORS, tmp_path / "a.pkl")
    same(tool_pickles.loads((tmp_path / "a.pkl").read_bytes()), as_numpy())
    torch.save(TENSORS, tmp_path / "old.pt", _use_new_zipfile_serialization=False)
    same(tool_pickles.loads((tmp_path / "old.pt").read_bytes()), as_numpy())
    parameter = tool_pickles.loads(pickle.dumps(torch.nn.Parameter(torch.ones(2))))
    np.testing.assert_array_equal(parameter, [1, 1])


def test_plain_things_of_tools():
    content = collections.defaultdict(dict, {3: {"path": Path("a/b.wav"), "size": torch.Size([2, 3])}})
    assert tool_pickles.loads(pickle.dumps(content)) == {3: {"path": "a/b.wav", "size": (2, 3)}}


class Runs:
    def __reduce__(self):
        return os.mkdir, ("made",)


def test_nothing_is_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    torch.save({"a": Runs()}, "evil.pt")
    joblib.dump({"a": np.ones(3), "b": Runs()}, "evil.pkl")
    for content in (Path("evil.pt").read_bytes(), Path("evil.pkl").read_bytes(), pickle.dumps(Runs())):
        with pytest.raises(pickle.UnpicklingError, match="mkdir"):
            tool_pickles.loads(content)
    assert not (tmp_path / "made").exists()


def test_torchs_old_form_with_more_than_tensors_is_refused_in_a_sentence(tmp_path):
    torch.save({"a": Runs(), "b": torch.ones(2)}, tmp_path / "old.pt", _use_new_zipfile_serialization=False)
    content = (tmp_path / "old.pt").read_bytes()
    for damaged in (content, content[: len(content) // 2]):
        with pytest.raises(pickle.UnpicklingError, match="torch's old form") as caught:
            tool_pickles.loads(damaged)
        assert "\n" not in str(caught.value)


def test_a_tensor_may_not_reach_out_of_its_storage():
    storage = np.arange(6.0)
    np.testing.assert_array_equal(tool_pickles._tensor(storage, 1, (2, 2), (2, 1)), [[1, 2], [3, 4]])
    for offset, size, stride in ((3, (2, 2), (2, 1)), (0, (7,), (1,)), (-1, (2,), (1,)), (0, (1 << 30,), (0,))):
        with pytest.raises(pickle.UnpicklingError):
            tool_pickles._tensor(storage, offset, size, stride)


def test_an_array_cut_short_is_told(tmp_path):
    joblib.dump({"a": np.arange(1000.0)}, tmp_path / "a.pkl")
    with pytest.raises(EOFError):
        tool_pickles.loads((tmp_path / "a.pkl").read_bytes()[:4000])


def test_what_is_too_large_for_any_file_is_refused(monkeypatch):
    monkeypatch.setattr(tool_pickles, "MAX_BYTES", 1 << 20)
    with pytest.raises(pickle.UnpicklingError, match="unpacks to more than"):
        tool_pickles.loads(zlib.compress(bytes(1 << 21)))
    archive = io.BytesIO()
    torch.save({"a": torch.zeros(1 << 19)}, archive)
    with pytest.raises(pickle.UnpicklingError, match="unpacks to more than"):
        tool_pickles.loads(archive.getvalue())


def test_lz4_is_told_how_to_do_without():
    with pytest.raises(pickle.UnpicklingError, match=r"lz4: save it again by joblib\.dump"):
        tool_pickles.loads(b"\x04\x22\x4d\x18rest")


def test_a_small_file_does_not_unpack_to_a_large_one(monkeypatch):
    monkeypatch.setattr(read_boundary, "LEAST_UNPACKED_BYTES", 1 << 16)
    bomb = bytes(1 << 20)
    for packed in (zlib.compress(bomb), gzip.compress(bomb), bz2.compress(bomb), lzma.compress(bomb)):
        with pytest.raises(pickle.UnpicklingError, match="unpacks to more than"):
            tool_pickles.loads(packed)


@pytest.mark.parametrize("new", [True, False])
def test_tensors_that_repeat_a_few_numbers_are_bounded(monkeypatch, new):
    few = torch.ones(1)
    archive = io.BytesIO()
    torch.save([few.expand(1 << 16)], archive, _use_new_zipfile_serialization=new)
    assert tool_pickles.loads(archive.getvalue())[0].shape == (1 << 16,)
    monkeypatch.setattr(read_boundary, "LEAST_UNPACKED_BYTES", 1 << 16)
    with pytest.raises(pickle.UnpicklingError, match="many times over"):
        tool_pickles.loads(archive.getvalue())


def test_a_storage_that_many_tensors_share_is_read_once_and_bounded(monkeypatch):
    shared = torch.zeros(1 << 12)
    archive = io.BytesIO()
    torch.save([shared.view(64, 64)] + [shared[index:] for index in range(200)], archive)
    assert len(tool_pickles.loads(archive.getvalue())) == 201
    monkeypatch.setattr(read_boundary, "LEAST_UNPACKED_BYTES", 1 << 16)
    with pytest.raises(pickle.UnpicklingError, match="many times over"):
        tool_pickles.loads(archive.getvalue())
