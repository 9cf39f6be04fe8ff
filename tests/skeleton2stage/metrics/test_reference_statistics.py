import numpy as np
import pytest

from skeleton2stage import paths
from skeleton2stage.errors import UserError
from skeleton2stage.metrics.frechet import frechet_distance, statistics_of
from skeleton2stage.metrics.measured_clip import clip_of
from skeleton2stage.metrics.reference_statistics import features_of, read_reference, reference_of, write_reference
from skeleton2stage.metrics.set_figures import no_figures, set_figures


def random_features(n, seed=0):
    generator = np.random.default_rng(seed)
    return {name: generator.normal(size=(n, 72 if name[0] == "k" else 32)) for name in ("k", "g", "k_fixed", "g_fixed")}


def test_a_file_keeps_all_that_figures_need(tmp_path):
    reference = reference_of(random_features(9), "here")
    write_reference(tmp_path / "stats.npz", reference)
    result = random_features(5, seed=1)
    read = read_reference(tmp_path / "stats.npz")
    assert read.n_clips == 9 and set_figures(result, read, 0) == set_figures(result, reference, 0)


def test_figures_are_those_of_each_feature():
    real, result = random_features(9), random_features(5, seed=1)
    figures = set_figures(result, reference_of(real, "here"), seed=0)
    assert set(figures.values) == set(figures.errors) == {f"{m}_{f}" for m in ("fid", "div") for f in real}
    assert figures.values["fid_g_fixed"] == frechet_distance(statistics_of(real["g_fixed"]), result["g_fixed"])
    assert all(0 < error < figures.values[name] for name, error in figures.errors.items())
    assert set_figures(result, reference_of(real, "here"), seed=1).errors != figures.errors


def test_one_motion_is_a_reason_and_no_reference():
    reference = reference_of(random_features(9), "here")
    figures = set_figures(random_features(1), reference, 0)
    assert figures.values == {} and "at least 2 motions" in figures.skipped["div_k"]
    assert set(no_figures("x").skipped) == set(figures.skipped)
    with pytest.raises(UserError, match="at least 2 motions, and here has 1"):
        reference_of(random_features(1), "here")


def test_features_of_clips(public_motions, public_arrays):
    clips = [clip_of(public_motions[name]) for name in ("synth01", "synth02")]
    features = features_of(clips)
    expected = [public_arrays[f"{name}/kin_raw_zup"] for name in ("synth01", "synth02")]
    np.testing.assert_allclose(features["k"], expected, rtol=1e-4)
    assert {name: values.shape for name, values in features.items()} == {
        "k": (2, 72), "g": (2, 32), "k_fixed": (2, 72), "g_fixed": (2, 32)
    }


def test_other_files_are_refused(tmp_path):
    with pytest.raises(UserError, match="does not exist: make it"):
        read_reference(tmp_path / "none.npz")
    np.savez(tmp_path / "other.npz", a=np.zeros(3))
    with pytest.raises(UserError, match="no statistics for FID"):
        read_reference(tmp_path / "other.npz")
    (tmp_path / "torn.npz").write_bytes(b"PK\x03\x04")
    with pytest.raises(UserError, match="no statistics for FID"):
        read_reference(tmp_path / "torn.npz")


def test_the_shipped_statistics_say_what_they_leave_out():
    shipped = read_reference(paths.demo_checkpoints() / "mocap_statistics.npz")
    assert shipped.n_clips == 24
    assert "1 of 32 geometric" in shipped.description and "kinetic" not in shipped.description
