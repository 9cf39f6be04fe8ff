import json
import shutil
import subprocess

import numpy as np
import pytest

from dance_model.export_checkpoint import main as export_checkpoint
from rl_finetune.eval_checkpoint import find_checkpoint, main
from skeleton2stage import paths
from skeleton2stage.config import load_config
from skeleton2stage.errors import UserError


@pytest.fixture
def runs(tiny_checkpoint, tmp_path):
    """Return a folder of runs with one, `exp`, saved at epochs 3 and 12."""
    weights = tmp_path / "runs" / "exp" / "weights"
    shutil.copytree(tiny_checkpoint.parent, weights)
    for suffix in (".safetensors", ".json"):
        shutil.copy(weights / f"train-3{suffix}", weights / f"train-12{suffix}")
    return tmp_path / "runs"


def _arguments(runs, music, out, epoch=3):
    return [
        "name=exp", f"epoch={epoch}", f"motion_save_root={out}", f"ckpt_root={runs}", f"music={music}",
        "policy=none", "n_steps=2", "device=cpu",
    ]


def test_cached_features_with_songs_beside_them(runs, tmp_path, clicks):
    music = tmp_path / "cached"
    for song in ("one", "two"):
        (music / song).mkdir(parents=True)
        for index in range(3):
            np.save(music / song / f"{song}_slice{index}.npy", np.zeros((150, 35), dtype=np.float32))
    clicks(music / "one.wav", 10.0)
    assert main(_arguments(runs, music, tmp_path / "out")) == 0
    out = tmp_path / "out" / "exp-3"
    written = ["metrics.json", "metrics.md", "metrics_penetration.svg", "one.pkl", "two.pkl"]
    assert sorted(path.name for path in out.iterdir()) == written
    content = json.loads((out / "metrics.json").read_text())
    assert (content["n_motions"], content["n_frames"]) == (2, 600)
    assert "bas" in content["per_motion"]["one.pkl"] and "bas" not in content["per_motion"]["two.pkl"]


def test_features_alone_leave_beat_alignment_out(runs, tmp_path, capsys):
    np.save(tmp_path / "song.npy", np.zeros((160, 35), dtype=np.float32))
    assert main(_arguments(runs, tmp_path / "song.npy", tmp_path / "out")) == 0
    content = json.loads((tmp_path / "out" / "exp-3" / "metrics.json").read_text())
    assert content["skipped"]["bas"] == "no music was given" and content["n_frames"] == 160
    assert "bas is left out" in capsys.readouterr().err


def test_projection_guidance_and_foot_lock_by_the_policy_that_judges(runs, tmp_path, tiny_policy, capsys):
    """The untrained policy falls over the tiny model's dances, and says so."""
    np.save(tmp_path / "song.npy", np.zeros((150, 35), dtype=np.float32))
    together = ["project=2", "fgd_guidance=metric", "foot_lock=true", "pen_rate=false", f"policy={tiny_policy}"]
    assert main([*_arguments(runs, tmp_path / "song.npy", tmp_path / "out"), *together]) == 0
    assert "success_rate" in json.loads((tmp_path / "out" / "exp-3" / "metrics.json").read_text())["metrics"]
    assert capsys.readouterr().err.count("1 of 1 dances fell") == 2
    with pytest.raises(UserError, match="project=1 needs an imitation policy to perform the dances: policy=none"):
        main([*_arguments(runs, tmp_path / "song.npy", tmp_path / "out"), "project=1"])


def test_weights_in_edges_form_are_found_and_other_names_passed_over(runs, tmp_path):
    weights = runs / "exp" / "weights"
    export_checkpoint([f"checkpoint={weights / 'train-3.safetensors'}", f"out={weights / 'train-20.pt'}"])
    (weights / "train-best.pt").write_bytes(b"")
    assert find_checkpoint(runs, "exp", 20) == weights / "train-20.pt"
    assert find_checkpoint(runs, "exp", 3) == weights / "train-3.safetensors"
    with pytest.raises(UserError, match="epochs saved are 3, 12, 20$"):
        find_checkpoint(runs, "exp", 4)


def test_missing_epochs_and_runs_list_what_there_is(runs, tmp_path):
    with pytest.raises(UserError, match="epochs saved are 3, 12"):
        main(_arguments(runs, tmp_path, tmp_path / "out", epoch=4))
    with pytest.raises(UserError, match="no run 'exp' with weights"):
        main(_arguments(tmp_path / "elsewhere", tmp_path, tmp_path / "out"))
    with pytest.raises(UserError, match="it has exp"):
        main([*_arguments(runs, tmp_path, tmp_path / "out"), "name=other"])


def test_script_without_arguments_tells_how_to_use_it():
    if not (paths.REPOSITORY / "environment.sh").exists():
        pytest.skip("no environment.sh to source")
    script = paths.REPOSITORY / "code" / "rl_finetune" / "eval.sh"
    result = subprocess.run(["bash", str(script), "exp"], capture_output=True, text=True)
    assert result.returncode == 2
    assert "usage: bash eval.sh EXP_NAME EPOCH MOTION_SAVE_ROOT CKPT_ROOT CACHED_MUSIC_FEATURES" in result.stderr


def test_four_samples_of_a_song_are_all_danced_to_it(runs, tmp_path, clicks):
    np.save(tmp_path / "one.npy", np.zeros((150, 35), dtype=np.float32))
    clicks(tmp_path / "songs" / "one.wav", 6.0)
    more = ["samples_per_song=4", f"songs={tmp_path / 'songs'}", "pen_rate=false", "reference=none"]
    assert main([*_arguments(runs, tmp_path / "one.npy", tmp_path / "out"), *more]) == 0
    content = json.loads((tmp_path / "out" / "exp-3" / "metrics.json").read_text())
    assert list(content["per_motion"]) == [f"one_{number}.pkl" for number in range(1, 5)]
    assert all("bas" in values for values in content["per_motion"].values())


def test_a_critic_is_read_before_anything_is_danced(runs, tmp_path):
    np.save(tmp_path / "one.npy", np.zeros((150, 35), dtype=np.float32))
    with pytest.raises(UserError, match="no_critic.pth"):
        main([*_arguments(runs, tmp_path / "one.npy", tmp_path / "out"), f"critic={tmp_path / 'no_critic.pth'}"])
    assert list(tmp_path.glob("out/**/*.pkl")) == []


def test_the_papers_protocol_is_one_word_and_what_is_typed_wins():
    def settings(*arguments):
        return load_config("eval_checkpoint", [*_arguments("runs", "music", "out"), *arguments])

    plain, paper = settings(), settings("body=open", "protocol=paper")
    changed = {key: paper[key] for key in paper if paper[key] != plain[key]}
    assert changed == {"samples_per_song": 4, "fgd_guidance": "published", "foot_lock": True}
    assert settings("protocol=paper")["body"] == "smpl"
    assert settings("protocol=plain") == settings("preset=plain") == plain
    with pytest.raises(UserError, match="unknown preset 'papers': choose one of paper, plain"):
        settings("protocol=papers")
