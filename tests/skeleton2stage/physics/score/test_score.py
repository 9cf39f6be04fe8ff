"""The scoring command, small but whole: files in, verdict and performances out."""

import html
import json

import numpy as np
import pytest
import torch

from skeleton2stage.errors import UserError
from skeleton2stage.motion.formats.read_motion import read_motion
from skeleton2stage.motion.formats.write_motion import write_motion
from skeleton2stage.motion.motion import Motion
from skeleton2stage.physics.axes.read_axes import AXES
from skeleton2stage.physics.imitation.imitation_policy import ImitationPolicy, PolicyConfig
from skeleton2stage.physics.score.__main__ import main
from skeleton2stage.physics.score.dance_scorer import DanceScores
from skeleton2stage.physics.score.performances import performed_paths, windows
from skeleton2stage.physics.score.verdict import verdict


@pytest.fixture(scope="module")
def policy(tmp_path_factory):
    """A policy that adds nothing to the reference, on a file."""
    path = tmp_path_factory.mktemp("policy") / "policy.safetensors"
    still = ImitationPolicy(PolicyConfig(hidden=(4,)))
    for parameter in still.parameters():
        torch.nn.init.zeros_(parameter)
    still.save(path)
    return path


@pytest.fixture()
def folder(tmp_path, standing):
    write_motion(tmp_path / "motions" / "a.pkl", standing.slice(0, 20))
    write_motion(tmp_path / "motions" / "more" / "b.pkl", standing.slice(0, 12).shifted(np.array([2.0, 0.0, 1.0])))
    return tmp_path / "motions"


def test_folder_in_verdict_out(folder, tmp_path, policy, capsys):
    out = tmp_path / "score.json"
    assert main([f"motions={folder}", f"out={out}", f"policy={policy}", f"save={tmp_path}/done"]) == 0
    content = json.loads(out.read_text())
    assert (content["n_motions"], content["n_frames"], content["simulator"]) == (2, 32, "mujoco")
    assert set(content["per_motion"]) == {"a.pkl", "more/b.pkl"} and set(content["axes"]) == set(AXES)
    figures = {"imitation", "success", "body_error_mm", "residual_effort", "self_contact"}
    assert set(content["metrics"]) == set(content["standard_errors"]) == figures
    assert content["metrics"]["success"] == 1 and content["metrics"]["imitation"] > 0.9
    assert "mean ± standard error" in capsys.readouterr().out
    performed = read_motion(tmp_path / "done" / "more" / "b.pkl")
    assert len(performed) == 12
    np.testing.assert_allclose(performed.translation, read_motion(folder / "more" / "b.pkl").translation, atol=0.02)


def test_the_verdict_explains_itself(tmp_path, policy, standing, capsys):
    """A motion lifted by 8 cm for a while is told so in the file, on the screen and on its page; one of three frames
    has no axes and no page.
    """
    poses = np.tile(standing.poses[:1], (90, 1, 1))
    translation = np.tile(standing.translation[:1], (90, 1))
    translation[:, 2] -= 0.017  # the soles on the floor
    translation[40:60, 2] += 0.08
    for name, motion in (("lifted", Motion(poses, translation)), ("blink", standing.slice(0, 3))):
        write_motion(tmp_path / "in" / f"{name}.pkl", motion)
    arguments = [f"motions={tmp_path}/in", f"out={tmp_path}/s.json", f"policy={policy}", f"report={tmp_path}/pages"]
    assert main(arguments) == 0
    content = json.loads((tmp_path / "s.json").read_text())
    lifted, blink = content["per_motion"]["lifted.pkl"], content["per_motion"]["blink.pkl"]
    assert set(lifted["axes"]) == set(content["axes"]) == set(AXES) and "axes" not in blink
    assert lifted["axes"]["float"]["worst"] == pytest.approx(8.0, abs=1.5) and lifted["axes"]["float"]["unit"] == "cm"
    assert 1.3 <= lifted["axes"]["float"]["at_s"] <= 2.0 and lifted["axes"]["float"]["score"] < 0.95
    assert any(fault["axis"] == "float" and 1.2 < fault["start_s"] < 1.6 for fault in lifted["faults"])
    assert "the body floats" in lifted["summary"].lower() and lifted["summary"] in capsys.readouterr().out
    assert sorted(path.name for path in (tmp_path / "pages").iterdir()) == ["index.html", "lifted.html"]
    page = (tmp_path / "pages" / "lifted.html").read_text()
    assert html.escape(lifted["summary"]) in page and page.count("data:image/png") >= 1


def test_bad_files_are_named_and_the_rest_scored(folder, tmp_path, policy, standing, capsys):
    (folder / "torn.pkl").write_bytes(b"\x80\x04nothing")
    write_motion(folder / "short.pkl", standing.slice(0, 1))
    assert main([f"motions={folder}", f"out={tmp_path}/s.json", f"policy={policy}", "wrench_scale=0"]) == 1
    content = json.loads((tmp_path / "s.json").read_text())
    assert set(content["per_motion"]) == {"a.pkl", "more/b.pkl"} and content["wrench_scale"] == 0
    errors = [line for line in capsys.readouterr().err.splitlines() if line.startswith("left out")]
    assert len(errors) == 2 and "at least 2 frames" in errors[0] and "torn.pkl" in errors[1]


def test_bad_input_is_one_sentence(folder, tmp_path, policy):
    for arguments, sentence in (
        ([f"out={tmp_path}/s.txt"], "must name a .json"),
        ([f"out={tmp_path}/s.json", "window_s=0.01"], "window_s must be at least .*: a window has two frames or more"),
        ([f"out={tmp_path}/s.json", "window_s=7"], "no motion is as long as window_s=7; the longest has 0.67 s"),
        ([f"out={tmp_path}/s.json", f"save={folder}"], "would replace .*which was read"),
        ([f"out={tmp_path}/s.json", "simulator=bullet"], "unknown simulator 'bullet'"),
        ([f"out={tmp_path}/s.json", "format=fbx"], "unknown motion format|none of the 2 files"),
    ):
        with pytest.raises(UserError, match=sentence):
            main([f"motions={folder}", f"policy={policy}", *arguments])
    assert not (tmp_path / "s.json").exists()


def test_windows_lie_end_to_end(standing):
    cut = windows({"a@b.pkl": standing, "c.pkl": standing.slice(0, 29)}, 1.0)
    assert list(cut) == ["a@b.pkl@0", "a@b.pkl@30"]
    assert all(len(motion) == 30 for motion in cut.values())


def test_every_performance_has_its_own_file(tmp_path):
    assert performed_paths(["x/a@b.npz@30", "a@b.bvh"], tmp_path) == [tmp_path / "x/a@b@30.pkl", tmp_path / "a@b.pkl"]
    with pytest.raises(UserError, match="several motions would be written"):
        performed_paths(["a.npz", "a.pkl"], tmp_path)


def test_means_and_their_errors_are_over_files(standing):
    """Two files of two windows: one always 0, one always 1; windows that agree say nothing new."""
    scores = DanceScores(*[torch.tensor([0.0, 0.0, 1.0, 1.0])] * 5, torch.zeros(4, 1))
    clips = {name: Motion(standing.poses, standing.translation) for name in ("a@0", "a@30", "b@0", "b@30")}
    content = verdict(clips, scores, {})
    assert content["metrics"]["imitation"] == 0.5
    assert content["standard_errors"]["imitation"] == pytest.approx(np.sqrt(0.125), rel=0.05)
    one_file = verdict({"a@0": clips["a@0"]}, DanceScores(*torch.zeros(5, 1), torch.zeros(1, 1)), {})
    assert one_file["standard_errors"] == {}
