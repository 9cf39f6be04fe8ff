"""The package as pip installs it, run from a folder that has nothing to do with the checkout."""

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from importlib.metadata import PathDistribution

import pytest

from skeleton2stage import paths
from skeleton2stage.commands import PROGRAMS
from skeleton2stage.motion.formats.write_motion import write_motion
from skeleton2stage.provenance import VERSION
from swaying_motion import swaying

ROOT = paths.REPOSITORY
SOURCES = ("code", "configs", "checkpoints", "body_models/open", "pyproject.toml", "setup.py", "README.md", "LICENSE",
           "NOTICE")
PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """A folder that pip installed the package into; its dependencies are this environment's."""
    setuptools = pytest.importorskip("setuptools", reason="building needs setuptools in the environment")
    if int(setuptools.__version__.split(".")[0]) < 77:
        pytest.skip("building needs setuptools 77 or newer")
    source, target = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("installed")
    for name in SOURCES:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
        else:
            shutil.copy(ROOT / name, source / name)
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps",
               "--no-build-isolation", "--no-index", f"--target={target}", str(source)]
    subprocess.run(command, check=True, env={**os.environ, "PYTHONPATH": ""})
    return target


@pytest.fixture
def run(installed, tmp_path):
    """Run the installed command in an empty folder, without any variable of this project."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("S2S_", "SMPL_", "PYTHONPATH"))}
    environment = kept | {"PYTHONPATH": str(installed), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    (tmp_path / "here").mkdir()

    def run(*arguments, program=(installed / "bin" / "skeleton2stage",)):
        command = [sys.executable, *map(str, program), *map(str, arguments)]
        return subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path / "here",
                              env=environment)

    return run


def test_it_is_the_installed_code_that_runs(run, installed):
    code = "from skeleton2stage import paths; print(paths.REPOSITORY, paths.runs(), paths.cache(), sep='\\n')"
    shipped, runs, cache = run(program=("-c", code)).stdout.split()
    assert shipped == str(installed / "skeleton2stage" / "shipped")
    assert runs.endswith("/here/runs") and cache.endswith("/cache/skeleton2stage")


def test_what_ships_is_what_the_checkout_has(installed):
    shipped = installed / "skeleton2stage" / "shipped"
    for pattern in paths.SHIPPED_FILES:
        files = [path for path in ROOT.glob(pattern) if path.is_file()]
        assert files
        for path in files:
            assert (shipped / path.relative_to(ROOT)).read_bytes() == path.read_bytes()


def test_every_file_of_the_code_that_is_read_is_installed(installed):
    unread = {".sh", ".toml", ".pyc"}  # scripts for a checkout, the linter's
    for path in (ROOT / "code").rglob("*"):
        inside = path.relative_to(ROOT / "code")
        if path.is_file() and not any(part.startswith(".") or part.endswith(".egg-info") for part in inside.parts):
            places = (installed / inside, installed / "skeleton2stage" / "shipped" / "code" / inside)
            assert path.suffix in unread or any(place.is_file() for place in places), inside


def test_anybodys_motion_is_scored_with_what_ships(run, tmp_path):
    write_motion(tmp_path / "here" / "sway.pkl", swaying(40))
    scored = run("score", "motions=sway.pkl", "out=verdict.json")
    assert scored.returncode == 0, scored.stderr
    content = json.loads((tmp_path / "here" / "verdict.json").read_text())
    assert content["policy"] == "checkpoints/demo/imitation_policy.safetensors"
    assert content["made_by"]["version"] == VERSION


def test_what_the_page_prints_scores_motions_in_python(run, tmp_path):
    page = (ROOT / "docs" / "verdict.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"^```python\n(.*?)^```$", page, flags=re.MULTILINE | re.DOTALL)
    write_motion(tmp_path / "here" / "dances" / "SET" / "sway.pkl", swaying(40))
    result = run(program=("-c", code))
    assert result.returncode == 0, result.stderr
    assert re.fullmatch(r"SET/sway\.pkl: imitation 0\.\d{3}, (stands to the end|falls)\n", result.stdout), result.stdout


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(set(PROGRAMS) - {"launch", "view"}))
def test_commands_explain_themselves(run, name):
    result = run(name, "--help")
    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith("usage: ")


@pytest.mark.slow
def test_an_own_dance_is_made_and_scored_with_what_ships(run, tmp_path):
    """From percussion to a dance to its verdict: configs, checkpoints and body are the package's own."""
    tracks = run("tracks", "source=null", "seconds=5", "bpm=[100]", "out=music")
    assert tracks.returncode == 0, tracks.stderr
    assert run("sample", "music=music", "out=dances", "seconds=5", "n_steps=4").returncode == 0
    assert run("score", "motions=dances", "out=verdict.json").returncode == 0
    assert json.loads((tmp_path / "here" / "verdict.json").read_text())["n_motions"] == 1


@pytest.mark.slow
def test_a_lost_file_is_named(run, installed, tmp_path):
    policy = installed / "skeleton2stage/shipped/checkpoints/demo/imitation_policy.safetensors"
    write_motion(tmp_path / "here" / "sway.pkl", swaying(40))
    aside = policy.rename(policy.with_suffix(".aside"))
    try:
        result = run("score", "motions=sway.pkl", "out=verdict.json")
    finally:
        aside.rename(policy)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr == f"error: no checkpoint at {policy}: check the path, or train one first\n"


def test_metadata_is_what_pyproject_says(installed):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    (folder,) = installed.glob("skeleton2stage-*.dist-info")
    found = PathDistribution(folder)
    assert found.version == VERSION
    assert {"gpu", "view", "dvc", "dev"} <= set(found.metadata.get_all("Provides-Extra"))
    required = [line for line in found.requires if "extra ==" not in line]
    assert len(required) == len(project["dependencies"])
    assert [file.name for file in found.files if "licenses" in file.parts] == ["LICENSE", "NOTICE"]
    pythons = {line.rsplit(" ", 1)[1] for line in project["classifiers"] if line.startswith("Programming Language")}
    assert PYTHON in pythons


def test_the_modules_of_all_commands_are_installed(installed):
    for module, _ in PROGRAMS.values():
        place = installed.joinpath(*module.split("."))
        assert place.with_suffix(".py").is_file() or (place / "__main__.py").is_file(), module
