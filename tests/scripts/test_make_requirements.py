"""The lists of packages: one in pyproject.toml, the others made of it."""

import ast
import importlib.util
import re
import sys
import tomllib
from importlib.metadata import packages_distributions

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from skeleton2stage import paths

ROOT = paths.REPOSITORY
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
TREES = ("skeleton2stage", "dance_model", "rl_finetune", "pretrain")
# What no index has or another interpreter: their absence is told by who needs them.
FOREIGN = {"isaacgym", "jukemirlib"}


@pytest.fixture(scope="module")
def make_requirements():
    spec = importlib.util.spec_from_file_location("make_requirements", ROOT / "scripts/make_requirements.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def names(lines):
    return {canonicalize_name(Requirement(line).name) for line in lines}


def lines_of(name):
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def declared():
    table = PROJECT["project"]
    return [*table["dependencies"], *(line for extra in table["optional-dependencies"].values() for line in extra)]


def test_requirements_are_those_of_pyproject(make_requirements):
    text = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    assert text == make_requirements.requirements(PROJECT), "run python scripts/make_requirements.py"


def test_extras_are_added(make_requirements):
    project = {"project": {"dependencies": ["a>=1"], "optional-dependencies": {
        "gpu": ["b"], "dev": ["c<2"], "view": ["d"]}}}
    text = make_requirements.requirements(project)
    assert [line for line in text.splitlines() if not line.startswith("#")] == ["a>=1", "b", "c<2"]


def test_the_lock_has_a_version_that_fits_of_each_requirement():
    locked = {}
    for line in lines_of("requirements-lock.txt"):
        requirement = Requirement(line)
        assert re.fullmatch(r"==[^*]+", str(requirement.specifier)), line
        locked.setdefault(canonicalize_name(requirement.name), []).append(str(requirement.specifier)[2:])
    for line in lines_of("requirements.txt"):
        wanted = Requirement(line)
        versions = locked.get(canonicalize_name(wanted.name), [])
        assert versions and all(wanted.specifier.contains(version) for version in versions), line


def test_what_code_imports_is_declared():
    """Of each module of another project, the package that brings it is in pyproject.toml."""
    of_module = packages_distributions()
    wrong = set()
    for path in (ROOT / "code").rglob("*.py"):
        own = {sibling.stem for sibling in path.parent.glob("*.py")}
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            modules += [node.module] if isinstance(node, ast.ImportFrom) else []
            known = {*sys.stdlib_module_names, *TREES, *FOREIGN, *own}
            for name in {module.split(".")[0] for module in modules} - known:
                if not names(of_module.get(name, [name])) & names(declared()):
                    wrong.add(f"{path.name} imports {name}")
    assert sorted(wrong) == []


def test_an_unknown_argument_is_told_the_usage(make_requirements):
    with pytest.raises(SystemExit, match="requirements-lock.txt"):
        make_requirements.main(["locks"])
