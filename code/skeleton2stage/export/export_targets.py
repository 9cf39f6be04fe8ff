"""Which files an export writes, from what the command line names."""

import importlib.util
from dataclasses import dataclass
from pathlib import Path

from skeleton2stage.errors import UserError
from skeleton2stage.render.jobs import song_of

FOLDER_KIND = "obj"  # the one that is a folder of files
USD_KINDS = ("usd", "usda", "usdc", "usdz")
KINDS = ("glb", "bvh", FOLDER_KIND, *USD_KINDS)


@dataclass(frozen=True)
class Target:
    """One export: the motion's name, the kind of file, where it goes (of obj, a folder), and the song, if any."""

    name: str
    kind: str
    path: Path
    song: Path | None


def targets_of(names: list[str], out: Path, kinds: tuple[str, ...], music: Path | None) -> list[Target]:
    """Return what to write of motions by name: the single file `out`, or in a folder NAME.glb, NAME.bvh and NAME_obj/.

    Raises UserError where one file is to hold several motions, where two would share a file, for missing music, and
    where USD is wanted and OpenUSD is not installed.
    """
    if music and not music.exists():
        raise UserError(f"{music} does not exist")
    kind = out.suffix.lower().removeprefix(".")
    single = kind in KINDS and kind != FOLDER_KIND and not out.is_dir()
    if any(wanted in USD_KINDS for wanted in ((kind,) if single else kinds)):
        _check_usd()
    if single:
        if len(names) > 1:
            raise UserError(f"'out' is the single file {out}, but there are {len(names)} motions: name a folder")
        return [Target(names[0], kind, out, song_of(music, Path(names[0]).stem))]
    targets = [
        Target(name, kind, out / _file(name, kind), song_of(music, Path(name).stem)) for name in names for kind in kinds
    ]
    owners: dict[Path, str] = {}
    for target in targets:
        if target.path in owners:
            names = f"{owners[target.path]} and {target.name}"
            raise UserError(f"{names} would both be written to {target.path}: rename one, or export one at a time")
        owners[target.path] = target.name
    return targets


def _check_usd() -> None:
    if importlib.util.find_spec("pxr") is None:
        raise UserError(
            "USD files need OpenUSD, which is not installed: pip install 'usd-core>=25.5'; .glb files need nothing"
        )


def _file(name: str, kind: str) -> Path:
    path = Path(name)
    return path.with_name(f"{path.stem}_obj") if kind == FOLDER_KIND else path.with_suffix(f".{kind}")
