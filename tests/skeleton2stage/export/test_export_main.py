import importlib.util

import numpy as np
import pytest
import torch
import trimesh
from glb_reading import read_glb

from lively_motion import lively_motion
from skeleton2stage.body.body_model import load_body
from skeleton2stage.errors import UserError
from skeleton2stage.export import __main__ as program
from skeleton2stage.export import obj_sequence
from skeleton2stage.export.export_targets import targets_of
from skeleton2stage.motion.formats.read_motion import read_motion
from skeleton2stage.motion.formats.write_motion import write_motion


@pytest.fixture
def dances(tmp_path):
    for name in ("one", "two"):
        write_motion(tmp_path / "dances" / f"{name}.pkl", lively_motion(4))
    (tmp_path / "songs").mkdir()
    (tmp_path / "songs" / "two.ogg").touch()
    return tmp_path / "dances"


def test_help_explains_every_key(capsys):
    program.main(["--help"])
    said = capsys.readouterr().out
    assert all(f"\n{key}=" in said for key in program.ExportConfig.__dataclass_fields__)


def test_a_folder_goes_to_every_kind_with_songs_by_name(dances, tmp_path, capsys):
    out = tmp_path / "out"
    assert program.main([f"motions={dances}", f"out={out}", "to=[glb,bvh,obj]", f"music={tmp_path / 'songs'}"]) == 0
    assert sorted(path.name for path in out.iterdir()) == [
        "one.bvh", "one.glb", "one_obj", "two.bvh", "two.glb", "two_obj"
    ]
    assert read_glb(out / "two.glb")[0]["animations"][0]["name"] == "two"
    assert "two.glb, to two.ogg" in capsys.readouterr().out
    assert np.abs(read_motion(out / "one.bvh").joints() - lively_motion(4).joints()).max() < 1e-4
    assert sorted(path.name for path in (out / "one_obj").iterdir()) == [f"mesh_{frame}.obj" for frame in range(4)]


@pytest.mark.parametrize("up", ["z", "y"])
def test_a_mesh_of_an_obj_sequence_is_the_bodys(dances, tmp_path, up):
    program.main([f"motions={dances / 'one.pkl'}", f"out={tmp_path}", "to=obj", "seconds=0.07", f"obj_up={up}"])
    motion, body = lively_motion(4), load_body("open")
    assert not (tmp_path / "one_obj" / "mesh_2.obj").exists()
    mesh = trimesh.load(tmp_path / "one_obj" / "mesh_1.obj", process=False)
    points = body.vertices(torch.from_numpy(motion.poses[1:2]), torch.from_numpy(motion.translation[1:2]))[0].numpy()
    expected = points if up == "z" else np.stack([points[:, 0], points[:, 2], -points[:, 1]], axis=1)
    np.testing.assert_allclose(mesh.vertices, expected, atol=1e-5)
    np.testing.assert_array_equal(mesh.faces, body.faces)


def test_the_floor_is_put_where_it_is_asked_for(dances, tmp_path):
    write_motion(dances / "high.pkl", lively_motion(4).shifted([0, 0, 3.0]))
    program.main([f"motions={dances / 'high.pkl'}", f"out={tmp_path / 'high.bvh'}", "ground=mean"])
    body, moved = load_body("open"), read_motion(tmp_path / "high.bvh")
    points = body.vertices(torch.from_numpy(moved.poses), torch.from_numpy(moved.translation)).numpy()
    assert points[..., 2].min(axis=1).mean() == pytest.approx(0.0, abs=1e-4)


def test_a_file_that_cannot_be_read_is_named_and_the_rest_is_written(dances, tmp_path, capsys):
    (dances / "broken.pkl").write_bytes(b"nothing")
    assert program.main([f"motions={dances}", f"out={tmp_path / 'out'}"]) == program.EXIT_BAD_FILES
    assert len(list((tmp_path / "out").iterdir())) == 2
    assert "broken.pkl" in capsys.readouterr().err


@pytest.mark.parametrize(("arguments", "said"), [
    (["out=x.glb"], "'out' is the single file x.glb, but there are 2 motions: name a folder"),
    (["out=x", "to=[fbx]"], "unknown kind of file 'fbx': choose one of bvh, glb, obj, usd, usda, usdc, usdz"),
    (["out=x", "music=none.wav"], "none.wav does not exist"),
    (["out=x", "seconds=0"], "seconds must be above 0, not 0"),
])
def test_bad_input_is_said_before_anything_is_written(dances, tmp_path, monkeypatch, arguments, said):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=said):
        program.main([f"motions={dances}", *arguments])
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize("arguments", [["out=x", "to=[glb,usdc]"], ["out=x.USDZ", "seconds=1"]])
def test_missing_openusd_is_a_sentence_and_nothing_is_written(dances, tmp_path, monkeypatch, arguments):
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "pxr" else find(name))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=r"need OpenUSD, which is not installed: pip install 'usd-core>=25.5'; .glb"):
        program.main([f"motions={dances / 'one.pkl'}", *arguments])
    assert not list(tmp_path.glob("x*"))


def test_usd_is_written_beside_the_others_and_as_a_single_file(dances, tmp_path):
    usd = pytest.importorskip("pxr.Usd", reason="USD files need usd-core, the extra `usd`")
    program.main([f"motions={dances}", f"out={tmp_path / 'out'}", "to=[usdc,glb]", f"music={tmp_path / 'songs'}"])
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "one.glb", "one.usdc", "two.glb", "two.usdc"
    ]
    stage = usd.Stage.Open(str(tmp_path / "out" / "two.usdc"))
    assert dict(stage.GetRootLayer().customLayerData) == {"motion": "two", "song": "two"}
    program.main([f"motions={dances / 'one.pkl'}", f"out={tmp_path / 'ONE.USDZ'}"])
    assert usd.Stage.Open(str(tmp_path / "ONE.USDZ")).GetEndTimeCode() == 3.0


def test_two_motions_that_would_share_a_file_are_refused(tmp_path):
    with pytest.raises(UserError, match=r"one\.pkl and one\.bvh would both be written to .*one\.glb: rename"):
        targets_of(["one.pkl", "one.bvh"], tmp_path, ("glb",), None)


def test_a_full_disk_is_said_before_a_sequence_is_begun(tmp_path, monkeypatch):
    usage = obj_sequence.shutil._ntuple_diskusage(10**9, 10**9, 10**6)
    monkeypatch.setattr(obj_sequence.shutil, "disk_usage", lambda path: usage)
    with pytest.raises(UserError, match=r"needs about 18 MB and its disk has 1 MB free: .*to=\[glb\]"):
        obj_sequence.write_obj_sequence(tmp_path / "new" / "a_obj", lively_motion(40), load_body("open"))
    assert not (tmp_path / "new").exists()
