import json

import numpy as np
import pytest

from rl_finetune.evaluate import main
from skeleton2stage.errors import UserError
from skeleton2stage.evaluation.evaluate_motions import evaluate_motions
from skeleton2stage.evaluation.judge import load_yardstick
from skeleton2stage.files import write_pickle
from skeleton2stage.motion.formats.write_motion import write_motion
from swaying_motion import swaying

OF_CLIPS = {"pfc", "fgd", "fgd_penetration", "fgd_floating", "mot_mag", "foot_skating"}


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


def test_songs_of_the_same_name_give_beat_alignment(folder, tmp_path, clicks, capsys):
    (tmp_path / "songs").mkdir()
    clicks(tmp_path / "songs" / "a.wav", 6.0)
    main([f"motions={folder}", f"out={tmp_path}/m.json", "policy=none", "pen_rate=false", f"music={tmp_path}/songs"])
    content = _read(tmp_path / "m.json")
    assert 0.0 <= content["per_motion"]["a.pkl"]["bas"] <= 1.0
    assert content["metrics"]["bas"] == content["per_motion"]["a.pkl"]["bas"]
    assert "bas" not in content["per_motion"]["more/b.pkl"] and "bas" not in content["skipped"]
    assert "no bas for more/b.pkl" in capsys.readouterr().err


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
