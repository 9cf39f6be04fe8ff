from dataclasses import replace

from lively_motion import lively_motion
from skeleton2stage.view.moment_table import moment_table, named


def test_it_has_the_frame_and_the_numbers_of_the_dances_that_are_shown(dancer):
    said = moment_table([dancer, replace(dancer, label="other", score=None)], [True, True], 25, 30.0)
    assert said.startswith("frame 25 of 29, 30 a second")
    rows = said.splitlines()[4:]
    assert rows[0].endswith(f"| {dancer.pairs[25]} | {dancer.score[25]:.2f} |") and rows[1].endswith("|  |")
    assert len(moment_table([dancer, dancer], [False, True], 0, 30.0).splitlines()) == 5


def test_what_nobody_has_is_not_told(dancer):
    bare = replace(dancer, label="bare", score=None)
    assert moment_table([bare], [True], 3, 30.0).splitlines()[2:] == ["|  | pairs |", "| --- | ---: |", "| bare | 0 |"]
    bare = replace(bare, pairs=None)
    assert moment_table([bare], [True], 3, 30.0).splitlines()[2:] == ["|  |", "| --- |", "| bare |"]


def test_a_dance_that_is_over_says_so_and_keeps_its_last_numbers(dancer):
    long = replace(dancer, label="long", motion=lively_motion(90), pairs=None, score=None)
    assert named(dancer, 29) == dancer.label and named(dancer, 30) == f"{dancer.label} (ended)"
    said = moment_table([long, dancer], [True, True], 89, 30.0)
    assert "ended" in said.splitlines()[-1] and f"| {dancer.pairs[29]} | {dancer.score[29]:.2f} |" in said
    assert "ended" not in said.splitlines()[-2]


def test_a_pose_never_ends(dancer):
    assert named(replace(dancer, motion=lively_motion(1)), 500) == dancer.label


def test_names_are_shown_letter_by_letter(dancer):
    said = moment_table([replace(dancer, label="a_b|c*d")], [True], 0, 30.0)
    assert "a\\_b\\|c\\*d" in said
