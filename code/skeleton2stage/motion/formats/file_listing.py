"""The motion files of a folder."""

from pathlib import Path

from skeleton2stage.errors import UserError

EXTENSIONS = (".pkl", ".npz", ".bvh")  # of libraries and data sets, beside which features lie as .npy
ANY_EXTENSIONS = (*EXTENSIONS, ".npy", ".pt", ".pth", ".pickle", ".joblib", ".smpl")  # of whatever tools write


def motion_files(path: Path, extensions: tuple[str, ...] = EXTENSIONS, below: bool = True) -> list[Path]:
    """Return a motion file itself, or those of a folder and, if wanted, of the folders below it, sorted.

    Hidden files are passed over. Raises UserError where there are none.
    """
    path = Path(path)
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise UserError(f"{path} does not exist")
    files = sorted(
        file for file in (path.rglob("*") if below else path.iterdir())
        if file.suffix.lower() in extensions and not file.name.startswith(".") and file.is_file()
    )
    if not files:
        raise UserError(f"{path} holds no motion files ({', '.join(extensions)})")
    return files


def by_stem(files: list[Path]) -> dict[str, Path]:
    """Return motion files by their names without folder and extension; raise UserError where two share one."""
    found: dict[str, Path] = {}
    for file in files:
        if file.stem in found:
            raise UserError(f"two motions are called {file.stem}: {found[file.stem]} and {file}: rename or remove one")
        found[file.stem] = file
    return found


def labelled(path: Path, label: str) -> Path:
    """Return the name under which one of several motions of a file goes: the file's, with the motion's own appended."""
    safe = "".join(letter if letter.isalnum() or letter in "-_." else "_" for letter in label)
    return path.with_name(f"{path.stem}_{safe}{path.suffix}") if safe else path
