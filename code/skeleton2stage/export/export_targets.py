"""Which files an export writes, from what the command line names."""

from dataclasses import dataclass
from pathlib import Path

from skeleton2stage.errors import UserError
from skeleton2stage.render.jobs import song_of

KINDS = ("glb", "bvh", "obj")


@dataclass(frozen=True)
class Target:
    """One export: the motion's name, the kind of file, where it goes (of obj, a folder), and the song, if any."""

    name: str
    kind: str
    path: Path
    song: Path | None


def targets_of(names: list[str], out: Path, kinds: tuple[str, ...], music: Path | None) -> list[Target]:
    """Return what to write of motions by name: the single file `out`, or in a folder NAME.glb, NAME.bvh and NAME_obj/.

    Raises UserError where one file is to hold several motions, where two would share a file, and for missing music.
    """
    if music and not music.exists():
        raise UserError(f"{music} does not exist")
    kind = out.suffix.lower().removeprefix(".")
    if kind in ("glb", "bvh") and not out.is_dir():
        if len(names) > 1:
            raise UserError(f"'out' is the single file {out}, but there are {len(names)} motions: name a folder")
        return [Target(names[0], kind, out, song_of(music, Path(names[0]).stem))]
    targets = [
        Target(name, kind, out / _file(name, kind), song_of(music, Path(name).stem)) for name in names for kind in kinds
    ]
    paths = [target.path for target in targets]
    twice = next((path for path in paths if paths.count(path) > 1), None)
    if twice:
        raise UserError(f"several motions would be written to {twice}: export them one folder at a time")
    return targets


def _file(name: str, kind: str) -> Path:
    path = Path(name)
    return path.with_name(f"{path.stem}_obj") if kind == "obj" else path.with_suffix(f".{kind}")
