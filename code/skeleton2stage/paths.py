"""Where things are: the repository's own folders, and those a user may move by environment.sh.

A relative path that is typed means the same for every command: from the folder that the command is started in. A
relative path in a file under configs/ is one of the repository's; in a file of rewards, one beside that file.
"""

import os
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]


def from_environment(variable: str, default: Path) -> Path:
    """Return the folder named by an environment variable, or `default` where it is unset or empty."""
    value = os.environ.get(variable, "")
    return Path(value).expanduser().resolve() if value else default


def shown(path: Path) -> str:
    """Return a path for people to read, without this machine's own part where it is one of the repository's."""
    return str(path.relative_to(REPOSITORY)) if path.is_relative_to(REPOSITORY) else str(path)


def shared_data() -> Path:
    """Return the folder of downloaded data: mocap archives and songs (S2S_SHARED_DATA)."""
    return from_environment("S2S_SHARED_DATA", REPOSITORY.parent / "shared" / "data")


def prepared_data() -> Path:
    """Return the folder that data preparation writes to (S2S_DATA, default `data/`)."""
    return from_environment("S2S_DATA", REPOSITORY / "data")


def cache() -> Path:
    """Return the folder of things that can be made again, such as music features (S2S_CACHE)."""
    return from_environment("S2S_CACHE", REPOSITORY / "cache")


def body_models() -> Path:
    """Return the folder of body models, the user's SMPL files among them (SMPL_MODELS)."""
    return from_environment("SMPL_MODELS", REPOSITORY / "body_models")


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
    return from_environment("S2S_RUNS", REPOSITORY / "runs")
