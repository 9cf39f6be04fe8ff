import json

import numpy as np
import pytest
from bvh_samples import person_text
from motion_samples import WRITERS, upright_motion

from skeleton2stage.errors import UserError
from skeleton2stage.motion.convert import main, output_paths, read_clip_notes
from skeleton2stage.motion.formats import read_motion


@pytest.fixture
def source(tmp_path):
    folder = tmp_path / "in"
    (folder / "sub").mkdir(parents=True)
    WRITERS["aistpp"](folder / "a.pkl", upright_motion())
    (folder / "sub" / "b.bvh").write_text(person_text({}, 60))
    return folder


def run(capsys, *arguments):
    status = main(list(arguments))
    return status, capsys.readouterr().out


def test_folder_is_converted_and_described(source, tmp_path, capsys):
    status, said = run(capsys, f"source={source}", f"out={tmp_path / 'out'}")
    assert status == 0 and "2 of 2" in said
    assert "a.pkl: aistpp, 60 fps, y up, 60 frames -> 30 frames" in said
    assert "b.bvh: bvh, 60 fps, y up, 60 frames -> 30 frames" in said and "mean error" in said
    expected = upright_motion().joints()
    np.testing.assert_allclose(read_motion(tmp_path / "out" / "a.pkl").joints(), expected, atol=2e-5)
    assert read_motion(tmp_path / "out" / "sub" / "b.pkl").fps == 30


def test_bad_file_fails_and_the_rest_is_converted(source, tmp_path, capsys):
    (source / "bad.pkl").write_bytes(b"nonsense")
    np.savez(source / "shape.npz", betas=np.zeros(10))
    status, said = run(capsys, f"source={source}", f"out={tmp_path / 'out'}")
    assert status == 1
    assert "bad.pkl: FAILED" in said and "shape.npz: skipped" in said
    assert (tmp_path / "out" / "a.pkl").is_file() and not (tmp_path / "out" / "bad.pkl").exists()


def test_trims_are_seconds_of_the_clip(source, tmp_path, capsys):
    trims = tmp_path / "trims.json"
    trims.write_text(json.dumps({"keep_s": {"a": [0.2, 0.7]}}))
    assert run(capsys, f"source={source / 'a.pkl'}", f"out={tmp_path / 'out'}", f"clips={trims}")[0] == 0
    found = read_motion(tmp_path / "out" / "a.pkl")
    np.testing.assert_allclose(found.joints(), upright_motion().joints()[6:21], atol=2e-5)


@pytest.mark.parametrize(
    "content",
    [[], {"keep": {}}, {"keep_s": {"a": 3}}, {"keep_s": {"a": ["x", None]}}, {"fps": {"a": 0}}, {"fps": 3}],
)
def test_bad_trims_are_refused(tmp_path, content):
    (tmp_path / "t.json").write_text(json.dumps(content))
    with pytest.raises(UserError, match=r"t\.json"):
        read_clip_notes(tmp_path / "t.json")


def test_sources_are_never_overwritten(tmp_path):
    with pytest.raises(UserError, match="comes from"):
        output_paths(tmp_path, [tmp_path / "a.pkl"], tmp_path)
    with pytest.raises(UserError, match="several files"):
        output_paths(tmp_path, [tmp_path / "a.npz", tmp_path / "a.bvh"], tmp_path / "out")


def test_help_and_unknown_key(capsys):
    assert run(capsys, "--help")[1].startswith("usage: python -m skeleton2stage.motion.convert")
    with pytest.raises(UserError, match="unknown key 'sorce'"):
        main(["sorce=x", "out=y"])
    with pytest.raises(UserError, match="unknown motion format 'smpl'"):
        main(["source=x", "out=y", "format=smpl"])
