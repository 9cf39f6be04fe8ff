"""The configuration of `python -m skeleton2stage.physics.score`."""

from dataclasses import dataclass
from pathlib import Path

from skeleton2stage.motion.motion import FPS
from skeleton2stage.physics.simulators.simulator_options import SimulatorOptions
from skeleton2stage.settings import setting


@dataclass(frozen=True)
class ScoreConfig:
    """The keys of configs/score.yaml, which explains them."""

    motions: Path
    out: Path
    save: Path | None
    report: Path | None
    format: str
    window_s: float | None = setting(minimum=2 / FPS, why="a window has two frames or more")
    policy: Path
    simulator: str
    simulator_options: SimulatorOptions
    wrench_scale: float | None = setting(minimum=0)
    body: str
    max_worlds: int | None = setting(minimum=1)
