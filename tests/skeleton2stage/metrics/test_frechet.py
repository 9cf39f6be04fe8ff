import numpy as np
import pytest

from skeleton2stage.metrics.frechet import (
    diversity,
    diversity_resampled,
    frechet_distance,
    frechet_resampled,
    statistics_of,
)

KINDS = ("kin_raw_zup", "kin_yup_zero", "kin_popdg_z30", "man_raw_zup", "man_yup_zero")


def published_lists(published, public_arrays, level, kind):
    """Return the two lists of features of a level of the reference, and its values for them."""
    fid = published["fid"][level]
    if level == "random_features":
        return public_arrays[f"random/{kind}_list1"], public_arrays[f"random/{kind}_list2"], fid[kind]
    if level == "motion_level":
        real, result = ([public_arrays[f"{name}/{kind}"] for name in fid[key]]
                        for key in ("list1_real", "list2_result"))
        return np.stack(real), np.stack(result), fid[kind]
    clips = public_arrays[f"clips/{kind}"]
    return clips[fid["list1_real_clip_indices"]], clips[fid["list2_result_clip_indices"]], fid[kind]


@pytest.mark.parametrize(("level", "kind"), [
    *(("random_features", kind) for kind in "kg"),
    *((level, kind) for level in ("motion_level", "clip_level") for kind in KINDS),
])
def test_published_distances(published, public_arrays, level, kind):
    real, result, expected = published_lists(published, public_arrays, level, kind)
    reference = statistics_of(real)
    assert np.flatnonzero(~reference.varying).tolist() == expected["constant_features_in_list1"]
    assert not expected["degenerate"]  # no constant feature divided by 1e-10
    assert frechet_distance(reference, result) == pytest.approx(expected["fid"], rel=1e-4)
    assert frechet_distance(reference, result) == pytest.approx(expected["fid_float64_exact_trace"], rel=1e-5)
    assert diversity(reference, result) == pytest.approx(expected["div_list2_normalised_by_list1"], rel=1e-4)
    assert diversity(reference, real) == pytest.approx(expected["div_list1_normalised_by_list1"], rel=1e-4)


def test_by_hand():
    # Normalised, the reference is -1, 1 (sample variance 2), the other set 3, 5 in units of the deviation 1.
    reference = statistics_of(np.array([[-1.0], [1.0]]))
    other = np.array([[3.0], [5.0]])
    assert frechet_distance(reference, other) == pytest.approx(16.0)
    assert frechet_distance(reference, 2 * other) == pytest.approx(64 + 2 + 8 - 2 * 4)
    assert diversity(reference, other) == pytest.approx(2.0)


def test_what_never_varies_in_the_reference_is_left_out():
    generator = np.random.default_rng(0)
    real, result = generator.normal(size=(9, 4)), generator.normal(size=(5, 4))
    constant = real.copy()
    constant[:, 2] = 0.3
    without, less = statistics_of(np.delete(real, 2, axis=1)), np.delete(result, 2, axis=1)
    assert frechet_distance(statistics_of(constant), result) == pytest.approx(frechet_distance(without, less))
    assert diversity(statistics_of(constant), result) == pytest.approx(diversity(without, less))


def test_a_set_is_at_no_distance_from_itself_even_with_few_clips():
    features = np.random.default_rng(0).normal(size=(3, 72))
    assert frechet_distance(statistics_of(features), features) == pytest.approx(0.0, abs=1e-5)


def test_one_clip_is_too_few():
    with pytest.raises(ValueError, match="N >= 2"):
        statistics_of(np.zeros((1, 5)))
    with pytest.raises(ValueError, match="N >= 2"):
        frechet_distance(statistics_of(np.eye(3)), np.zeros((1, 3)))


def test_resamples_equal_sets_of_those_clips():
    generator = np.random.default_rng(0)
    reference, features = statistics_of(generator.normal(size=(30, 4))), generator.normal(size=(6, 4))
    draws = np.array([[0, 1, 2, 3, 4, 5], [0, 0, 3, 4, 4, 5]])
    assert frechet_resampled(reference, features, draws) == pytest.approx(
        [frechet_distance(reference, features[draw]) for draw in draws]
    )
    values = diversity_resampled(reference, features, draws)
    assert values[0] == pytest.approx(diversity(reference, features))
    # Of its 30 ordered pairs, 4 are of a clip with itself and at no distance.
    assert values[1] == pytest.approx(diversity(reference, features[draws[1]]) * 30 / 26)
