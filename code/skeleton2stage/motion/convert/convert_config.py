"""The configuration of `python -m skeleton2stage.motion.convert`."""

from dataclasses import dataclass
from pathlib import Path

from skeleton2stage.errors import UserError
from skeleton2stage.motion.formats.read_motion import check_format


@dataclass(frozen=True)
class ConvertConfig:
    """The keys of configs/convert.yaml, which explains them, besides the limits of the checks."""

    source: Path
    out: Path
    format: str
    clips: Path | None
    workers: int | None
    strict: bool
    check: bool

    def __post_init__(self) -> None:
        check_format(self.format)
        if self.workers is not None and self.workers < 1:
            raise UserError(f"workers must be at least 1, not {self.workers}")
