import json

import numpy as np
import pytest

from rl_finetune.evaluate import Judge, evaluate_motions, load_judge, load_penetration, load_yardstick, main, song_beats
from skeleton2stage.errors import UserError
from skeleton2stage.files import write_pickle
from skeleton2stage.metrics.motion_critic import CriticSizes, MotionCritic
from skeleton2stage.motion.formats.write_motion import write_motion
from skeleton2stage.motion.motion import Motion
from skeleton2stage.motion.positions import JointMotion
from skeleton2stage.physics.imitation.imitation_policy import ImitationPolicy, PolicyConfig

OF_CLIPS = {"pfc", "fgd", "fgd_penetration", "fgd_floating", "mot_mag", "foot_skating"}


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
    assert set(content["metrics"]) >= OF_CLIPS | {"fid_k", "fid_g", "div_k", "div_g"}
    assert set(content["standard_errors"]) == set(content["metrics"])
    assert "mocap_statistics.npz" in content["reference"]
    assert content["metrics"]["pen_rate"] >= 0 and next(iter(content["metrics"])) == "pen_rate"
    assert content["metrics"]["mot_mag"] > 0 and content["metrics"]["fgd"] > 0
    assert content["skipped"]["success_rate"] == content["skipped"]["imitation"] == "policy=none"
    assert content["skipped"]["bas"] == "no music was given"
    assert "mot_mag" in capsys.readouterr().out and (tmp_path / "metrics.md").exists()


def test_pen_rate_is_pooled_over_frames_and_can_be_left_out():
    near, clear = swaying(20), swaying(60, seed=1)
    near.poses[:, 16, 2] -= 1.75  # the left arm in its side
    counter = load_penetration(True, "open")
    evaluation = evaluate_motions({"near": near, "clear": clear}, penetration=counter)
    of_near, of_clear = (evaluation.per_motion[name]["pen_rate"] for name in ("near", "clear"))
    assert of_near > of_clear + 50
    assert evaluation.metrics["pen_rate"] == pytest.approx((20 * of_near + 60 * of_clear) / 80)
    assert evaluation.penetration.shape == (4, 24)  # two seconds by half seconds
    assert evaluation.penetration[0].sum() == pytest.approx((15 * of_near + 15 * of_clear) / 30, rel=0.2)
    assert load_penetration(False, "open") is None
    assert evaluate_motions({"clear": clear}).skipped["pen_rate"] == "pen_rate=false"


def test_bad_files_are_named_and_the_rest_evaluated(folder, tmp_path, capsys):
    (folder / "torn.pkl").write_bytes(b"\x80\x04nothing")
    write_motion(folder / "short.pkl", swaying(2))
    assert main([f"motions={folder}", f"out={tmp_path}/m.json", "policy=none", "pen_rate=false"]) == 1
    assert set(_read(tmp_path / "m.json")["per_motion"]) == {"a.pkl", "more/b.pkl"}
    errors = [line for line in capsys.readouterr().err.splitlines() if line.startswith("left out")]
    assert len(errors) == 2
    assert "short.pkl: metrics need at least 3 frames" in errors[0] and "torn.pkl" in errors[1]


def raw_poses(motion):
    return {"smpl_poses": motion.poses.reshape(-1, 72), "smpl_trans": motion.translation}


def test_misread_files_are_refused_by_name(folder, tmp_path, capsys):
    good = raw_poses(swaying(60))
    y_up = raw_poses(swaying(60))
    y_up["smpl_poses"][:, :3] = 0.0
    nan = raw_poses(swaying(60))
    nan["smpl_trans"][7] = np.nan
    for name, content in {
        "degrees": good | {"smpl_poses": np.rad2deg(good["smpl_poses"])},
        "empty": {key: array[:0] for key, array in good.items()},
        "nan": nan,
        "one": {key: array[:1] for key, array in good.items()},
        "y_up": y_up,
    }.items():
        write_pickle(folder / f"{name}.pkl", content)
    assert main([f"motions={folder}", f"out={tmp_path}/m.json", "policy=none", "pen_rate=false"]) == 1
    assert set(_read(tmp_path / "m.json")["per_motion"]) == {"a.pkl", "more/b.pkl"}
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("left out")]
    words = ("degrees.pkl: its rotations", "empty.pkl: the motion has no frames", "nan.pkl: the motion has NaN",
             "one.pkl: metrics need at least 3 frames", "y_up.pkl: read as written")
    assert len(lines) == len(words) and all(word in line for word, line in zip(words, lines, strict=True))


def test_a_wrong_frame_rate_is_warned_of_by_name(folder, tmp_path, capsys):
    jumping = swaying(90)
    jumping.translation[:, 2] += np.abs(np.sin(np.arange(90) / 2.0))
    write_motion(folder / "fast.pkl", jumping)
    assert main([f"motions={folder}", f"out={tmp_path}/m.json", "policy=none", "pen_rate=false"]) == 0
    (line,) = [line for line in capsys.readouterr().err.splitlines() if line.startswith("warning")]
    assert "fast.pkl: it falls at" in line and "fast.pkl" in _read(tmp_path / "m.json")["per_motion"]


def test_joint_positions_alone_have_all_but_what_needs_rotations(tmp_path):
    motions = {name: swaying(90, seed) for seed, name in enumerate("abc")}
    positions = {name: JointMotion(motion.joints()) for name, motion in motions.items()}
    judge, yardstick = load_judge("demo", "mujoco", "open"), load_yardstick("demo")
    expected = evaluate_motions(motions, yardstick=yardstick)
    found = evaluate_motions(positions, judge, yardstick=yardstick)
    rotations = set(expected.metrics) - set(found.metrics)
    assert "mot_mag" in rotations and "fid_g" not in rotations
    assert all("hold joint positions only" in found.skipped[name] for name in rotations | {"imitation"})
    assert {name: expected.metrics[name] for name in found.metrics} == pytest.approx(found.metrics)


def test_the_critic_scores_what_has_rotations():
    motions = {"a": swaying(30), "b": JointMotion(swaying(30).joints())}
    evaluation = evaluate_motions(motions, critic=MotionCritic(CriticSizes(depth=1, width=8, out_width=6, n_heads=2)))
    assert {"motion_critic", "motion_critic_fixed"} <= set(evaluation.per_motion["a"])
    assert "motion_critic" not in evaluation.per_motion["b"] and "motion_critic" in evaluation.metrics
    assert "critic=FILE" in evaluate_motions(motions).skipped["motion_critic"]


def test_bailandos_files_are_read(tmp_path):
    (tmp_path / "motions").mkdir()
    joints = np.repeat(swaying(60).joints(), 2, axis=0)
    y_up = np.stack([joints[..., 0], joints[..., 2], -joints[..., 1]], axis=-1)
    np.save(tmp_path / "motions" / "a.pkl.npy", {"pred_position": y_up.reshape(-1, 72)}, allow_pickle=True)
    assert main([f"motions={tmp_path}/motions", f"out={tmp_path}/m.json"]) == 0
    content = _read(tmp_path / "m.json")
    assert content["n_frames"] == 60 and "joint positions only" in content["skipped"]["mot_mag"]
    assert content["metrics"]["pfc"] == pytest.approx(evaluate_motions({"a": swaying(60)}).metrics["pfc"], rel=1e-4)
    assert "at least 2 motions" in content["skipped"]["fid_k"]


def test_own_statistics_become_the_reference(folder, tmp_path, capsys):
    statistics = tmp_path / "stats.npz"
    assert main([f"motions={folder}", f"stats_out={statistics}", "policy=none", "pen_rate=false"]) == 0
    assert "2 motions" in capsys.readouterr().out
    only = ["policy=none", "pen_rate=false"]
    assert main([f"motions={folder}", f"out={tmp_path}/m.json", f"reference={statistics}", *only]) == 0
    content = _read(tmp_path / "m.json")
    assert content["metrics"]["fid_k"] == pytest.approx(0.0, abs=1e-4)
    assert content["reference"].startswith(str(statistics))
    main([f"motions={folder}", f"out={tmp_path}/m.json", "reference=none", "policy=none", "pen_rate=false"])
    assert _read(tmp_path / "m.json")["skipped"]["div_g"] == "reference=none"
    with pytest.raises(UserError, match="does not exist: make it with"):
        load_yardstick(str(tmp_path / "none.npz"))
    with pytest.raises(UserError, match="must name a .npz"):
        main([f"motions={folder}", f"stats_out={tmp_path}/stats.json"])


def test_statistics_that_are_not_shipped_are_a_reason(tmp_path, monkeypatch):
    monkeypatch.setattr("skeleton2stage.paths.demo_checkpoints", lambda: tmp_path)
    assert "no shipped statistics" in load_yardstick("demo").reason


def test_standard_errors_are_seeded(folder, tmp_path):
    errors = []
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        main([f"motions={folder}", f"out={tmp_path}/{name}.json", "policy=none", "pen_rate=false", f"seed={seed}"])
        errors.append(_read(tmp_path / f"{name}.json")["standard_errors"])
    assert errors[0] == errors[1] != errors[2]


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
    main([f"motions={folder}", f"out={tmp_path}/m.json", "policy=none", "pen_rate=false", f"music={tmp_path}/songs"])
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
    assert "<svg" in (tmp_path / "table.svg").read_text()
    assert main([tables, f"out={tmp_path / 'table.tex'}"]) == 0 and "tabular" in (tmp_path / "table.tex").read_text()
    with pytest.raises(UserError, match="as many different labels"):
        main([tables, "labels=[one]", f"out={tmp_path / 'table.md'}"])


def test_different_references_are_pointed_out(tmp_path, capsys):
    for name in "ab":
        (tmp_path / f"{name}.json").write_text(f'{{"metrics": {{"fid_k": 1.0}}, "reference": "{name}"}}')
    main([f"compare=[{tmp_path}/a.json,{tmp_path}/b.json]", "labels=[a,b]", f"out={tmp_path}/t.md"])
    assert "different references" in capsys.readouterr().err


def test_there_must_be_something_to_do(tmp_path):
    with pytest.raises(UserError, match="give motions=DIR"):
        main([f"out={tmp_path / 'metrics.json'}"])
    with pytest.raises(UserError, match="give out="):
        main([f"motions={tmp_path}"])
