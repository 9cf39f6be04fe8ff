"""The house: names that occur once, files that can be read in one go, imports that point one way."""

import ast
from collections import defaultdict
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

CODE = Path(__file__).parent.parent / "code"
MAX_LINES = 300
TREES = ("skeleton2stage", "dance_model", "rl_finetune", "pretrain")
ALLOWED = {
    "skeleton2stage": set(),
    "dance_model": {"skeleton2stage"},
    "rl_finetune": {"skeleton2stage", "dance_model"},
    "pretrain": {"skeleton2stage"},
}
METRICS_AND_PHYSICS = {
    "skeleton2stage.metrics": ("skeleton2stage.physics", "skeleton2stage.evaluation", "skeleton2stage.render"),
    "skeleton2stage.physics": ("skeleton2stage.metrics", "skeleton2stage.evaluation", "skeleton2stage.render"),
}
# Run in an interpreter of their own and imported by nobody, so that what they import closes no circle.
WORKER_HOSTS = "physics/worker/program/*_host.py"


def files() -> list[Path]:
    return sorted(path for path in CODE.rglob("*.py") if "__pycache__" not in path.parts)


def module_of(path: Path) -> str:
    return ".".join(path.relative_to(CODE).with_suffix("").parts).removesuffix(".__init__")


def imported(path: Path, known: set[str]) -> set[str]:
    """Return the modules of this project that a file imports, anywhere in it, but for its annotations alone."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
            node.body = [ast.Pass()]
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: relative import"
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                found.add(inner if inner in known else node.module)
    return {name for name in found if name.split(".")[0] in TREES}


def imports() -> dict[str, set[str]]:
    known = {module_of(path) for path in files()}
    return {module_of(path): imported(path, known) for path in files()}


def under(module: str, package: str) -> bool:
    return module == package or module.startswith(f"{package}.")


def step_apart(module: str, other: str) -> tuple[str, str, str]:
    """Return the folder that holds both modules, and what of it each of them is in."""
    ours, theirs = module.split("."), other.split(".")
    shared = 0
    while shared < min(len(ours), len(theirs)) - 1 and ours[shared] == theirs[shared]:
        shared += 1
    return ".".join(ours[:shared]), ours[shared], theirs[shared]


def test_no_two_modules_have_one_name():
    places = defaultdict(list)
    for path in files():
        if path.stem not in ("__init__", "__main__"):
            places[path.stem].append(module_of(path))
    assert {name: where for name, where in places.items() if len(where) > 1} == {}


def test_a_package_shares_its_name_with_no_other_and_with_no_module_outside_it():
    packages = defaultdict(list)
    for path in files():
        if path.name == "__init__.py":
            packages[path.parent.name].append(path.parent)
    assert {name: where for name, where in packages.items() if len(where) > 1} == {}
    clashes = [path for path in files() for folder in packages.get(path.stem, ()) if path.parent != folder]
    assert clashes == []


@pytest.mark.parametrize("ending", ["s", "ing", "er"])
def test_no_module_is_named_almost_as_another(ending):
    names = {path.stem for path in files()}
    assert [name for name in sorted(names) if name + ending in names] == []


def test_no_file_is_longer_than_a_reader_bears():
    counts = {module_of(path): len(path.read_text(encoding="utf-8").splitlines()) for path in files()}
    assert {module: count for module, count in counts.items() if count > MAX_LINES} == {}


def test_every_folder_of_modules_is_a_package():
    folders = {path.parent for path in files()}
    assert [folder for folder in sorted(folders) if folder != CODE and not (folder / "__init__.py").is_file()] == []


def test_trees_import_downwards():
    wrong = [
        f"{module} imports {name}"
        for module, names in imports().items() for name in sorted(names)
        if (tree := module.split(".")[0]) != name.split(".")[0] and name.split(".")[0] not in ALLOWED[tree]
    ]
    assert wrong == []


def test_metrics_know_no_physics_and_physics_no_metrics():
    wrong = [
        f"{module} imports {name}"
        for package, forbidden in METRICS_AND_PHYSICS.items()
        for module, names in imports().items() if under(module, package)
        for name in sorted(names) if any(under(name, other) for other in forbidden)
    ]
    assert wrong == []


def test_what_lies_in_one_folder_does_not_import_in_circles():
    hosts = {module_of(path) for path in CODE.glob(f"skeleton2stage/{WORKER_HOSTS}")}
    graphs = defaultdict(lambda: defaultdict(set))
    for module, names in imports().items():
        for name in names if module not in hosts else ():
            if not under(module, name):
                folder, here, there = step_apart(module, name)
                graphs[folder][here].add(there)
    circles = {}
    for folder, graph in graphs.items():
        try:
            TopologicalSorter({here: there - {here} for here, there in graph.items()}).prepare()
        except CycleError as error:
            circles[folder or "code"] = error.args[1]
    assert circles == {}


def test_names_of_test_files_are_unique():
    names = defaultdict(list)
    for path in Path(__file__).parent.rglob("test_*.py"):
        names[path.name].append(path)
    assert {name: where for name, where in names.items() if len(where) > 1} == {}
