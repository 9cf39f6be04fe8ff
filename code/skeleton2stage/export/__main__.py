"""`python -m skeleton2stage.export motions=… out=…`: dances as files that animation programs open."""

from dataclasses import dataclass
from pathlib import Path

from skeleton2stage.body.body_choice import BodySettings
from skeleton2stage.body.body_model import BodyModel
from skeleton2stage.command_help import help_text, help_wanted
from skeleton2stage.config import load_config, to_dataclass
from skeleton2stage.errors import run_main
from skeleton2stage.export.export_targets import FOLDER_KIND, KINDS, USD_KINDS, Target, targets_of
from skeleton2stage.export.obj_sequence import UPS, write_obj_sequence
from skeleton2stage.export.skinned_glb import write_glb
from skeleton2stage.motion.folder import read_folder
from skeleton2stage.motion.formats.format_choice import format_setting
from skeleton2stage.motion.formats.write_bvh import write_bvh
from skeleton2stage.motion.motion import Motion
from skeleton2stage.render.clips import floor_lift_m
from skeleton2stage.render.figures import pose
from skeleton2stage.render.look import GROUNDS
from skeleton2stage.settings import output_setting, setting

USAGE = "python -m skeleton2stage.export motions=FILE_OR_DIR out=FILE_OR_DIR [to=[glb,bvh,obj,usd]] [key=value …]"
EXIT_BAD_FILES = 1


@dataclass(frozen=True, kw_only=True)
class ExportConfig(BodySettings):
    """Dances as files of animation programs."""

    motions: Path = setting("a motion file, or a folder of them")
    out: Path = output_setting(
        "a .glb, .bvh, .usd, .usda, .usdc or .usdz to write, or a folder for NAME.glb and so on of each motion"
    )
    to: tuple[str, ...] = setting(
        "kinds of files, where out is a folder: glb (skinned mesh with its animation), bvh (the skeleton alone), usda, "
        "usdc, usdz (text, binary, package; as glb, with usd-core installed), usd (binary), obj (a mesh a frame, "
        "NAME_obj/mesh_0.obj and so on: 0.4 MB each)",
        default=("glb",), choices=KINDS, called="kind of file",
    )
    music: Path | None = setting(
        "a song, or a folder with a song of each motion's name: .glb and USD name it (none holds sound)", default=None
    )
    format: str = format_setting()
    seconds: float | None = setting("at most this much of each motion; null: all", default=None, above=0)
    ground: str = setting(
        "where the floor is: file (as written, nothing is changed), mean (as the original's get_obj.py has it), auto "
        "(as written, unless the mean lowest point is over 0.1 m from it)",
        default="file", choices=GROUNDS,
    )
    obj_up: str = setting(
        "the axis that points up in .obj files: z, as in motions here, or y; all others are always y up",
        default="z", choices=UPS, called="axis",
    )


def main(arguments: list[str]) -> int:
    """Export what the command line asks for; return 1 where some files could not be read, the others being written."""
    if help_wanted(arguments):
        print(help_text(USAGE, "export", arguments))
        return 0
    config = to_dataclass(load_config("export", arguments), ExportConfig)
    choice = config.body_choice()
    motions, n_bad = read_folder(config.motions, config.format, choice.check)
    targets = targets_of(list(motions), config.out, config.to, config.music)
    for target in targets:
        body = choice.of(motions[target.name])
        export(target, prepared(motions[target.name], body, config), body, config.obj_up)
        print(f"wrote {target.path}" + (f", to {target.song.name}" if target.song else ""))
    return EXIT_BAD_FILES if n_bad else 0


def prepared(motion: Motion, body: BodyModel, config: ExportConfig) -> Motion:
    """Return what is exported of a motion: its beginning, with the floor where the settings have it."""
    if config.seconds is not None:
        motion = motion.slice(0, max(1, round(config.seconds * motion.fps)))
    if config.ground == "file":
        return motion
    return motion.shifted([0.0, 0.0, floor_lift_m(pose(body, motion), config.ground)])


def export(target: Target, motion: Motion, body: BodyModel, obj_up: str) -> None:
    """Write one file, or one folder of them."""
    title, song = Path(target.name).stem, target.song.stem if target.song else None
    if target.kind == "bvh":
        write_bvh(target.path, motion, body.bone_offsets)
    elif target.kind == FOLDER_KIND:
        write_obj_sequence(target.path, motion, body, obj_up)
    elif target.kind in USD_KINDS:
        from skeleton2stage.export.skinned_usd import write_usd  # OpenUSD may not be installed

        write_usd(target.path, motion, body, title, song)
    else:
        write_glb(target.path, motion, body, title, song)


if __name__ == "__main__":
    run_main(main)
