"""The configuration of `python -m skeleton2stage.physics.score`."""

from dataclasses import dataclass
from pathlib import Path

from skeleton2stage.body.body_choice import BodySettings
from skeleton2stage.demo_files import IMITATION_POLICY
from skeleton2stage.motion.formats.format_choice import format_setting
from skeleton2stage.motion.motion import FPS
from skeleton2stage.physics.simulators.simulator_options import SimulatorSettings
from skeleton2stage.settings import output_setting, setting


@dataclass(frozen=True, kw_only=True)
class ScoreConfig(SimulatorSettings, BodySettings):
    """The physical verdict on SMPL motions, whoever made them: how well, and whether, a body can perform them."""

    motions: Path = setting("folder of motion files (or one file), in any of the formats that convert reads")
    out: Path = output_setting(".json file to write; the table is printed")
    save: Path | None = output_setting(
        "folder for what the body made of each motion, as written-form .pkl files; null writes none", default=None
    )
    report: Path | None = output_setting(
        "folder for pages that explain the verdict: one a motion, and a table of all, index.html; null writes none",
        default=None,
    )
    format: str = format_setting()
    window_s: float | None = setting(
        "cut motions end to end into windows this long, seconds, the remainder dropped; null scores each whole",
        default=None, minimum=2 / FPS, why="a window has two frames or more",
    )
    policy: Path = setting("who performs", default=IMITATION_POLICY)
    wrench_scale: float | None = setting(
        "scale of the residual wrench on the pelvis, 0 takes it away; null is what the policy was trained with",
        default=None, minimum=0,
    )
    max_worlds: int | None = setting("motions performed at once; null suits the simulator", default=None, minimum=1)