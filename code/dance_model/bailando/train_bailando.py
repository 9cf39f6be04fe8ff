"""Train a Bailando model: `bash code/rl_finetune/train_edge.sh DATA family=bailando [key=value …]`."""

import sys
from dataclasses import dataclass, replace
from pathlib import Path

from dance_model.bailando.bailando_trainer import BailandoTrainer
from dance_model.bailando.training_config import PRESETS, BailandoTraining, preset
from dance_model.training.window_config import WindowConfig
from dance_model.training.windows import load_windows
from skeleton2stage import paths
from skeleton2stage.command_help import help_wanted, options_help
from skeleton2stage.config import read_options
from skeleton2stage.curves import FOLDER, open_curves, tracker_setting
from skeleton2stage.demo_files import CMU_DANCE, HELD_OUT
from skeleton2stage.devices import device_setting, pick_device
from skeleton2stage.errors import UserError, run_main
from skeleton2stage.run_settings import RunSettings
from skeleton2stage.run_state import check_run, record_settings, run_folder, say_finished
from skeleton2stage.settings import run_name_setting, seed_setting, setting

USAGE = "bash code/rl_finetune/train_edge.sh DATA family=bailando [key=value ...]"


@dataclass(frozen=True)
class TrainBailandoConfig:
    """A Bailando model: a VQ-VAE of bodies, and a GPT of its codes."""

    preset: str = setting(
        "sizes and lengths: demo (5.7 MB, minutes on a GPU) or tiny (to try it out)",
        default="demo", choices=tuple(PRESETS),
    )
    data: Path = setting(
        "folder of motions, songs of the same stem beside them or none; or a prepared .npz", default=CMU_DANCE
    )
    name: str = run_name_setting(
        "the run's folder under runs/train_edge; a run of that name goes on where it stopped", default="bailando"
    )
    device: str = device_setting("where the model is trained", may_change=True)
    seed: int = seed_setting("the same seed gives the same run", default=0)
    vqvae_steps: int = setting(
        "optimiser steps of the first stage, the VQ-VAE of bodies; 0: the preset's",
        default=0, minimum=0, may_change=lambda config: not config.training().vqvae.cool_down,
    )
    gpt_steps: int = setting(
        "of the second, the GPT of its codes; 0: the preset's",
        default=0, minimum=0, may_change=lambda config: not config.training().gpt.cool_down,
    )
    batch_size: int = setting("windows a step of the first stage; 0: the preset's", default=0, minimum=0)
    renditions: int = setting(
        "versions of each clip without a song, each on the beat of percussion of another tempo", default=8, minimum=1
    )
    held_out: tuple[str, ...] = setting("clips (file stems) never trained on; [] for none", default=HELD_OUT)
    trackers: tuple[str, ...] = tracker_setting()

    def training(self) -> BailandoTraining:
        """Return the preset with what was given in its place."""
        chosen = preset(self.preset)
        vqvae = replace(
            chosen.vqvae, steps=self.vqvae_steps or chosen.vqvae.steps,
            batch_size=self.batch_size or chosen.vqvae.batch_size,
        )
        gpt = replace(chosen.gpt, steps=self.gpt_steps or chosen.gpt.steps)
        return replace(chosen, vqvae=vqvae, gpt=gpt, seed=self.seed, held_out=self.held_out)

    def resolved(self) -> "TrainBailandoConfig":
        """Return the same with the preset's numbers in place of zeros that stand for them."""
        training = self.training()
        return replace(
            self, vqvae_steps=training.vqvae.steps, gpt_steps=training.gpt.steps, batch_size=training.vqvae.batch_size
        )


def main(arguments: list[str]) -> None:
    """Prepare the windows if need be, train both stages, and write the model and its curves."""
    if help_wanted(arguments):
        print(options_help(USAGE, TrainBailandoConfig))
        return
    config = read_options(arguments, TrainBailandoConfig).resolved()
    data = config.data
    if not data.exists():
        raise UserError(f"no data at {data}: prepare it first, or give data=FOLDER or data=FILE.npz")
    run = paths.runs() / "train_edge" / config.name
    with run_folder(run):
        train(config, run)


def train(config: TrainBailandoConfig, run: Path) -> None:
    """Take the steps that are left of both stages, and write the model."""
    from dance_model.training.dance_data import dance_windows  # audio libraries

    data, training = config.data, config.training()
    settings = RunSettings(config, training)
    check_run(run, settings)
    windows = load_windows(data) if data.is_file() else dance_windows(
        data, WindowConfig(renditions=config.renditions, seed=config.seed, music=training.music)
    )
    device = pick_device(config.device)
    trainer = BailandoTrainer(training, windows, run, device, _say, settings)
    path = run / "weights" / "train-last.safetensors"
    if trainer.is_finished and path.exists():
        say_finished(run, sum(trainer.done.values()), training.vqvae.steps + training.gpt.steps, "steps")
        return
    record_settings(run, config, settings)
    with open_curves(run, config.trackers, device) as curves:
        policy = trainer.train(curves)
    policy.save(path)
    print(f"weights: {path}\ncurves:  {run / FOLDER}")


def _say(stage: str, step: int, figures: dict[str, float]) -> None:
    shown = "  ".join(f"{name} {value:.4g}" for name, value in figures.items())
    print(f"{stage} {step}: {shown}", file=sys.stderr)


if __name__ == "__main__":
    run_main(main)
