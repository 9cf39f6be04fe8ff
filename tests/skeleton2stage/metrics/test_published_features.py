import numpy as np
import pytest

from skeleton2stage.errors import UserError
from skeleton2stage.evaluation.judge import load_yardstick
from skeleton2stage.metrics.published_features import read_published
from skeleton2stage.metrics.set_figures import set_figures

RNG = np.random.default_rng(0)
KINETIC, MANUAL = RNG.normal(size=(12, 72)), RNG.normal(size=(12, 32))


def write(folder, pattern_k, pattern_g, kinetic=KINETIC, manual=MANUAL):
    for pattern, rows in ((pattern_k, kinetic), (pattern_g, manual)):
        for number, row in enumerate(rows):
            path = folder / pattern.format(number)
            path.parent.mkdir(parents=True, exist_ok=True)
            np.save(path, row)
    return folder


LAYOUTS = {
    "AIST++": ("gBR_{:02}_kinetic.npy", "gBR_{:02}_manual.npy"),
    "Bailando": ("kinetic_features/gBR_{:02}.json.npy", "manual_features_new/gBR_{:02}.json.npy"),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_set_is_at_no_distance_from_its_own_published_features(tmp_path, layout):
    folder = write(tmp_path / "gt", *LAYOUTS[layout])
    (folder / "._x_kinetic.npy").write_bytes(b"x")
    reference = load_yardstick(str(folder)).reference
    assert reference.n_clips == 12
    figures = set_figures({"k": KINETIC, "g": MANUAL, "k_fixed": KINETIC}, reference, seed=0)
    assert max(figures.values["fid_k"], figures.values["fid_g"]) == pytest.approx(0, abs=1e-6)
    assert "no features for it" in figures.skipped["fid_k_fixed"]
    moved = set_figures({"k": KINETIC + KINETIC.std(axis=0), "g": MANUAL}, reference, seed=0)
    assert moved.values["fid_k"] == pytest.approx(72, rel=1e-6)  # one deviation along each of 72 features


@pytest.mark.parametrize(("change", "words"), [
    ({"manual": MANUAL[:0]}, "no features for fid_g"),
    ({"manual": MANUAL[:5]}, "5 motions of one kind and 12 of the other"),
    ({"kinetic": KINETIC[:, :66]}, r"holds float64 \[66\] where 72 finite features"),
    ({"kinetic": np.full_like(KINETIC, np.nan)}, "finite features"),
])
def test_folders_that_are_none_are_one_sentence(tmp_path, change, words):
    folder = write(tmp_path / "gt", *LAYOUTS["AIST++"], **change)
    with pytest.raises(UserError, match=words):
        read_published(folder)
