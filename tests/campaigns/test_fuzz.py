"""Damaged files of every reader's kind: none crashes, hangs, runs anything, or is answered by a traceback."""

import os
from contextlib import suppress
from pathlib import Path

import pytest
import watched_reading
from bvh_samples import person_text
from mutations import mutated
from readers import READERS, readers_of, write_samples
from watched_reading import GOOD, Finding, outcomes, summary

from skeleton2stage import paths
from skeleton2stage.errors import UserError

SEED = 20_260_101
SAMPLE, ALL = 6, 400  # mutated files of each reader's kind: in an ordinary run of the tests, and in the campaign


@pytest.fixture(scope="module")
def samples(tmp_path_factory, tiny_checkpoint, tiny_policy) -> Path:
    folder = tmp_path_factory.mktemp("fuzz") / "samples"
    folder.mkdir()
    write_samples(folder, tiny_checkpoint, tiny_policy, person_text({}, 60))
    read_once(folder)
    return folder


def read_once(samples: Path) -> None:
    """Read all samples here, before the clock runs: what a first call loads and compiles is not the file's doing.

    On a machine that never ran librosa, numba compiles for longer than a file may take.
    """
    for name, readers in READERS.items():
        for read in readers:
            with suppress(UserError):
                read(samples / name)


def cases_of(samples: Path, count: int) -> list:
    cases = []
    for kind, (name, readers) in enumerate(READERS.items()):
        made = samples.parent / f"mutated_{name}"
        made.mkdir(exist_ok=True)
        content = (samples / name).read_bytes()
        for number in range(count):
            path = made / f"{number}_{name}"
            path.write_bytes(mutated(content, SEED + 1_000_003 * kind + number))
            cases += [(path, read) for read in readers]
    return cases


def bad(found: list[Finding]) -> list[str]:
    return [f"{finding.path.name}: {finding.outcome}: {finding.detail}" for finding in found
            if finding.outcome not in GOOD]


def test_sound_files_are_read(samples):
    found = outcomes([(samples / name, read) for name, readers in READERS.items() for read in readers])
    unread = {finding.path.name: finding.outcome for finding in found if finding.outcome != "read"}
    # SMPL's own files and the critic's are large: here are too few arrays of them.
    assert unread == {"smpl.pkl": "told", "critic.pth": "told"}


def test_some_mutated_files_are_told_of_in_a_sentence(samples):
    found = outcomes(cases_of(samples, SAMPLE))
    assert bad(found) == []
    assert {"read", "told"} == set(summary(found))


@pytest.mark.slow
def test_ten_thousand_mutated_files_are_told_of_in_a_sentence(samples):
    found = outcomes(cases_of(samples, ALL))
    print(len(found), summary(found))
    assert len(found) >= 10_000
    assert bad(found) == []


def test_files_that_once_went_wrong_are_told_of_in_a_sentence(samples):
    folder = paths.shared_data().parent / "cases" / "damaged"
    if not folder.is_dir():
        pytest.skip(f"no files at {folder}")
    made = samples.parent / "damaged"
    made.mkdir()
    cases = []
    for path in sorted(folder.iterdir()):
        (made / path.name).write_bytes(path.read_bytes())
        cases += [(made / path.name, read) for read in readers_of(path.name)]
    assert len(cases) >= 31
    assert bad(outcomes(cases)) == []


def test_the_watch_sees_what_it_looks_for(tmp_path, monkeypatch):
    """A reader that crashes, hangs, takes memory, runs something, or answers by a traceback or by several lines."""
    monkeypatch.setattr(watched_reading, "CPU_S", 0.5)

    def says(words: str):
        raise UserError(words)

    def hangs(path: Path):
        while True:
            pass

    wrong = {
        "crash": lambda path: os.abort(), "hang": hangs, "memory": lambda path: bytearray(2 << 30),
        "executed": lambda path: os.system("true"), "traceback": lambda path: {}["key"],
        "words": lambda path: says("one\ntwo"), "told": lambda path: says("one sentence"),
        "read": lambda path: 1,
    }
    found = outcomes([(tmp_path / name, read) for name, read in wrong.items()])
    assert [finding.outcome for finding in found] == list(wrong)
