"""The motion files of a folder."""

from pathlib import Path

from skeleton2stage.errors import UserError
from skeleton2stage.folder_walk import by_unique_stem, files_in, name_ignored, of_kinds

EXTENSIONS = (".pkl", ".npz", ".bvh")  # of libraries and data sets, beside which features lie as .npy
ANY_EXTENSIONS = (*EXTENSIONS, ".npy", ".pt", ".pth", ".pickle", ".pk", ".joblib", ".smpl")  # of whatever tools write


def motion_files(path: Path, extensions: tuple[str, ...] = EXTENSIONS, below: bool = True) -> list[Path]:
    """Return a motion file itself, or those of a folder and, if wanted, of the folders below it, sorted.

    Linked folders are followed, hidden files passed over, and files of other kinds that look like data named once.
    Raises UserError where there are none.
    """
    path = Path(path)
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise UserError(f"{path} does not exist")
    every = files_in(path, below)
    files = of_kinds(every, extensions)
    if not files:
        raise UserError(f"{path} holds no motion files ({', '.join(extensions)})")
    name_ignored(path, every, extensions)
    return files


def by_stem(files: list[Path]) -> dict[str, Path]:
    """Return motion files by their names without folder and extension; raise UserError where two share one."""
    return by_unique_stem(files, "motions")


def labelled(path: Path, label: str) -> Path:
    """Return the name under which one of several motions of a file goes: the file's, with the motion's own appended."""
    safe = "".join(letter if letter.isalnum() or letter in "-_." else "_" for letter in label)
    return path.with_name(f"{path.stem}_{safe}{path.suffix}") if safe else path
