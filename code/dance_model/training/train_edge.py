"""Train a base dance model, EDGE's or POPDG's diffusion, on windows of motion and music."""

from dataclasses import replace
from pathlib import Path

import torch
from accelerate import Accelerator

from dance_model.edge.edge_denoiser import n_parameters
from dance_model.training.clip_lists import ClipLists, read_lists, select_clips
from dance_model.training.edge_trainer import EdgeTrainer
from dance_model.training.train_edge_config import TrainEdgeConfig
from dance_model.training.train_edge_start import load_start, share_within
from dance_model.training.windows import DanceWindows, load_windows
from skeleton2stage import paths
from skeleton2stage.command_help import help_text, help_wanted
from skeleton2stage.config import load_config, to_dataclass
from skeleton2stage.curves import FOLDER, open_curves
from skeleton2stage.devices import pick_device
from skeleton2stage.errors import UserError, run_main, unknown_name
from skeleton2stage.music.kinds import JUKEBOX, WIDTHS
from skeleton2stage.rendezvous import connect_processes
from skeleton2stage.run_settings import RunSettings
from skeleton2stage.run_state import check_run, record_settings, run_folder, say_finished

USAGE = "python -m dance_model.train_dance_model [preset=PRESET] [key=value ...]"


def training_windows(config: TrainEdgeConfig, accelerator: Accelerator) -> DanceWindows:
    """Return the windows of the data folder, prepared by the first process if need be, or of an npz."""
    data = config.data
    if data.is_file():
        return load_windows(data)
    if not data.is_dir():
        raise UserError(f"no data at {data}: prepare it first, or give data=FOLDER or data=FILE.npz")
    check_music(config)
    from dance_model.training.dance_data import dance_windows  # audio libraries, for preparing alone

    with accelerator.main_process_first():
        return dance_windows(data, config.window_config())


def check_music(config: TrainEdgeConfig) -> None:
    """Raise UserError where the kind of music features is unknown, of another width, or not the one to be changed."""
    if config.music not in WIDTHS:
        raise unknown_name("kind of music features", config.music, list(WIDTHS))
    if config.denoiser.music_width != WIDTHS[config.music]:
        raise UserError(f"music={config.music} needs denoiser.music_width={WIDTHS[config.music]}")
    if config.augment.changes_music and config.music == JUKEBOX:
        raise UserError(
            f"{config.music} features have timbre and onsets in all places: give augment.shuffle_timbre=false"
            " augment.timbre_shift=0 augment.shuffle_onsets=0 augment.softest_onset=1 augment.onset_noise=0"
        )


def describe(trainer: EdgeTrainer) -> str:
    """Return one line with sizes and batch arithmetic, and what there is to say of the model begun with."""
    config, processes = trainer.config, trainer.accelerator.num_processes
    start = ""
    if config.start_from:
        share = share_within(trainer.scaler, trainer.windows.frames, trainer.layout)
        start = f"; from {config.start_from}, whose range holds {share:.1%} of the data's heights and rotations"
    return (
        f"{n_parameters(trainer.denoiser) / 1e6:.2f} M parameters on {trainer.accelerator.device}; "
        f"{len(trainer.windows)} windows, {len(trainer.held_out)} held out; {config.steps} steps of "
        f"{config.batch_size} x {processes} process{'es' if processes > 1 else ''} = "
        f"{config.batch_size * processes} windows; starting at step {trainer.step}{start}"
    )


def main(arguments: list[str]) -> None:
    """Compose the configuration and run."""
    if help_wanted(arguments):
        print(help_text(USAGE, "train_edge", arguments))
        return
    config = to_dataclass(load_config("train_edge", arguments), TrainEdgeConfig)
    lists = read_lists(config)
    if lists.test is not None:
        config = replace(config, held_out=tuple(sorted(lists.test)))
    run = config.out or paths.runs() / "train_edge" / config.name
    if config.device == "cuda" and not torch.cuda.is_available():
        raise UserError("device=cuda, but this machine has no NVIDIA GPU that torch can use")
    if config.precision == "tf32":
        torch.set_float32_matmul_precision("high")
    connect_processes(pick_device(config.device))
    accelerator = Accelerator(
        cpu=config.device == "cpu", mixed_precision="bf16" if config.precision == "bf16" else "no"
    )
    with run_folder(run, accelerator.is_main_process):
        train(config, lists, run, accelerator)


def train(config: TrainEdgeConfig, lists: ClipLists, run: Path, accelerator: Accelerator) -> None:
    """Prepare the windows if need be, take the steps that are left, and say where the weights are."""
    settings = RunSettings(config, processes=accelerator.num_processes)
    check_run(run, settings)
    start = load_start(config, accelerator.device)  # before the windows, whose preparation may take minutes
    windows, left_out = select_clips(training_windows(config, accelerator), lists, config.held_out)
    if lists.test is not None:  # a published list may name clips that a folder does not have; `left_out` says so
        config = replace(config, held_out=tuple(name for name in config.held_out if name in windows.names))
    trainer = EdgeTrainer(config, windows, run, accelerator, start, settings)
    if trainer.step >= config.steps:
        if accelerator.is_main_process:
            say_finished(run, trainer.step, config.steps, "steps")
        return
    if accelerator.is_main_process:
        record_settings(run, config, trainer.settings)
        print("\n".join((*left_out, describe(trainer))))
    with open_curves(run, config.trackers, accelerator.device) as curves:
        trainer.train(curves)
    accelerator.end_training()
    if accelerator.is_main_process:
        print(f"weights: {run / 'weights' / f'train-{trainer.step}.safetensors'}\ncurves:  {run / FOLDER}")


if __name__ == "__main__":
    run_main(main)
