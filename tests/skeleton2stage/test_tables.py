import numpy as np
import pytest

from skeleton2stage.tables import bootstrap_error, markdown_table


def test_columns_are_padded():
    assert markdown_table([["name", "x"], ["a", "1.25"]]) == "| name |    x |\n| ---- | ---: |\n| a    | 1.25 |\n"


def test_the_error_of_a_mean_is_its_deviation_over_the_root_of_n():
    values = np.random.default_rng(0).normal(size=400)
    assert bootstrap_error(values, [str(i) for i in range(400)]) == pytest.approx(values.std() / 20, rel=0.06)


def test_values_of_one_group_count_once():
    values = np.random.default_rng(0).normal(size=100)
    groups = [str(i) for i in range(100)]
    repeated = bootstrap_error(np.repeat(values, 4), list(np.repeat(groups, 4)))
    assert repeated == pytest.approx(bootstrap_error(values, groups), rel=0.1)


def test_one_group_has_no_error():
    assert bootstrap_error(np.array([1.0, 2.0]), ["a", "a"]) is None


def test_weights_are_those_of_the_mean():
    weighted = bootstrap_error(np.array([1.0, 5.0]), ["a", "b"], weights=np.array([1.0, 3.0]))
    assert weighted == bootstrap_error(np.array([1.0, 5.0, 5.0, 5.0]), ["a", "b", "b", "b"])
