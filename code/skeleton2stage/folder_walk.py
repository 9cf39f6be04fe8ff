"""The files of a folder, as people have them: linked folders followed, hidden files passed over."""

import sys
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from skeleton2stage.errors import UserError

# What macOS unpacks beside an archive's files.
_DROPPINGS = ("__macosx",)
# What commonly lies beside motions and songs, and of which nobody expects that it is read.
_COMPANIONS = frozenset({
    "", ".json", ".md", ".txt", ".yaml", ".yml", ".tex", ".pdf", ".html", ".log", ".svg", ".png", ".jpg", ".jpeg",
    ".gif", ".wav", ".ogg", ".oga", ".mp3", ".flac", ".m4a", ".m4b", ".aac", ".opus", ".aiff", ".aif", ".wma", ".caf",
    ".au", ".w64", ".mp4", ".mov", ".mkv", ".webm", ".avi", ".m4v", ".zip", ".gz", ".xz", ".tar", ".safetensors", ".py",
    ".sh",
})


def files_in(folder: Path, below: bool = True) -> list[Path]:
    """Return the files of a folder and, if wanted, of the folders below it, sorted.

    Links to files and folders are followed, each folder once however many ways lead to it, so that no circle of links
    goes on for ever; a folder that lies there itself is taken by that way. Hidden files and folders are passed over.
    A link that leads nowhere is taken for a file, which its reader then says to be missing.
    """
    seen: set[Path] = set()
    found, folders, links = [], [Path(folder)], []
    while folders or links:
        here = folders.pop(0) if folders else links.pop(0)
        if here.resolve() in seen:
            continue
        seen.add(here.resolve())
        for path in sorted(here.iterdir()):
            if is_hidden(path):
                continue
            if path.is_file() or (path.is_symlink() and not path.exists()):
                found.append(path)
            elif below and path.is_dir():
                (links if path.is_symlink() else folders).append(path)
    return sorted(found)


def is_hidden(path: Path) -> bool:
    """Return whether a file or folder is one that its owner does not see, such as macOS's ._song.wav."""
    return path.name.startswith(".") or path.name.lower() in _DROPPINGS


def of_kinds(files: Iterable[Path], suffixes: Iterable[str]) -> list[Path]:
    """Return the files that have one of some suffixes, in capitals or not."""
    kinds = {suffix.lower() for suffix in suffixes}
    return [file for file in files if file.suffix.lower() in kinds]


def name_ignored(folder: Path, files: Iterable[Path], suffixes: Iterable[str]) -> None:
    """Say on stderr, in one line, which files of a folder look like data and are of none of the kinds that are read."""
    taken = {suffix.lower() for suffix in suffixes} | _COMPANIONS
    kinds = Counter(file.suffix.lower() for file in files if file.suffix.lower() not in taken)
    if kinds:
        counts = ", ".join(f"{count} {suffix}" for suffix, count in sorted(kinds.items()))
        print(f"passed over in {folder}: {counts} (read are {', '.join(suffixes)})", file=sys.stderr)


def by_unique_stem(files: Iterable[Path], what: str) -> dict[str, Path]:
    """Return files by their names without folder and suffix; raise UserError where two share one.

    what: what the files are, in the plural, for the error.
    """
    found: dict[str, Path] = {}
    for file in files:
        if file.stem in found:
            raise UserError(f"two {what} are called {file.stem}: {found[file.stem]} and {file}: rename or remove one")
        found[file.stem] = file
    return found
