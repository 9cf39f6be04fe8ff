"""The shell scripts, run for real in a small copy of the repository; only pip and old interpreters are acted."""

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from skeleton2stage import paths

SYSTEM_PATH = "/usr/bin:/bin"
# An environment's interpreter that notes what pip is asked for, makes environments like itself, and runs anything else
# with this one.
ACTED_PYTHON = f"""#!/bin/bash
if [[ $1 == -m && $2 == pip ]]; then echo "${{@:3}}" >> "$(dirname "$0")/../pip.log"; exit "${{PIP_STATUS:-0}}"; fi
if [[ $1 == -m && $2 == venv ]]; then mkdir -p "$3/bin" && cp "$0" "$3/bin/python"; exit; fi
if [[ $2 == *importlib.metadata* ]]; then exit "${{TORCH_MISSING:-1}}"; fi
exec {sys.executable} "$@"
"""


@pytest.fixture
def repository(tmp_path):
    """The files that setting up needs, with spaces in their path."""
    copy = tmp_path / "my dances"
    for name in ("scripts/setup.sh", "scripts/test.sh", ".ci/run", "environment.sh", "requirements.txt",
                 "pyproject.toml"):
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(paths.REPOSITORY / name, copy / name)
    return copy


@pytest.fixture
def ready(repository):
    """A repository whose .venv has an acted interpreter."""
    script(repository / ".venv/bin/python", ACTED_PYTHON)
    return repository


def script(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path


def bash(*command, cwd="/", **variables):
    environment = {"PATH": SYSTEM_PATH, "HOME": os.environ.get("HOME", "/")} | variables
    arguments = ["bash", *map(str, command)]
    return subprocess.run(arguments, capture_output=True, text=True, check=False, cwd=cwd, env=environment)


def variable(repository, name, **variables):
    return bash("-c", f'source "{repository}/environment.sh" && echo "${name}"', **variables)


def test_environment_without_venv_says_what_to_run(repository):
    result = variable(repository, "PATH")
    assert result.returncode == 1
    assert result.stderr == f"error: {repository} has no .venv: run bash scripts/setup.sh first\n"


def test_environment_puts_the_venv_first_and_once(ready):
    once = variable(ready, "PATH").stdout.strip()
    assert once == f"{ready}/.venv/bin:{SYSTEM_PATH}"
    assert variable(ready, "PATH", PATH=once).stdout.strip() == once


@pytest.mark.parametrize(("name", "default"), [
    ("SMPL_MODELS", "{0}/body_models"), ("S2S_DATA", "{0}/data"), ("S2S_CACHE", "{0}/cache"),
    ("S2S_RUNS", "{0}/runs"), ("S2S_SHARED_DATA", "{0.parent}/shared/data"), ("WANDB_MODE", "offline"),
    ("S2S_TORCH_INDEX", ""), ("ISAACGYM_PYTHON", ""), ("MUJOCO_GL", ""),
])
def test_environment_defaults_yield_to_the_user(ready, name, default):
    assert variable(ready, name).stdout.strip() == default.format(ready)
    assert variable(ready, name, **{name: "mine"}).stdout.strip() == "mine"


def test_setup_installs_torch_then_the_rest_and_then_nothing(ready):
    first = bash(ready / "scripts/setup.sh")
    assert first.returncode == 0, first.stderr
    log = (ready / ".venv/pip.log").read_text().splitlines()
    flag = "install --disable-pip-version-check"
    assert log[0].startswith(f"{flag} torch")
    assert log[1:] == [f"{flag} -r {ready}/requirements.txt", f"{flag} --quiet --no-deps -e {ready}"]
    again = bash(ready / "scripts/setup.sh")
    assert (again.returncode, again.stdout) == (0, "")
    assert len((ready / ".venv/pip.log").read_text().splitlines()) == 3


@pytest.mark.parametrize("changed", ["requirements.txt", "pyproject.toml"])
def test_setup_runs_again_when_a_list_changes_and_keeps_torch(ready, changed):
    bash(ready / "scripts/setup.sh")
    with (ready / changed).open("a") as file:
        file.write("# more\n")
    assert bash(ready / "scripts/setup.sh", TORCH_MISSING="0").returncode == 0
    assert len((ready / ".venv/pip.log").read_text().splitlines()) == 5


@pytest.mark.parametrize(("gpu", "wanted"), [("echo 'GPU 0: H200'", "torch>=2.6"), ("exit 9", "torch==2.13.0")])
def test_setup_chooses_torch_by_the_gpu_and_the_users_index(ready, tmp_path, gpu, wanted):
    script(tmp_path / "bin/nvidia-smi", f"#!/bin/bash\n{gpu}\n")
    path = f"{tmp_path / 'bin'}:{SYSTEM_PATH}"
    assert bash(ready / "scripts/setup.sh", PATH=path, S2S_TORCH_INDEX="file:///wheels").returncode == 0
    first = (ready / ".venv/pip.log").read_text().splitlines()[0]
    assert first.endswith(f" {wanted} --index-url file:///wheels")


@pytest.mark.parametrize(("gpu", "index", "told"), [
    ("exit 9", "", True), ("exit 9", "file:///wheels", False), ("echo 'GPU 0: H200'", "", False),
])
def test_without_a_gpu_setup_says_how_to_save_gigabytes(ready, tmp_path, gpu, index, told):
    script(tmp_path / "bin/nvidia-smi", f"#!/bin/bash\n{gpu}\n")
    result = bash(ready / "scripts/setup.sh", PATH=f"{tmp_path / 'bin'}:{SYSTEM_PATH}", S2S_TORCH_INDEX=index)
    assert result.returncode == 0 and ("set S2S_TORCH_INDEX" in result.stdout) is told


def test_a_failed_install_is_said_and_tried_again(ready):
    failed = bash(ready / "scripts/setup.sh", PIP_STATUS="1")
    assert failed.returncode == 1 and failed.stderr.startswith("error: pip could not install torch")
    assert "ready" in bash(ready / "scripts/setup.sh").stdout


def test_an_old_python_is_told_so(repository, tmp_path):
    old = script(tmp_path / "bin/python3.8", "#!/bin/bash\n[[ $1 == --version ]] && echo Python 3.8.1\n")
    result = bash(repository / "scripts/setup.sh", PYTHON=str(old))
    assert result.returncode == 1
    assert result.stderr == (
        "error: Python 3.11 or newer is needed and Python 3.8.1 was found: install one, or name it in PYTHON\n"
    )
    assert not (repository / ".venv").exists()


def test_a_broken_venv_is_not_deleted_but_said(repository):
    (repository / ".venv/bin").mkdir(parents=True)
    result = bash(repository / "scripts/setup.sh")
    assert result.returncode == 1 and "delete that folder and run again" in result.stderr
    assert (repository / ".venv/bin").exists()


def test_setup_help_and_unknown_arguments(repository):
    assert bash(repository / "scripts/setup.sh", "--help").stdout.startswith("Install everything")
    result = bash(repository / "scripts/setup.sh", "now")
    assert result.returncode == 1 and "takes no arguments, not 'now'" in result.stderr


def test_continuous_integration_lints_then_tests_with_the_given_arguments(ready):
    script(ready / ".venv/bin/ruff", '#!/bin/bash\necho "ruff $* in $PWD"\n')
    (ready / "tests").mkdir()
    (ready / "tests/test_tiny.py").write_text("def test_x():\n    pass\n\n\ndef test_y():\n    assert False\n")
    result = bash(ready / ".ci/run", "-k", "test_x")
    assert result.returncode == 0, result.stdout + result.stderr
    assert f"ruff check . in {ready}" in result.stdout and "1 passed in" in result.stdout
    assert bash(ready / "scripts/test.sh").returncode == 1


def test_continuous_integration_has_a_dvc_that_tests_find_and_the_environment_does_not_hold(ready):
    script(ready / ".venv/bin/ruff", "#!/bin/bash\n")
    (ready / "tests").mkdir()
    (ready / "tests/test_tiny.py").write_text(
        "import os\n\n\ndef test_x():\n    assert os.environ['PATH'].endswith(':ROOT/.venv-dvc/bin')\n"
        .replace("ROOT", str(ready))
    )
    result = bash(ready / ".ci/run")
    assert result.returncode == 0, result.stdout + result.stderr
    (extra,) = tomllib.loads((ready / "pyproject.toml").read_text())["project"]["optional-dependencies"]["dvc"]
    asked = f"install --quiet --disable-pip-version-check {extra}\n"
    assert (ready / ".venv-dvc/pip.log").read_text() == asked
    assert "dvc" not in (ready / ".venv/pip.log").read_text()
    script(ready / ".venv-dvc/bin/dvc", "#!/bin/bash\n")
    assert bash(ready / ".ci/run").returncode == 0
    assert (ready / ".venv-dvc/pip.log").read_text() == asked, "installed already"


def test_a_linter_that_complains_stops_the_tests(ready):
    script(ready / ".venv/bin/ruff", "#!/bin/bash\nexit 1\n")
    result = bash(ready / ".ci/run")
    assert result.returncode == 1 and "passed" not in result.stdout


@pytest.mark.slow
def test_a_fresh_clone_sets_itself_up(tmp_path):
    subprocess.run(["git", "clone", "-q", paths.REPOSITORY, tmp_path / "clone"], check=True)
    result = subprocess.run(["bash", tmp_path / "clone/scripts/setup.sh"], check=False, cwd=tmp_path)
    assert result.returncode == 0
    command = [tmp_path / "clone/.venv/bin/python", "-c", "import skeleton2stage as s; print(s.__file__)"]
    found = subprocess.run(command, capture_output=True, text=True, check=True, cwd=tmp_path).stdout.strip()
    assert found == str(tmp_path / "clone/code/skeleton2stage/__init__.py")
