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

    policy: Path | None = setting("a judge beside the axes; null: the axes alone", default=IMITATION_POLICY)
    data: Path = setting("folder of prepared motions (written-form .pkl)", default=CMU_DANCE)
    held_out: tuple[str, ...] = setting(
        "clips (file stems) that the policy was not trained on; these are judged, cut into windows of 5 s",
        default=HELD_OUT,
    )
    out: Path = output_setting(".json file to write; the table is printed", default=Path("runs/plausibility.json"))
    damages: tuple[str, ...] = setting(
        "kinds of damage to try, at five strengths each; [] tries all",
        default=(), choices=tuple(DAMAGES), called="damage",
    )
    wrench_scale: float | None = setting(
        "scale of the residual wrench on the pelvis, 0 takes it away; null is what the policy was trained with",
        default=None, minimum=0,
    )
    body: str = setting("body the humanoid is cut from: open, smpl, or a file", default=OPEN)
    seed: int = seed_setting("of the damages: when, which side, which way; every window has its own", default=0)
