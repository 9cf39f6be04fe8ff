import json

import numpy as np
import pytest

from rl_finetune.evaluate import Judge, evaluate_motions, load_judge, main, song_beats
from skeleton2stage.errors import UserError
from skeleton2stage.motion.formats import write_motion
from skeleton2stage.motion.motion import Motion
from skeleton2stage.physics.policy import ImitationPolicy, PolicyConfig


def swaying(n_frames, seed=0):
    """Return an upright motion whose joints sway, its feet about 5 cm over the floor."""
    generator = np.random.default_rng(seed)
    phase = 2 * np.pi * (np.arange(n_frames)[:, None, None] / 30.0 + generator.uniform(size=(24, 3)))
    poses = 0.1 * np.sin(phase)
    poses[:, 0] = (np.pi / 2, 0.0, 0.0)
    height = 0.95 + 0.02 * np.sin(phase[:, 0, :1])
    return Motion(poses, np.concatenate((np.zeros((n_frames, 2)), height), axis=1))


def test_a_metric_without_a_value_says_so():
    flying = swaying(30)
    flying.poses[0, 7:9, 0] = 1.2  # on the tips of its toes in frame 0, which says where the floor is
    flying.translation[1:, 2] += 1.0
    skipped = evaluate_motions({"a": flying}).skipped
    assert "no finite value" in skipped["foot_skating"]


@pytest.fixture
def folder(tmp_path):
    motions = tmp_path / "motions"
    write_motion(motions / "a.pkl", swaying(60))
    write_motion(motions / "more" / "b.pkl", swaying(700, seed=1))
    return motions


def _read(path):
    return json.loads(path.read_text())


def test_folder_in_metrics_out(folder, tmp_path, capsys):
    assert main([f"motions={folder}", f"out={tmp_path}/metrics.json", "policy=none"]) == 0
    content = _read(tmp_path / "metrics.json")
    assert (content["n_motions"], content["n_frames"], content["fps"]) == (2, 660, 30)
    assert set(content["per_motion"]) == {"a.pkl", "more/b.pkl"}
    assert set(content["metrics"]) == {"pfc", "fgd", "fgd_penetration", "fgd_floating", "mot_mag", "foot_skating"}
    assert content["metrics"]["mot_mag"] > 0 and content["metrics"]["fgd"] > 0
    assert content["skipped"]["success_rate"] == content["skipped"]["imitation"] == "policy=none"
    assert content["skipped"]["bas"] == "no music was given"
    assert "mot_mag" in capsys.readouterr().out and (tmp_path / "metrics.md").exists()


def test_bad_files_are_named_and_the_rest_evaluated(folder, tmp_path, capsys):
    (folder / "torn.pkl").write_bytes(b"\x80\x04nothing")
    write_motion(folder / "short.pkl", swaying(2))
    assert main([f"motions={folder}", f"out={tmp_path}/m.json", "policy=none"]) == 1
    assert set(_read(tmp_path / "m.json")["per_motion"]) == {"a.pkl", "more/b.pkl"}
    errors = [line for line in capsys.readouterr().err.splitlines() if line.startswith("left out")]
    assert len(errors) == 2
    assert "short.pkl: metrics need at least 3 frames" in errors[0] and "torn.pkl" in errors[1]


def test_useless_folders_and_names_are_one_sentence(tmp_path, folder):
    with pytest.raises(UserError, match="does not exist"):
        main([f"motions={tmp_path}/none", f"out={tmp_path}/m.json", "policy=none"])
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "x.pkl").write_bytes(b"")
    with pytest.raises(UserError, match="none of the 1 files"):
        main([f"motions={tmp_path}/bad", f"out={tmp_path}/m.json", "policy=none"])
    with pytest.raises(UserError, match="must name a .json"):
        main([f"motions={folder}", f"out={tmp_path}/m.txt"])
    assert not (tmp_path / "m.json").exists()


def test_a_named_policy_must_be_there_and_a_simulator_known(tmp_path):
    with pytest.raises(UserError, match="no checkpoint"):
        load_judge(str(tmp_path / "policy.safetensors"), "mujoco", "open")
    with pytest.raises(UserError, match="unknown simulator 'bullet': choose one of .*mujoco"):
        load_judge(str(tmp_path / "policy.safetensors"), "bullet", "open")


def test_a_policy_that_is_not_shipped_is_a_reason(tmp_path, monkeypatch):
    monkeypatch.setattr("skeleton2stage.paths.demo_checkpoints", lambda: tmp_path)
    judge = load_judge("demo", "mujoco", "open")
    assert judge.scorer is None and "no shipped imitation policy" in judge.reason
    assert evaluate_motions({"a": swaying(30)}, judge).skipped["imitation"] == judge.reason


def test_songs_of_the_same_name_give_beat_alignment(folder, tmp_path, clicks, capsys):
    (tmp_path / "songs").mkdir()
    clicks(tmp_path / "songs" / "a.wav", 6.0)
    main([f"motions={folder}", f"out={tmp_path}/m.json", "policy=none", f"music={tmp_path}/songs"])
    content = _read(tmp_path / "m.json")
    assert 0.0 <= content["per_motion"]["a.pkl"]["bas"] <= 1.0
    assert content["metrics"]["bas"] == content["per_motion"]["a.pkl"]["bas"]
    assert "bas" not in content["per_motion"]["more/b.pkl"] and "bas" not in content["skipped"]
    assert "no bas for more/b.pkl" in capsys.readouterr().err


def test_only_beats_within_the_dance_count(clicks, tmp_path):
    beats = song_beats(clicks(tmp_path / "a.wav", 6.0).parent, ["a.pkl"])["a.pkl"]
    short = swaying(60)
    heard = beats[beats < 120]
    assert 0 < len(heard) < len(beats)
    whole, cut = (evaluate_motions({"a.pkl": short}, beats={"a.pkl": b}).metrics["bas"] for b in (beats, heard))
    assert whole == cut


def test_published_values(reference):
    expected = json.loads((reference / "metrics_public.json").read_text())
    with np.load(reference / "motions_public.npz") as arrays, np.load(reference / "metrics_public.npz") as metrics:
        names = sorted(expected["per_motion"])
        motions = {
            name: Motion(arrays[f"{name}/smpl_poses"].reshape(-1, 24, 3), arrays[f"{name}/smpl_trans"])
            for name in names
        }
        beats = {name: metrics[f"{name}/music_beats_60fps"] for name in names}
    values = evaluate_motions(motions, Judge(None), beats).metrics
    for name, published in (("pfc", "pfc_x10000"), ("bas", "bas"), ("fgd", "fgd_sum_mm_per_frame")):
        assert values[name] == pytest.approx(expected["set"][published], rel=1e-4), name


def test_physical_metrics_of_an_untrained_policy(tmp_path):
    ImitationPolicy(PolicyConfig((8,))).save(tmp_path / "policy.safetensors")
    judge = load_judge(str(tmp_path / "policy.safetensors"), "mujoco", "open")
    evaluation = evaluate_motions({"a": swaying(45), "b": swaying(30, seed=3)}, judge)
    assert set(evaluation.per_motion["a"]) >= {"success_rate", "imitation"}
    assert 0.0 < evaluation.metrics["imitation"] < 1.0
    assert evaluation.metrics["success_rate"] in (0.0, 0.5, 1.0)


def test_results_are_set_side_by_side(tmp_path, capsys):
    for name, value in (("base", 2.0), ("tuned", 1.0)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "metrics.json").write_text(f'{{"metrics": {{"pfc": {value}}}}}')
    tables = f"compare=[{tmp_path / 'base' / 'metrics.json'},{tmp_path / 'tuned' / 'metrics.json'}]"
    assert main([tables, f"out={tmp_path / 'table.md'}"]) == 0
    table = (tmp_path / "table.md").read_text()
    assert "base" in table and "tuned" in table and "-50" in table.replace("−", "-")
    assert table.strip() in capsys.readouterr().out
    with pytest.raises(UserError, match="as many different labels"):
        main([tables, "labels=[one]", f"out={tmp_path / 'table.md'}"])


def test_there_must_be_something_to_do(tmp_path):
    with pytest.raises(UserError, match="give motions=DIR"):
        main([f"out={tmp_path / 'metrics.json'}"])
