"""Kills at random moments: what goes on afterwards comes to what would have come without, to the last bit."""

import shutil
import time

import numpy as np
import pytest
from trainings import finished, killed

SEED = 20_260_102
SAMPLE, ALL = 1, 20  # kills of each command: in an ordinary run of the tests, and in the campaign


def survive(campaign, name: str, kills: int) -> int:
    """Kill a command at random moments, let it go on, and compare; return how many kills came before its end."""
    folder, works = campaign
    work, log = works[name], folder / f"{name}.log"
    begun = time.monotonic()
    assert finished(work, work.typed("whole"), log) == 0, log.read_text()
    lasts_s, whole = time.monotonic() - begun, work.result("whole")
    assert whole
    random, met = np.random.default_rng(SEED), 0
    for _ in range(kills):
        status = killed(work, work.typed("killed"), log, lasts_s * float(random.random()))
        met += status == -9
        assert finished(work, work.typed("killed"), log) == 0, log.read_text()
        again = work.result("killed")
        assert again.keys() == whole.keys()
        assert [file for file in whole if again[file] != whole[file]] == []
        shutil.rmtree(work.folder("killed"))
    shutil.rmtree(work.folder("whole"))
    return met


@pytest.mark.parametrize("name", ["train_edge", "convert"])
def test_a_kill_is_survived(campaign, name):
    survive(campaign, name, SAMPLE)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["finetune", "train_edge", "bailando", "pretrain", "convert"])
def test_a_hundred_kills_are_survived(campaign, name):
    met = survive(campaign, name, ALL)
    print(f"{name}: {met} of {ALL} kills came before its end; all went on to equal bits")
    assert met >= ALL // 2
