"""Sample dances with a fine-tuned model and measure them: what eval.sh runs."""

import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dance_model import families
from dance_model.dance_music import music_sources
from dance_model.dance_policy import RolloutOptions
from dance_model.sampling.dances import Refinements, write_dances
from dance_model.sampling.projection import make_projection
from rl_finetune.dance_settings import DanceSettings
from skeleton2stage.body.body_model import OPEN
from skeleton2stage.command_help import help_text, help_wanted
from skeleton2stage.config import load_config, to_dataclass
from skeleton2stage.devices import pick_device
from skeleton2stage.errors import UserError, run_main
from skeleton2stage.evaluation.evaluate_motions import evaluate_motions
from skeleton2stage.evaluation.judge import JudgeSettings, load_judge, load_penetration, load_yardstick
from skeleton2stage.evaluation.song_beats import song_beats
from skeleton2stage.metrics.metrics_table import evaluation_table, write_evaluation
from skeleton2stage.metrics.motion_critic import read_critic
from skeleton2stage.music.song_names import song_of, songs_in
from skeleton2stage.physics.simulators.simulator_options import SimulatorSettings
from skeleton2stage.settings import output_setting, run_name_setting, setting

USAGE = "bash code/rl_finetune/eval.sh EXP_NAME EPOCH MOTION_SAVE_ROOT CKPT_ROOT CACHED_MUSIC_FEATURES [key=value ...]"
EXIT_BAD_FILES = 1


@dataclass(frozen=True, kw_only=True)
class EvalCheckpointConfig(DanceSettings, JudgeSettings, SimulatorSettings):
    """Dances of a fine-tuned model, and their metrics; eval.sh gives the first five keys."""

    name: str = run_name_setting("the run (EXP_NAME)")
    epoch: int = setting("which of its saved epochs", minimum=0)
    motion_save_root: Path = output_setting("dances and metrics go to NAME-EPOCH under it")
    ckpt_root: Path = setting(
        "folder of runs, runs/train by default of run.sh; weights are in NAME/weights/train-EPOCH.safetensors"
    )
    music: Path = setting(
        "cached features (.npy a dance, or folders SONG/*.npy of 5 s slices), a folder of songs, or a song"
    )
    songs: Path | None = setting(
        "folder of songs that the features' names tell (docs/music.md), for bas; null: looks beside the features",
        default=None,
    )
    body: str = setting(
        "body of pen_rate, and that the humanoid is cut from: open, smpl, or a file", default=OPEN
    )

    @property
    def out(self) -> Path:
        """The folder of dances and metrics."""
        return self.motion_save_root / f"{self.name}-{self.epoch}"


def main(arguments: list[str]) -> int:
    """Sample, write, measure; return 1 where some of the music could not be used."""
    if help_wanted(arguments):
        print(help_text(USAGE, "eval_checkpoint", arguments))
        return 0
    config = to_dataclass(load_config("eval_checkpoint", arguments), EvalCheckpointConfig)
    checkpoint = find_checkpoint(config.ckpt_root, config.name, config.epoch)
    sources = music_sources(config.music, config.seconds)
    judge = load_judge(config.policy, config.simulator, config.body, config.simulator_options)
    projection = make_projection(config.project, config.n_steps, judge.scorer, judge.reason)
    refinements = Refinements(config.fgd_guidance, config.foot_lock, None, projection, config.smooth_flips)
    yardstick = load_yardstick(config.reference)
    critic = None if config.critic is None else read_critic(config.critic)
    policy = families.load(checkpoint, pick_device(config.device), config.family)
    policy.with_options(RolloutOptions(config.guidance, config.n_steps, config.eta))
    written = write_dances(policy, sources, config.out, config.seed, refinements, config.samples_per_song)
    beats = _beats(config, list(written.motions))
    penetration = load_penetration(config.pen_rate, config.body)
    evaluation = evaluate_motions(
        written.motions, judge, beats, yardstick, critic, config.seed, penetration
    )
    write_evaluation(config.out / "metrics.json", evaluation)
    print(f"{evaluation_table(evaluation)}\ndances, metrics.json and metrics.md are in {config.out}")
    return EXIT_BAD_FILES if written.n_bad else 0


def find_checkpoint(root: Path, name: str, epoch: int) -> Path:
    """Return root/name/weights/train-EPOCH, ours (.safetensors) or EDGE's (.pt).

    Raises UserError that lists what is there instead.
    """
    weights = root / name / "weights"
    saved = [file for suffix in (".safetensors", ".pt") for file in weights.glob(f"train-*{suffix}")]
    for file in saved:
        if file.stem == f"train-{epoch}":
            return file
    if not weights.is_dir():
        runs = sorted(path.parent.name for path in root.glob("*/weights"))
        raise UserError(f"{root} has no run '{name}' with weights: it has {', '.join(runs) or 'none at all'}")
    numbers = {file.stem.removeprefix("train-") for file in saved}
    epochs = sorted(int(number) for number in numbers if number.isdigit())
    raise UserError(f"{weights} has no train-{epoch}: epochs saved are {', '.join(map(str, epochs)) or 'none'}")


def _beats(config: EvalCheckpointConfig, motions: list[str]) -> dict[str, np.ndarray] | None:
    """Return the beats of the songs, given by themselves or lying beside the features; None where there are none."""
    if config.songs is not None:
        return song_beats(config.songs, motions)
    folder = config.music.parent if config.music.is_file() else config.music
    known = songs_in(folder)
    if not any(song_of(Path(motion).stem, known) for motion in motions):
        print(f"no songs beside the features in {folder}: bas is left out (songs=DIR names them)", file=sys.stderr)
        return None
    return song_beats(folder, motions)


if __name__ == "__main__":
    run_main(main)
