"""The motion files of a folder."""

from pathlib import Path

from skeleton2stage.errors import UserError

EXTENSIONS = (".pkl", ".npz", ".bvh")


def motion_files(path: Path, extensions: tuple[str, ...] = EXTENSIONS) -> list[Path]:
    """Return a motion file itself, or those under a folder, sorted; raise UserError where there are none."""
    path = Path(path)
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise UserError(f"{path} does not exist")
    files = sorted(
        file for file in path.rglob("*")
        if file.suffix.lower() in extensions and not file.name.startswith(".") and file.is_file()
    )
    if not files:
        raise UserError(f"{path} holds no motion files ({', '.join(extensions)})")
    return files
