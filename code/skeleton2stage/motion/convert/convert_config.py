"""The configuration of `python -m skeleton2stage.motion.convert`."""

from dataclasses import dataclass
from pathlib import Path

from skeleton2stage.motion.formats.motion_writers import MOTION_WRITERS
from skeleton2stage.motion.formats.read_motion import check_format
from skeleton2stage.settings import output_setting, setting


@dataclass(frozen=True)
class ConvertConfig:
    """The keys of configs/convert.yaml, which explains them, besides the limits of the checks."""

    source: Path
    out: Path = output_setting()
    format: str
    clips: Path | None
    workers: int | None = setting(minimum=1)
    strict: bool
    check: bool
    write: str = setting(choices=tuple(MOTION_WRITERS))

    def __post_init__(self) -> None:
        check_format(self.format)
