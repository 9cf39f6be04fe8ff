"""Music in, dances out: `python -m rl_finetune.sample checkpoint=C music=FILE_OR_DIR out=DIR`."""

from dataclasses import dataclass
from pathlib import Path

from dance_model import families
from dance_model.dance_music import music_sources
from dance_model.dance_policy import RolloutOptions
from dance_model.diffusion.predictor import PRECISIONS
from dance_model.sampling.dances import Refinements, write_dances
from dance_model.sampling.keep import read_constraint
from dance_model.sampling.projection import Projection, make_projection
from rl_finetune.dance_settings import DanceSettings
from skeleton2stage.body.body_model import OPEN
from skeleton2stage.command_help import help_text, help_wanted
from skeleton2stage.config import load_config, to_dataclass
from skeleton2stage.demo_files import TUNED_MODEL
from skeleton2stage.devices import pick_device
from skeleton2stage.errors import UserError, run_main
from skeleton2stage.evaluation.judge import SHIPPED, Judge, load_judge
from skeleton2stage.physics.simulators.simulator_options import SimulatorSettings
from skeleton2stage.settings import output_setting, setting

USAGE = "python -m rl_finetune.sample music=FILE_OR_DIR out=DIR [checkpoint=C] [key=value ...]"
EXIT_BAD_FILES = 1


@dataclass(frozen=True, kw_only=True)
class SampleConfig(DanceSettings, SimulatorSettings):
    """Dances for music."""

    checkpoint: Path = setting(
        "dance model; the shipped one's base model, that it was fine-tuned from, lies beside it", default=TUNED_MODEL
    )
    music: Path = setting(
        "a song (wav, mp3, m4a, flac, mp4, …; 5 s or longer), a folder of songs, or of cached features (.npy)"
    )
    out: Path = output_setting("folder the dances go to, as NAME_OF_SONG.pkl")
    precision: str = setting(
        "of products and attention: float32, or bf16 for large models on NVIDIA GPUs",
        default="float32", choices=PRECISIONS,
    )
    smooth_flips: bool = setting(
        "make flips of the heading, a body turned about within a frame or two, turns that a person can make "
        "(docs/sampling.md)",
        default=True,
    )
    keep: Path | None = setting(
        "motion file with what is given of the dance, from its first frame on; the model makes the rest", default=None
    )
    keep_s: tuple[tuple[float, ...], ...] = setting(
        "which seconds of it are given, [[start,end],...]; empty: all. [[0,1],[4,5]] is in-betweening", default=()
    )
    keep_joints: tuple[str, ...] = setting(
        "which joints: names, translation, upper, lower (with the translation); empty: everything", default=()
    )
    policy: str = setting("who performs for project: demo (shipped), or a .safetensors file", default=SHIPPED)
    body: str = setting("body that project's humanoid is cut from: open, smpl, or a file", default=OPEN)

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
        print(help_text(USAGE, "sample", arguments))
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
