"""The configuration of `python -m skeleton2stage.motion.convert`."""

from dataclasses import dataclass
from pathlib import Path

from skeleton2stage.motion.checks.check_limits import CheckLimits
from skeleton2stage.motion.formats.format_choice import format_setting
from skeleton2stage.motion.formats.motion_writers import MOTION_WRITERS
from skeleton2stage.motion.formats.read_motion import check_format
from skeleton2stage.settings import output_setting, part_of, setting


@dataclass(frozen=True, kw_only=True)
class ConvertConfig(CheckLimits):
    """Motion files of any format to a library of motions in the written form, each one checked."""

    source: Path = setting("motion file, or a folder tree of them (docs/data.md lists the formats)")
    out: Path = output_setting("library: folder that the motions and library.json go to")
    write: str = setting(
        "form of the library's files: pkl (EDGE's written form), npz (AMASS's layout), bvh",
        default="pkl", choices=tuple(MOTION_WRITERS),
    )
    format: str = format_setting()
    clips: Path | None = setting(
        'JSON file of notes by clip name: "keep_s": {name: [start, end]} s, "fps": {name: true frame rate}, "up": '
        "{name: z, y, -y or -z}",
        default=None,
    )
    workers: int | None = setting("processes; null for one a CPU core", default=None, minimum=1)
    strict: bool = setting("exit with 1 where a clip was rejected", default=False)
    check: bool = setting(
        "false: only convert, moving no floor and rejecting nothing that can be read", default=True
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        check_format(self.format)

    def limits(self) -> CheckLimits:
        """Return what a motion may be without being rejected."""
        return part_of(self, CheckLimits)
