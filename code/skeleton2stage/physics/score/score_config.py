"""The configuration of `python -m skeleton2stage.physics.score`."""

from dataclasses import dataclass
from pathlib import Path

from skeleton2stage.body.body_choice import BETAS, BODY_GENDERS, BodyChoice
from skeleton2stage.motion.motion import FPS
from skeleton2stage.physics.simulators.simulator_options import SimulatorOptions
from skeleton2stage.settings import output_setting, setting


@dataclass(frozen=True)
class ScoreConfig:
    """The keys of configs/score.yaml, which explains them."""

    motions: Path
    out: Path = output_setting()
    save: Path | None = output_setting()
    report: Path | None = output_setting()
    format: str
    window_s: float | None = setting(minimum=2 / FPS, why="a window has two frames or more")
    policy: Path
    simulator: str
    simulator_options: SimulatorOptions
    wrench_scale: float | None = setting(minimum=0)
    body: str
    gender: str = setting(choices=BODY_GENDERS)
    betas: str = setting(choices=BETAS)
    max_worlds: int | None = setting(minimum=1)

    def body_choice(self) -> BodyChoice:
        """Return whose body motions have."""
        return BodyChoice(self.body, self.gender, self.betas)
