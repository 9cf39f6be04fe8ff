"""The configuration of `python -m pretrain.plausibility`."""

from dataclasses import dataclass
from pathlib import Path

from pretrain.damage.catalogue import DAMAGES
from skeleton2stage.body.body_model import OPEN
from skeleton2stage.demo_files import CMU_DANCE, HELD_OUT, IMITATION_POLICY
from skeleton2stage.physics.simulators.simulator_options import SimulatorSettings
from skeleton2stage.settings import output_setting, seed_setting, setting


@dataclass(frozen=True, kw_only=True)
class PlausibilityConfig(SimulatorSettings):
    """Does the physical verdict see what no body could do: held-out motions against damaged copies of themselves."""

    policy: tuple[Path, ...] | None = setting(
        "judges beside the axes, one or several: the first is called imitation, others by their files' names; null: "
        "the axes alone",
        default=(IMITATION_POLICY,),
    )
    data: Path = setting("folder of prepared motions (written-form .pkl)", default=CMU_DANCE)
    held_out: tuple[str, ...] = setting(
        "clips (file stems) that the policy was not trained on; these are judged, cut into windows of 5 s",
        default=HELD_OUT,
    )
    out: Path = output_setting(
        ".json file to write; tables are printed as they come, and a command that is killed goes on where it was",
        default=Path("runs/plausibility.json"), may_change=True,
    )
    damages: tuple[str, ...] = setting(
        "kinds of damage to try, at five strengths each; [] tries all",
        default=(), choices=tuple(DAMAGES), called="damage", may_change=True,
    )
    wrench_scale: float | None = setting(
        "scale of the residual wrench on the pelvis, 0 takes it away; null is what the policy was trained with",
        default=None, minimum=0,
    )
    body: str = setting("body the humanoid is cut from: open, smpl, or a file", default=OPEN)
    seed: int = seed_setting("of the damages: when, which side, which way; every window has its own", default=0)
    skipped_s: float = setting(
        "seconds of each clip that are passed over before its first window: 2.5 cuts others out of the same clips",
        default=0.0, minimum=0,
    )
