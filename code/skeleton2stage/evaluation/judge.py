"""What judges motions: the physics, a reference set, and the body, or why one of them is not there."""

from dataclasses import dataclass, replace
from pathlib import Path

from skeleton2stage import paths
from skeleton2stage.body.body_choice import BodyChoice
from skeleton2stage.metrics.measured_clip import clip_of
from skeleton2stage.metrics.penetration import PenetrationCounter
from skeleton2stage.metrics.published_features import read_published
from skeleton2stage.metrics.reference_statistics import (
    Reference,
    features_of,
    read_reference,
    reference_of,
    write_reference,
)
from skeleton2stage.motion.folder import AnyMotion
from skeleton2stage.motion.motion import Motion
from skeleton2stage.physics.score.make_scorer import Scorer, make_scorer
from skeleton2stage.physics.simulators.simulator_options import SimulatorOptions
from skeleton2stage.settings import setting

SHIPPED, NONE = "demo", "none"


@dataclass(frozen=True, kw_only=True)
class JudgeSettings:
    """What dances are measured by."""

    reference: str = setting(
        "what fid_* and div_* are relative to: demo (shipped, of CMU dances), none, a file from evaluate's stats_out, "
        "or a folder of published features: aist_features, or Bailando's aist_features_zero_start (docs/music.md)",
        default=SHIPPED,
    )
    critic: Path | None = setting(
        "motioncritic_pre.pth of ou524u/MotionCritic, for motion_critic; null leaves that out", default=None
    )
    policy: str = setting(
        "who performs the dances, for success_rate and imitation: demo (shipped), none, or a .safetensors file",
        default=SHIPPED,
    )
    pen_rate: bool = setting(
        "count the triangles of the body that pass through each other: some 300 frames a second and core", default=True
    )


@dataclass(frozen=True)
class Judge:
    """The scorer of physical metrics, or why there is none."""

    scorer: Scorer | None
    reason: str = "no imitation policy was given"


@dataclass(frozen=True)
class Yardstick:
    """What FID and diversity are relative to, or why there is nothing."""

    reference: Reference | None
    reason: str = "no reference was given"


def write_statistics(path: Path, motions: dict[str, AnyMotion], source: str) -> None:
    """Write what FID needs of a reference set of motions."""
    reference = reference_of(features_of([clip_of(motion) for motion in motions.values()]), source)
    write_reference(path, reference)
    print(f"statistics of {reference.description} written to {path}")


NO_JUDGE, NO_YARDSTICK = Judge(None), Yardstick(None)


def load_yardstick(name: str) -> Yardstick:
    """Return the reference in a file or a folder of published features, `demo` for the shipped one, `none` for none.

    Only the shipped one may be missing; raises UserError where one that was named is.
    """
    if name == NONE:
        return Yardstick(None, "reference=none")
    if name != SHIPPED:
        path = Path(name).expanduser()
        return Yardstick(read_published(path) if path.is_dir() else read_reference(path))
    shipped = paths.demo_checkpoints() / "mocap_statistics.npz"
    if not shipped.exists():
        return Yardstick(None, f"no shipped statistics in {paths.shown(shipped.parent)}")
    return Yardstick(replace(read_reference(shipped), source=paths.shown(shipped)))


def load_judge(
    policy: str, simulator: str, body: str | BodyChoice, options: SimulatorOptions | None = None
) -> Judge:
    """Return the judge with a policy's checkpoint, `demo` for the shipped one, `none` for no physics.

    Only the shipped policy may be missing; raises UserError where one that was named is.
    """
    if policy == NONE:
        return Judge(None, "policy=none")
    if policy != SHIPPED:
        return Judge(make_scorer(Path(policy).expanduser(), simulator, body, show_progress=True, options=options))
    checkpoint = paths.demo_checkpoints() / "imitation_policy.safetensors"
    if not checkpoint.exists():
        return Judge(None, f"no shipped imitation policy in {paths.shown(checkpoint.parent)}")
    return Judge(make_scorer(checkpoint, simulator, body, show_progress=True, options=options))


class OwnPenetrations:
    """Counts the penetrations of each motion's own body, as a choice has it."""

    def __init__(self, choice: BodyChoice) -> None:
        self._choice = choice
        self._counter: tuple[object, PenetrationCounter] | None = None

    def of(self, motion: Motion) -> PenetrationCounter:
        """Return what counts a motion's; the last body's is kept."""
        key = self._choice.key(motion)
        if self._counter is None or self._counter[0] != key:
            self._counter = key, PenetrationCounter(self._choice.of(motion))
        return self._counter[1]


def load_penetration(wanted: bool, body: str | BodyChoice) -> OwnPenetrations | None:
    """Return what counts the penetrations of bodies, where wanted; raise UserError where there is no such body."""
    if not wanted:
        return None
    choice = body if isinstance(body, BodyChoice) else BodyChoice(body)
    if not choice.is_own:
        choice.mean()  # a body that is not there is told of before hours of other work
    return OwnPenetrations(choice)
