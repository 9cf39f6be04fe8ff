"""Which version of this project made a file: written into every checkpoint's description and every file of figures.

Standard library alone, as setup.py notes the commit of a package with it.
"""

import subprocess
from functools import cache
from pathlib import Path
from typing import Any

from skeleton2stage import paths

VERSION = "0.1.0"
MADE_BY = "made_by"
CHANGED = "-dirty"  # git's own word for a checkout whose files differ from its commit
_PATIENCE_S = 20.0


def stamped(content: dict[str, Any]) -> dict[str, Any]:
    """Return the content of a JSON file with `made_by` after it: {"version", and "commit" where it is known}.

    A `made_by` that the content has already, as of a file that was read, is replaced.
    """
    return content | {MADE_BY: made_by()}


def made_by() -> dict[str, str]:
    """Return the version, and the git commit (40 digits, `-dirty` after them where tracked files were changed)."""
    known = commit()
    return {"version": VERSION} | ({"commit": known} if known else {})


def in_words() -> str:
    """Return `made_by` as people read it."""
    return " ".join(["skeleton2stage", *made_by().values()])


@cache
def commit() -> str | None:
    """Return the commit of the checkout that runs, or that the installed package was built from; None: not known."""
    noted = paths.REPOSITORY / paths.COMMIT_FILE
    if paths.is_installed():
        return (noted.read_text(encoding="utf-8").strip() or None) if noted.is_file() else None
    return commit_of(paths.REPOSITORY)


def commit_of(folder: Path) -> str | None:
    """Return the commit of the git checkout whose root a folder is; None for any other folder, and without git."""
    if not (folder / ".git").exists():  # a copy without history, perhaps within somebody's own repository
        return None
    command = ["git", "-C", str(folder), "describe", "--always", "--abbrev=40", "--exclude=*", f"--dirty={CHANGED}"]
    try:
        result = subprocess.run(command, capture_output=True, text=True, check=True, timeout=_PATIENCE_S)
    except (OSError, subprocess.SubprocessError):
        return None
    return result.stdout.strip() or None
