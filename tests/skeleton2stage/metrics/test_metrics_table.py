import json
from pathlib import Path

import numpy as np
import pytest
import torch

from skeleton2stage.errors import UserError
from skeleton2stage.metrics.measured_clip import clip_of
from skeleton2stage.metrics.metrics_table import (
    METRICS,
    Evaluation,
    clip_metrics,
    evaluation_table,
    metric_named,
    write_evaluation,
)
from skeleton2stage.motion.motion import Motion
from skeleton2stage.motion.positions import JointMotion

DOCUMENT = Path(__file__).parents[3] / "docs" / "metrics.md"
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


def test_joint_positions_have_what_positions_suffice_for():
    still = _still(5)
    values = clip_metrics(clip_of(JointMotion(still.joints())))
    assert clip_metrics(clip_of(still)) == values | {"mot_mag": 0.0} and "mot_mag" not in values


def test_pooled_metrics_weigh_frames_and_others_motions():
    assert EVALUATION.metrics == {"pfc": 1.5, "fgd": (8.0 * 100 + 4.0 * 300) / 400, "bas": 0.5}


def test_standard_errors_are_those_of_the_mean_over_motions():
    values = np.random.default_rng(0).normal(size=400)
    per_motion = {str(i): {"pfc": float(value), "fgd": float(value)} for i, value in enumerate(values)}
    errors = Evaluation(dict.fromkeys(per_motion, 30), per_motion).standard_errors
    assert errors["pfc"] == pytest.approx(values.std() / 20, rel=0.06) and errors["fgd"] == errors["pfc"]
    seeded = Evaluation(dict.fromkeys(per_motion, 30), per_motion, seed=1).standard_errors
    assert seeded["pfc"] != errors["pfc"]


def test_the_error_of_a_pooled_metric_weighs_frames():
    # All frames but a few are of motions that agree.
    frames = {"a": 600, "b": 600, "c": 600, "d": 3}
    per_motion = {name: {"fgd": 1.0, "pfc": 1.0} for name in "abc"} | {"d": {"fgd": 9.0, "pfc": 9.0}}
    errors = Evaluation(frames, per_motion).standard_errors
    assert errors["fgd"] < 0.5 * errors["pfc"]


def test_one_motion_has_no_standard_error():
    assert Evaluation({"a": 30}, {"a": {"pfc": 1.0}}).standard_errors == {}


def test_json_keeps_its_contract(tmp_path):
    write_evaluation(tmp_path / "metrics.json", EVALUATION)
    content = json.loads((tmp_path / "metrics.json").read_text())
    assert list(content) == [
        "n_motions", "n_frames", "fps", "metrics", "standard_errors", "per_motion", "skipped", "reference",
        "made_by",
    ]
    assert (content["n_motions"], content["n_frames"], content["fps"]) == (2, 400, 30)
    assert content["per_motion"]["a.pkl"]["bas"] == 0.5
    assert content["skipped"] == {"imitation": "no policy"}
    assert content["metrics"] == EVALUATION.metrics and content["standard_errors"] == EVALUATION.standard_errors
    assert sorted(path.name for path in tmp_path.iterdir()) == ["metrics.json", "metrics.md"]
    assert (tmp_path / "metrics.md").read_text() == evaluation_table(EVALUATION)


def test_table_for_people_shows_errors_and_tells_what_is_missing():
    text = evaluation_table(EVALUATION)
    assert text.startswith("2 motions, 400 frames at 30 fps")
    assert f"1.5000 ± {EVALUATION.standard_errors['pfc']:.4f}" in text
    assert "0.5000 |" in text  # bas, of one motion
    assert "- imitation was skipped: no policy" in text


def test_what_only_a_set_has_stands_with_its_reference():
    evaluation = Evaluation({}, {}, of_set={"fid_k": 2.0}, errors_of_set={"fid_k": 0.5}, reference="mocap, 24 motions")
    assert evaluation.metrics == {"fid_k": 2.0}
    text = evaluation_table(evaluation)
    assert "2.00 ± 0.50" in text and "relative to mocap, 24 motions" in text


def test_unknown_names_are_explained():
    with pytest.raises(UserError, match="choose one of .*pfc"):
        metric_named("pcf")


def test_the_document_tells_which_way_each_metric_is_better():
    """Every row of docs/metrics.md's table, and every metric in it; corrected variants stand beside theirs."""
    lines = DOCUMENT.read_text(encoding="utf-8").splitlines()
    rows = [line.strip("| ").split(" | ") for line in lines if line.startswith("| `")]
    told = {name.strip("`"): row[1] for row in rows for name in row[0].split(", ")}
    words = {"lower": "lower", "higher": "higher", "as data": "neither"}
    assert {name: words[word] for name, word in told.items()} == {
        metric.name: metric.better for metric in METRICS if not metric.name.endswith("_fixed")
    }
    for metric in METRICS:
        if metric.name.endswith("_fixed"):
            plain = metric_named(metric.name.removesuffix("_fixed"))
            assert (metric.better, metric.decimals) == (plain.better, plain.decimals)


def test_what_needs_rotations_and_what_is_pooled_over_frames():
    needing = {metric.name for metric in METRICS if metric.needs_rotations}
    assert needing == {"pen_rate", "pen_rate_apart", "mot_mag", "motion_critic", "motion_critic_fixed"}
    pooled = {metric.name for metric in METRICS if metric.pooled}
    assert pooled == {"pen_rate", "pen_rate_apart", "fgd", "fgd_penetration", "fgd_floating"}
    assert [metric_named(name).label for name in ("pfc", "bas", "mot_mag")] == ["pfc ↓", "bas ↑", "mot_mag →"]
