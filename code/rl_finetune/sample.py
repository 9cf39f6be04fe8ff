"""Music in, dances out: `python -m rl_finetune.sample checkpoint=C music=FILE_OR_DIR out=DIR`."""

from dataclasses import dataclass
from pathlib import Path

from dance_model import families
from dance_model.dance_music import music_sources
from dance_model.dance_policy import RolloutOptions
from dance_model.diffusion.predictor import PRECISIONS
from dance_model.sampling.dances import Refinements, write_dances
from dance_model.sampling.fgd_guidance import FORMS
from dance_model.sampling.keep import read_constraint
from dance_model.sampling.projection import Projection, make_projection
from skeleton2stage.config import help_text, help_wanted, load_config, to_dataclass
from skeleton2stage.devices import DEVICES, pick_device
from skeleton2stage.errors import UserError, run_main
from skeleton2stage.evaluation.judge import Judge, load_judge
from skeleton2stage.physics.simulators.simulator_options import SimulatorOptions
from skeleton2stage.settings import output_setting, seed_setting, setting

USAGE = "python -m rl_finetune.sample music=FILE_OR_DIR out=DIR [checkpoint=C] [key=value ...]"
EXIT_BAD_FILES = 1


@dataclass(frozen=True)
class SampleConfig:
    """The keys of configs/sample.yaml, which explains them."""

    checkpoint: Path
    family: str | None
    music: Path
    out: Path = output_setting()
    seconds: float | None = setting(above=0)
    samples_per_song: int = setting(minimum=1)
    seed: int = seed_setting()
    n_steps: int = setting(minimum=1)
    eta: float = setting(minimum=0)
    guidance: float | None
    precision: str = setting(choices=PRECISIONS)
    project: int = setting(minimum=0)
    fgd_guidance: str = setting(choices=FORMS)
    smooth_flips: bool
    foot_lock: bool
    keep: Path | None
    keep_s: tuple[tuple[float, ...], ...]
    keep_joints: tuple[str, ...]
    policy: str
    simulator: str
    simulator_options: SimulatorOptions
    body: str
    device: str = setting(choices=DEVICES)

    def load_refinements(self) -> Refinements:
        """Return what is done to the dances besides sampling them; only projection loads a policy."""
        if self.keep is None and (self.keep_s or self.keep_joints):
            raise UserError("keep_s and keep_joints choose from a motion: give keep=FILE as well")
        keep = None if self.keep is None else read_constraint(self.keep, self.keep_s, self.keep_joints)
        return Refinements(self.fgd_guidance, self.foot_lock, keep, self._load_projection(), self.smooth_flips)

    def _load_projection(self) -> Projection | None:
        judge = Judge(None)
        if self.project > 0:
            judge = load_judge(self.policy, self.simulator, self.body, self.simulator_options)
        return make_projection(self.project, self.n_steps, judge.scorer, judge.reason)


def main(arguments: list[str]) -> int:
    """Dance to a song or to every song of a folder; return 1 where some could not be used."""
    if help_wanted(arguments):
        print(help_text(USAGE, "sample"))
        return 0
    config = to_dataclass(load_config("sample", arguments), SampleConfig)
    if config.out.is_file():
        raise UserError(f"out={config.out} is a file where a folder for the dances was expected")
    refinements = config.load_refinements()
    sources = music_sources(config.music, config.seconds)
    policy = families.load(config.checkpoint, pick_device(config.device), config.family)
    policy.with_options(RolloutOptions(config.guidance, config.n_steps, config.eta, config.precision))
    written = write_dances(policy, sources, config.out, config.seed, refinements, config.samples_per_song)
    for name, motion in written.motions.items():
        print(f"{config.out / name}  {motion.duration_s:.1f} s")
    return EXIT_BAD_FILES if written.n_bad else 0


if __name__ == "__main__":
    run_main(main)
