"""How clips and their music become windows: what every training of a dance model is told."""

from dataclasses import dataclass

from skeleton2stage.errors import UserError
from skeleton2stage.motion.motion import FPS
from skeleton2stage.motion.motion_layout import EDGE
from skeleton2stage.music.kinds import BASELINE
from skeleton2stage.settings import check_own_settings, seed_setting, setting


@dataclass(frozen=True)
class WindowConfig:
    """How clips and their music become windows of 5 s."""

    stride_s: float = setting("seconds between the starts of two windows of 5 s", default=0.5, above=0)
    renditions: int = setting(
        "versions of each clip without a song, each on the beat of percussion of another tempo", default=8, minimum=1
    )
    accent: float = setting(
        "share by which those are slower on a beat, and faster between two; 0: only moved onto it",
        default=0.3, minimum=0, below=1,
    )
    layout: str = setting("motion vector: edge (151 features a frame) or popdg (156)", default=EDGE.name)
    seed: int = seed_setting(
        "reaches weights, batches, noise and percussion; the same seed gives the same run", default=0
    )
    music: str = setting(
        "kind of music features: baseline (EDGE's 35 a frame), song_beats (those, but with the beats of all the music, "
        "not of each 5 s by themselves) or jukebox (4800; needs jukemirlib)",
        default=BASELINE,
    )

    def __post_init__(self) -> None:
        check_own_settings(self)
        frames = self.stride_s * FPS
        if frames < 1 or abs(frames - round(frames)) > 1e-6:
            raise UserError(f"stride_s must be a whole number of frames (1/30 s), not {self.stride_s}")
