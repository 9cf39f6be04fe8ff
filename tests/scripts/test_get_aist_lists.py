"""The script that fetches EDGE's lists, run with an acted curl."""

import os
import subprocess

import pytest

from skeleton2stage import paths

SCRIPT = paths.REPOSITORY / "scripts/get_aist_lists.sh"
FETCHES = """#!/bin/bash
while (( $# )); do if [[ $1 == -o ]]; then target=$2; shift; fi; url=$1; shift; done
echo "$url" > "$target"
"""
FAILS_AT_THE_THIRD = f"""{FETCHES}
if [[ $url == *ignore_list* ]]; then echo "curl: (6) Could not resolve host" >&2; exit 6; fi
"""


@pytest.fixture
def run(tmp_path):
    """Return a function (curl's text, arguments) that runs the script."""

    def run(curl, *arguments):
        (tmp_path / "bin").mkdir()
        (tmp_path / "bin/curl").write_text(curl)
        (tmp_path / "bin/curl").chmod(0o755)
        environment = os.environ | {"PATH": f"{tmp_path / 'bin'}:/usr/bin:/bin", "S2S_DATA": str(tmp_path / "my data")}
        command = ["bash", str(SCRIPT), *map(str, arguments)]
        return subprocess.run(command, capture_output=True, text=True, check=False, env=environment)

    return run


def test_three_lists_come_from_edges_repository(run, tmp_path):
    result = run(FETCHES)
    assert result.returncode == 0, result.stderr
    folder = tmp_path / "my data/aist_lists"
    assert sorted(os.listdir(folder)) == ["crossmodal_test.txt", "crossmodal_train.txt", "ignore_list.txt"]
    url = "https://raw.githubusercontent.com/Stanford-TML/EDGE/main/data/splits/crossmodal_test.txt\n"
    assert (folder / "crossmodal_test.txt").read_text() == url
    assert f"test_list={folder}/crossmodal_test.txt" in result.stdout


def test_offline_it_is_one_sentence_and_no_list_is_left(run, tmp_path):
    result = run(FAILS_AT_THE_THIRD, tmp_path / "lists")
    assert result.returncode == 1 and result.stdout == ""
    assert result.stderr.startswith("error: could not fetch https://") and "Could not resolve host" in result.stderr
    assert result.stderr.count("\n") == 1 and os.listdir(tmp_path / "lists") == []
