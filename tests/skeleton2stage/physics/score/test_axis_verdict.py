"""What of readings is written and shown, from readings made by hand."""

import json

import numpy as np
import pytest
import torch

from skeleton2stage.body.body_choice import BodyChoice
from skeleton2stage.body.body_model import load_body
from skeleton2stage.motion import skeleton
from skeleton2stage.physics.axes.read_axes import AXES, GROUPS, WHOLE_BODY
from skeleton2stage.physics.axes.reading import Reading
from skeleton2stage.physics.score.axis_verdict import ClipReadings, axis_content, explained, read_clips
from skeleton2stage.physics.score.dance_scorer import DanceScores
from skeleton2stage.physics.score.verdict import COLUMNS, verdict, verdict_table

T = 60
KNEE, FOOT = skeleton.joint_index("left_knee"), skeleton.joint_index("left_foot")


@pytest.fixture()
def clip(humanoid) -> ClipReadings:
    """A knee beyond its range from frame 30 to 44, half a fault, and a body that floats by 9 cm from 50 to 59."""
    readings = {axis: Reading(torch.zeros(1, T, 24), torch.zeros(1, T, 24), "cm") for axis in AXES}
    knee, floats = readings["joint_limits"], readings["float"]
    knee.value[0, 30:45, KNEE], knee.share[0, 30:45, KNEE] = 20.0, 0.5
    knee.value[0, 33, KNEE] = 37.25
    knee.value[0, 30:45, FOOT], knee.share[0, 30:45, FOOT] = 5.0, 0.04
    floats.value[0, 50:, 0], floats.share[0, 50:, 0] = 9.0, 0.25
    return ClipReadings(readings, load_body("open"), humanoid)


def test_an_axis_is_written_with_its_score_its_worst_and_where(clip):
    axes = axis_content(clip)["axes"]
    assert list(axes) == list(AXES)
    assert axes["joint_limits"] == {
        "score": pytest.approx(1 - 0.5 * 15 / T, abs=1e-4), "worst": 37.25, "unit": "cm", "part": "left shin",
        "at_s": 1.1, "frames_at_fault": 0.25,
    }
    assert axes["float"]["part"] == "hips" and axes["float"]["frames_at_fault"] == pytest.approx(1 / 6, abs=1e-4)
    assert axes["torque"]["score"] == 1.0 and axes["torque"]["frames_at_fault"] == 0.0


def test_faults_are_written_in_plain_types_and_names(clip):
    content = axis_content(clip)
    first, second = content["faults"]
    assert (first["axis"], second["axis"]) == ("joint_limits", "float")
    assert first["part"] == "left shin" and first["parts"] == ["left shin", "left toes"]
    assert (first["start_s"], first["stop_s"], first["peak_s"], first["peak"]) == (1.0, 1.5, 1.1, 37.25)
    assert first["cost"] == 7.5 and first["sentence"] in content["summary"].replace("Left", "left")
    assert json.loads(json.dumps(content)) == content


def test_a_page_tells_parts_and_the_whole_apart(clip, standing):
    page = explained("a.pkl", standing, {"imitation": 0.5}, clip)
    assert page.parts.shape == (T, 24) and page.whole.shape == (T,)
    assert page.parts[35, KNEE] == 0.5 and page.parts[55].max() == 0.0
    assert page.whole[55] == 0.25 and page.whole[35] == 0.0
    assert [axis.name for axis in page.axes] == list(AXES)
    assert all(axis.group == GROUPS[axis.name] for axis in page.axes)
    assert page.axes[0].worst == 37.25
    np.testing.assert_array_equal(page.axes[0].frames, clip.readings["joint_limits"].frames[0])
    assert page.soundness == pytest.approx(np.mean([axis.score for axis in page.axes]))
    assert page.figures == {"imitation": 0.5} and [fault.axis for fault in page.faults] == ["joint_limits", "float"]


def test_the_floor_of_a_page_is_where_the_axes_stand(clip, standing):
    places = [3.0, 1.0, 1.0], [0.0, 0.0, 2.0]
    high, higher = (explained("a.pkl", standing.shifted(np.array(by)), {}, clip).floor_m for by in places)
    assert higher == pytest.approx(high + 1.0) and high > 0.5


def test_clips_that_are_too_short_have_no_axes_and_the_others_their_order(standing):
    clips = {"c": standing.slice(0, 9), "short": standing.slice(0, 3), "a": standing.slice(0, 4), "b": standing}
    found = read_clips(BodyChoice("open"), clips)
    assert list(found) == ["c", "a", "b"]
    assert [found[name].readings["jerk"].value.shape[1] for name in found] == [9, 4, 60]
    assert found["a"].body is found["b"].body


def test_groups_and_whole_bodies_are_of_known_axes():
    assert tuple(GROUPS) == AXES and set(GROUPS.values()) == {"kinematics", "contact", "dynamics"}
    assert set(WHOLE_BODY) < set(AXES)


@pytest.fixture()
def scores() -> DanceScores:
    pairs = [0.5, 0.75], [0.0, 1.0], [80.0, 20.0], [0.3, 0.1], [2.0, 0.0]
    return DanceScores(*map(torch.tensor, pairs), torch.zeros(2, 9))


def test_the_table_has_a_row_a_clip_the_means_and_a_sentence(scores, standing, clip):
    clips = {"a.pkl": standing, "b.pkl": standing.slice(0, 3)}
    content = verdict(clips, scores, {"policy": "p"}, {"a.pkl": axis_content(clip)})
    table, sentences = verdict_table(content).split("\n\n", 1)[0], verdict_table(content)
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines() if "|" in line]
    assert rows[0] == ["motion", "imitation", "success", "body_error_mm", "residual_effort", "self_contact"]
    assert rows[2] == ["a.pkl", "0.5000", "0.000", "80.0", "0.3000", "2.00"]
    assert rows[3] == ["b.pkl", "0.7500", "1.000", "20.0", "0.1000", "0.00"]
    assert rows[4][0] == "mean ± standard error" and rows[4][1].startswith("0.6250 ± 0.") and len(rows) == 5
    assert f"a.pkl: {content['per_motion']['a.pkl']['summary']}" in sentences and "b.pkl:" not in sentences
    assert "mean score of the axes: joint_limits 0.875, joint_speed 1.000" in sentences
    assert content["policy"] == "p" and (content["n_motions"], content["n_frames"]) == (2, 63)


def test_without_axes_there_are_no_sentences(scores, standing):
    content = verdict({"a": standing, "b": standing}, scores, {})
    assert content["axes"] == {} and "mean score" not in verdict_table(content)
    assert content["per_motion"]["b"] == {
        column.name: pytest.approx(getattr(scores, column.source)[1].item()) for column in COLUMNS
    }


def test_axes_are_averaged_over_the_clips_that_have_them(scores, standing, clip):
    sound = ClipReadings(
        {axis: Reading(torch.zeros(1, T, 24), torch.zeros(1, T, 24), "cm") for axis in AXES}, clip.body, clip.humanoid
    )
    axes = {"a": axis_content(clip), "b": axis_content(sound)}
    content = verdict({"a": standing, "b": standing}, scores, {}, axes)
    assert content["axes"]["joint_limits"] == pytest.approx((0.875 + 1.0) / 2)
