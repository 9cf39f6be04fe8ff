"""`python -m skeleton2stage.export motions=… out=…`: dances as files that animation programs open."""

from dataclasses import dataclass
from pathlib import Path

from skeleton2stage.body.body_choice import BETAS, BODY_GENDERS, BodyChoice
from skeleton2stage.body.body_model import BodyModel
from skeleton2stage.config import help_text, help_wanted, load_config, to_dataclass
from skeleton2stage.errors import run_main
from skeleton2stage.export.export_targets import FOLDER_KIND, KINDS, USD_KINDS, Target, targets_of
from skeleton2stage.export.obj_sequence import UPS, write_obj_sequence
from skeleton2stage.export.skinned_glb import write_glb
from skeleton2stage.motion.folder import read_folder
from skeleton2stage.motion.formats.write_bvh import write_bvh
from skeleton2stage.motion.motion import Motion
from skeleton2stage.render.clips import floor_lift_m
from skeleton2stage.render.figures import pose
from skeleton2stage.render.look import GROUNDS
from skeleton2stage.settings import output_setting, setting

USAGE = "python -m skeleton2stage.export motions=FILE_OR_DIR out=FILE_OR_DIR [to=[glb,bvh,obj,usd]] [key=value …]"
EXIT_BAD_FILES = 1


@dataclass(frozen=True)
class ExportConfig:
    """The keys of configs/export.yaml, which explains them."""

    motions: Path
    out: Path = output_setting()
    to: tuple[str, ...] = setting(choices=KINDS, called="kind of file")
    music: Path | None
    format: str
    body: str
    gender: str = setting(choices=BODY_GENDERS)
    betas: str = setting(choices=BETAS)
    seconds: float | None = setting(above=0)
    ground: str = setting(choices=GROUNDS)
    obj_up: str = setting(choices=UPS, called="axis")

    def body_choice(self) -> BodyChoice:
        """Return whose body motions have."""
        return BodyChoice(self.body, self.gender, self.betas)


def main(arguments: list[str]) -> int:
    """Export what the command line asks for; return 1 where some files could not be read, the others being written."""
    if help_wanted(arguments):
        print(help_text(USAGE, "export"))
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
