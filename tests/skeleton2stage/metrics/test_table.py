import json

import pytest
import torch

from skeleton2stage.errors import UserError
from skeleton2stage.metrics.clip import clip_of
from skeleton2stage.metrics.table import (
    Evaluation,
    clip_metrics,
    comparison_table,
    evaluation_table,
    metric_named,
    read_metrics,
    write_evaluation,
)
from skeleton2stage.motion.motion import Motion

EVALUATION = Evaluation(
    frames={"a.pkl": 100, "b.pkl": 300},
    per_motion={"a.pkl": {"pfc": 1.0, "fgd": 8.0, "bas": 0.5}, "b.pkl": {"pfc": 2.0, "fgd": 4.0}},
    skipped={"imitation": "no policy"},
)


def _still(n_frames, fps=30.0):
    return Motion(torch.zeros(n_frames, 24, 3).numpy(), torch.zeros(n_frames, 3).numpy(), fps)


def test_published_set_values(published, public_motions):
    clips = {name: clip_of(motion) for name, motion in public_motions.items()}
    evaluation = Evaluation(
        {name: len(clip) for name, clip in clips.items()}, {name: clip_metrics(clip) for name, clip in clips.items()}
    )
    values, expected = evaluation.metrics, published["set"]
    assert sum(evaluation.frames.values()) == expected["fgd_total_frames"]
    assert values["pfc"] == pytest.approx(expected["pfc_x10000"], rel=1e-4)
    assert values["mot_mag"] == pytest.approx(expected["mot_mag_mean"], rel=1e-4)
    assert values["fgd_penetration"] == pytest.approx(expected["fgd_penetration_mm_per_frame"], rel=1e-4)
    assert values["fgd_floating"] == pytest.approx(expected["fgd_floating_mm_per_frame"], rel=1e-4)
    assert values["fgd"] == pytest.approx(expected["fgd_sum_mm_per_frame"], rel=1e-4)


def test_only_the_first_600_frames_enter():
    assert len(clip_of(_still(700))) == 600


@pytest.mark.parametrize(("motion", "words"), [(_still(2), "at least 3 frames"), (_still(9, 60.0), "not 60")])
def test_refuses_what_it_cannot_judge(motion, words):
    with pytest.raises(UserError, match=words):
        clip_of(motion)


def test_still_clip_has_finite_metrics():
    assert clip_metrics(clip_of(_still(5))) == {
        "pfc": 0.0, "fgd": 0.0, "fgd_penetration": 0.0, "fgd_floating": 0.0, "mot_mag": 0.0,
        "foot_skating": 0.0,
    }


def test_pooled_metrics_weigh_frames_and_others_motions():
    assert EVALUATION.metrics == {"pfc": 1.5, "fgd": (8.0 * 100 + 4.0 * 300) / 400, "bas": 0.5}


def test_json_keeps_its_contract(tmp_path):
    write_evaluation(tmp_path / "metrics.json", EVALUATION)
    content = json.loads((tmp_path / "metrics.json").read_text())
    assert list(content) == ["n_motions", "n_frames", "fps", "metrics", "per_motion", "skipped"]
    assert (content["n_motions"], content["n_frames"], content["fps"]) == (2, 400, 30)
    assert content["per_motion"]["a.pkl"]["bas"] == 0.5
    assert content["skipped"] == {"imitation": "no policy"}
    assert read_metrics(tmp_path / "metrics.json") == EVALUATION.metrics
    assert sorted(path.name for path in tmp_path.iterdir()) == ["metrics.json", "metrics.md"]
    assert (tmp_path / "metrics.md").read_text() == evaluation_table(EVALUATION)


def test_table_for_people_tells_what_is_missing():
    text = evaluation_table(EVALUATION)
    assert text.startswith("2 motions, 400 frames at 30 fps")
    assert "| pfc ↓  | 1.5000 |" in text
    assert "- imitation was skipped: no policy" in text


def test_comparison_shows_changes_from_the_first_column():
    table = comparison_table({"base": {"pfc": 2.0, "fgd": 0.0}, "tuned": {"pfc": 1.5, "fgd": 1.0, "bas": 0.25}})
    head, rule, *rows = table.splitlines()
    assert len({len(line) for line in table.splitlines()}) == 1
    assert [cell.strip() for cell in head.strip("|").split("|")] == ["metric", "base", "tuned"]
    assert rule.count(":") == 2
    cells = [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]
    assert cells == [
        ["pfc ↓", "2.0000", "1.5000 (-25.0 %)"], ["fgd ↓", "0.00", "1.00 (+1.00)"], ["bas ↑", "–", "0.2500"]
    ]


def test_unknown_names_and_files_are_explained(tmp_path):
    with pytest.raises(UserError, match="choose one of .*pfc"):
        metric_named("pcf")
    (tmp_path / "other.json").write_text("[1]")
    with pytest.raises(UserError, match="not a metrics.json"):
        read_metrics(tmp_path / "other.json")
