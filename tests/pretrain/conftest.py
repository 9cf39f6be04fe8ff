"""Imitation training, small but whole, for tests: a folder of clips, and a function that trains on them."""

import pytest

from pretrain import train_imitation
from skeleton2stage.motion.formats.write_motion import write_motion
from swaying_arm import swaying_arm


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("clips")
    for index, name in enumerate(("one", "two", "held")):
        write_motion(folder / f"{name}.pkl", swaying_arm(160, index))
    return folder


@pytest.fixture()
def run(monkeypatch, tmp_path, folder):
    monkeypatch.setenv("S2S_RUNS", str(tmp_path))

    def start(name: str, iterations: int, *overrides: str):
        stages = ", ".join(
            f"{{name: {stage}, clips: '*', iterations: {iterations}, learning_rate: 1e-3, final_learning_rate: 1e-4}}"
            for stage in ("broad", "dance")
        )
        train_imitation.main([
            f"name={name}", f"data={folder}", "held_out=[held]", "device=cpu", "worlds=4", "horizon=4",
            "hidden=[8]", "minibatches=1", "epochs=1", "save_every=1", f"stages=[{stages}]", *overrides,
        ])
        return tmp_path / "pretrain" / name

    return start
