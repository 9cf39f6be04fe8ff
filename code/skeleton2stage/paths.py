"""Where things are: the repository's own folders, and those a user may move by environment.sh.

A package that pip installed has no checkout around it: what ships is then read from a copy inside the package, which
has a checkout's folders, and data, runs and the user's body files are those of the folder that a command is started in.

A relative path that is typed means the same for every command: from the folder that the command is started in. A
relative path in a file under configs/ is one of the repository's; in a file of rewards, one beside that file.
"""

import os
from pathlib import Path

SHIPPED_FOLDER = "shipped"  # of an installed package
# What the copy holds; setup.py makes it.
SHIPPED_FILES = (
    "configs/**/*.yaml", "checkpoints/demo/*", "body_models/open/*", "code/rl_finetune/*.yaml",
)
COMMIT_FILE = "commit.txt"  # which commit the package was built from


def _find_repository() -> Path:
    shipped = Path(__file__).resolve().parent / SHIPPED_FOLDER
    return shipped if shipped.is_dir() else Path(__file__).resolve().parents[2]


REPOSITORY = _find_repository()


def is_installed() -> bool:
    """Return whether this is a package that pip installed, and no checkout, editable installs of one included."""
    return REPOSITORY.name == SHIPPED_FOLDER


def workplace() -> Path:
    """Return where things that do not ship are by default: the checkout, or the folder a command is started in."""
    return Path.cwd() if is_installed() else REPOSITORY


def of_project(path: Path) -> Path:
    """Return what a relative path in a file under configs/ means: one of a folder that ships, or of the workplace."""
    ships = (REPOSITORY / path.parts[0]).exists() if path.parts else False
    return (REPOSITORY if ships else workplace()) / path


def from_environment(variable: str, default: Path) -> Path:
    """Return the folder named by an environment variable, or `default` where it is unset or empty."""
    value = os.environ.get(variable, "")
    return Path(value).expanduser().resolve() if value else default


def shown(path: Path) -> str:
    """Return a path for people to read, without this machine's own part where it is one of the repository's."""
    return str(path.relative_to(REPOSITORY)) if path.is_relative_to(REPOSITORY) else str(path)


def shared_data() -> Path:
    """Return the folder of downloaded data: mocap archives and songs (S2S_SHARED_DATA)."""
    around = workplace() if is_installed() else REPOSITORY.parent
    return from_environment("S2S_SHARED_DATA", around / "shared" / "data")


def prepared_data() -> Path:
    """Return the folder that data preparation writes to (S2S_DATA, default `data/`)."""
    return from_environment("S2S_DATA", workplace() / "data")


def user_cache() -> Path:
    """Return this project's folder in the user's own cache, which an installed package uses (XDG_CACHE_HOME)."""
    return from_environment("XDG_CACHE_HOME", Path.home() / ".cache") / "skeleton2stage"


def cache() -> Path:
    """Return the folder of things that can be made again, such as music features (S2S_CACHE)."""
    return from_environment("S2S_CACHE", user_cache() if is_installed() else REPOSITORY / "cache")


def body_models() -> Path:
    """Return the folder of body models, the user's SMPL files among them (SMPL_MODELS)."""
    return from_environment("SMPL_MODELS", workplace() / "body_models")


def open_body() -> Path:
    """Return the file of the free body that ships with the project."""
    return REPOSITORY / "body_models" / "open" / "open_body.npz"


def configs() -> Path:
    """Return the root of the Hydra configuration tree."""
    return REPOSITORY / "configs"


def demo_checkpoints() -> Path:
    """Return the folder of the checkpoints that ship with the project."""
    return REPOSITORY / "checkpoints" / "demo"


def runs() -> Path:
    """Return the folder that training and evaluation write to (S2S_RUNS, default `runs/`)."""
    return from_environment("S2S_RUNS", workplace() / "runs")
