"""Metrics of people's own: what is called with what, what is kept, and how their faults are told."""

import math

import numpy as np
import pytest

from skeleton2stage.errors import UserError
from skeleton2stage.evaluation.evaluate_motions import evaluate_motions
from skeleton2stage.evaluation.own_metrics import load_own_metrics, own_values, shown_as
from skeleton2stage.motion.positions import JointMotion
from swaying_motion import swaying


@pytest.fixture()
def written(tmp_path, monkeypatch):
    """A function that writes a file of metrics into the folder where one is."""
    monkeypatch.chdir(tmp_path)

    def write(code: str, name: str = "mine.py") -> None:
        (tmp_path / name).write_text(code)

    return write


def test_functions_are_known_by_their_own_names_in_their_order(written):
    written("def travelled(motion):\n    return 1\ndef height(motion):\n    return motion.translation[:, 2].mean()\n")
    own = load_own_metrics(["mine.py:height", "mine.py:travelled"])
    assert list(own) == ["height", "travelled"]
    motion = swaying(30)
    assert own_values(own, motion) == {"height": pytest.approx(motion.translation[:, 2].mean()), "travelled": 1.0}
    shown = shown_as(own)
    assert [(metric.name, metric.better, metric.decimals, metric.pooled) for metric in shown] == [
        ("height", "neither", 4, False), ("travelled", "neither", 4, False)
    ]


@pytest.mark.parametrize("taken", ["pfc", "bas", "success_rate"])
def test_a_name_that_a_metric_has_is_refused(written, taken):
    written(f"def {taken}(motion):\n    return 1.0\n")
    with pytest.raises(UserError, match=rf"metrics=mine.py:{taken}: there is a metric {taken} already: give it"):
        load_own_metrics([f"mine.py:{taken}"])


def test_the_same_name_twice_is_refused(written):
    written("def far(motion):\n    return 1.0\n")
    written("def far(motion):\n    return 2.0\n", "other.py")
    with pytest.raises(UserError, match="metrics=other.py:far: there is a metric far already"):
        load_own_metrics(["mine.py:far", "other.py:far"])


def test_they_see_as_much_of_a_motion_as_the_others_do():
    """600 frames, as those of the table; all of a shorter one."""
    seen = []
    for n_frames in (700, 600, 45):
        own_values({"n": lambda motion: seen.append(len(motion)) or 0.0}, swaying(n_frames))
    assert seen == [600, 600, 45]


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_is_left_out_and_not_averaged(value):
    motions = {"a": swaying(30), "b": swaying(30, seed=1)}
    values = iter([value, 3.0])
    evaluation = evaluate_motions(motions, own={"mine": lambda motion: next(values)})
    assert "mine" not in evaluation.per_motion["a"] and evaluation.metrics["mine"] == 3.0


def test_whatever_a_function_raises_is_one_sentence():
    def broken(motion):
        return {}["no such\nkey"]

    with pytest.raises(UserError, match="^metric mine fails: [^\n]+$"):
        own_values({"mine": broken}, swaying(30))
    with pytest.raises(UserError, match="metric mine fails"):
        own_values({"mine": lambda motion: "many"}, swaying(30))


def test_a_dance_of_positions_alone_is_not_asked(monkeypatch):
    positions = JointMotion(swaying(30).joints())
    assert own_values({"mine": lambda motion: 1 / 0}, positions) == {}


def test_values_of_numpy_are_numbers_too():
    assert own_values({"mine": lambda motion: np.float32(0.5)}, swaying(30)) == {"mine": 0.5}


def test_they_stand_beside_the_others_and_change_none_of_them():
    motions = {"a": swaying(30), "b": swaying(45, seed=1)}
    with_own, without = evaluate_motions(motions, own={"mine": lambda motion: len(motion)}), evaluate_motions(motions)
    assert with_own.metrics == without.metrics | {"mine": 37.5}
    assert "mine" in with_own.standard_errors and with_own.skipped == without.skipped
