"""Train a base dance model, EDGE's or POPDG's diffusion, on windows of motion and music."""

import time
from dataclasses import asdict, replace
from pathlib import Path

import torch
from accelerate import Accelerator
from torch import nn
from tqdm import tqdm

from dance_model.denoiser import Denoiser
from dance_model.diffusion.captured import CapturedCall
from dance_model.diffusion.ddim import SamplingConfig, generator_for, sample
from dance_model.diffusion.model import DanceModel
from dance_model.diffusion.schedule import N_TIMES, NoiseSchedule, cosine_schedule
from dance_model.edge.denoiser import n_parameters
from dance_model.popdg.losses import Denoised, PopdgLosses, popdg_losses
from dance_model.training.adan import Adan
from dance_model.training.clip_lists import read_lists, select_clips
from dance_model.training.ema import ExponentialMovingAverage
from dance_model.training.joint_positions import kinematic_tree
from dance_model.training.losses import DanceLosses, dance_losses, time_weights, vector_joints
from dance_model.training.music_scaling import MusicScaler
from dance_model.training.train_edge_config import TrainEdgeConfig
from dance_model.training.train_edge_start import load_start, share_within
from dance_model.training.windows import AugmentConfig, DanceWindows, augment, fit_scaler, load_windows
from skeleton2stage import paths
from skeleton2stage.config import help_text, help_wanted, load_config, save_config, to_dataclass
from skeleton2stage.devices import pick_device
from skeleton2stage.errors import UserError, run_main, unknown_name
from skeleton2stage.files import atomic_path
from skeleton2stage.motion.layout import MotionLayout, layout_named
from skeleton2stage.motion.motion import FPS
from skeleton2stage.music.kinds import JUKEBOX, WIDTHS
from skeleton2stage.processes import connect_processes

USAGE = "python -m dance_model.training.train_edge [preset=demo|h100|h100_feet|h100_songs|paper] [key=value ...]"
_PLAIN = AugmentConfig(mirror=False)
_HELD_OUT_WINDOWS = 64
Losses = DanceLosses | PopdgLosses


class EdgeTrainer:
    """One training run, on this process's device; every random draw follows from seed, process and step.

    start: the model to begin with, of the configured sizes, whose scaler is kept.
    """

    def __init__(
        self, config: TrainEdgeConfig, windows: DanceWindows, run: Path, accelerator: Accelerator,
        start: DanceModel | None = None,
    ) -> None:
        self.config, self.run, self.accelerator = config, run, accelerator
        self.layout = layout_named(config.layout)
        self.windows, self.held_out = (part.to(accelerator.device) for part in windows.split(config.held_out))
        check_windows(self.windows, config)
        self.scaler = start.scaler if start else fit_scaler(
            self.windows, config.augment, self.layout, config.denoiser.place_range
        )
        self.music_scaler = MusicScaler.identity(config.denoiser.music_width, accelerator.device)
        if config.standardise_music:
            self.music_scaler = MusicScaler.fit(self.windows.music)
        self.schedule = schedule_on(accelerator.device)
        self.loss_weights = config.loss_weights()
        self.time_weights = time_weights(self.schedule.alphas_cumprod, config.losses.snr_clip, config.losses.snr_floor)
        self.tree = kinematic_tree(accelerator.device)
        torch.manual_seed(config.seed)
        denoiser = config.network()
        optimiser = Adan(denoiser.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay)
        self.model, self.optimiser = accelerator.prepare(denoiser, optimiser)
        # The denoiser itself, without what several processes wrap around it.
        self.denoiser: Denoiser = accelerator.unwrap_model(self.model)
        if start:
            self.denoiser.load_state_dict(start.denoiser.state_dict())
            self.music_scaler.unfold_from(self.denoiser)
        # The warm-up is there to forget random weights; those of a trained model are to stay in the average.
        self.ema = ExponentialMovingAverage(self.denoiser, config.ema_decay, warm_up=start is None)
        self.step = load_state(self)
        self._denoising_losses = torch.compile(self._compare) if config.compiled else self._compare
        self.gradients = CapturedCall(self._gradients) if can_capture(config, accelerator) else self._gradients

    def train(self) -> None:
        """Take the steps that are left, or as many as `max_minutes` allow."""
        config = self.config
        deadline = time.monotonic() + 60 * config.max_minutes if config.max_minutes else float("inf")
        progress = tqdm(
            total=config.steps, initial=self.step, desc="steps", disable=not self.accelerator.is_main_process
        )
        while self.step < config.steps and not self._past(deadline):
            losses = self.train_step()
            progress.update()
            if self.step % config.log_every == 0:
                figures = self._figures(losses)
                self.accelerator.log(figures, step=self.step)
                progress.set_postfix(loss=f"{figures['loss']:.4f}")
            if self.step % config.save_every == 0:
                self.save()
        progress.close()
        if self.step % config.save_every:
            self.save()

    def _past(self, deadline: float) -> bool:
        """Return whether the time is up, by the first process's clock so that all stop at the same step."""
        if deadline == float("inf") or self.step % self.config.log_every:
            return False
        up = torch.tensor([float(time.monotonic() > deadline)], device=self.accelerator.device)
        return bool(self.accelerator.gather(up)[0])

    def train_step(self) -> Losses:
        """Draw a batch, take one optimiser step, and return the losses."""
        torch.manual_seed(step_seed(self.config.seed, self.accelerator.process_index, self.step))
        self.model.train()
        factor = learning_rate_factor(self.step, self.config.steps, self.config.cool_down, self.config.warm_up)
        for group in self.optimiser.param_groups:
            group["lr"] = factor * self.config.learning_rate
        losses = self.gradients()
        self.optimiser.step()
        self.ema.update(self.denoiser)
        self.step += 1
        return losses

    def _gradients(self) -> Losses:
        """Set every parameter's gradient for a batch drawn at random, and return its losses."""
        config = self.config
        self.optimiser.zero_grad(set_to_none=True)
        vectors, music = self.windows.draw(config.batch_size, config.augment)
        losses = self._denoising_losses(self.model, *self._noisy(vectors, music, config.augment), config.cond_drop_prob)
        self.accelerator.backward(losses.total(self.loss_weights))
        if config.max_grad_norm > 0:
            nn.utils.clip_grad_norm_(self.denoiser.parameters(), config.max_grad_norm)
        return type(losses)(*(term.detach() for term in losses))

    def _noisy(
        self, vectors: torch.Tensor, music: torch.Tensor, augmentation: AugmentConfig
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
        """Return windows [B, T, D] with noise, without it, scaled music, and the times, drawn at random, [B]."""
        x0 = self.scaler.normalise(augment(vectors, augmentation, self.layout))
        times = torch.randint(N_TIMES, (len(x0),), device=x0.device)
        noisy = self.schedule.add_noise(x0, times, torch.randn_like(x0))
        return noisy, x0, self.music_scaler(music), times

    def _compare(
        self,
        model: nn.Module,
        noisy: torch.Tensor,
        x0: torch.Tensor,
        music: torch.Tensor,
        times: torch.Tensor,
        drop: float,
    ) -> Losses:
        """Return the losses of predicting x0 [B, T, D] from noisy motions at times [B]."""
        weights = self.time_weights[times]
        if self.config.is_popdg:
            predicted, variance = model(noisy, music, times, drop, with_variance=True)
            denoised = Denoised(predicted.float(), variance, x0, noisy, times)
            return popdg_losses(
                denoised, weights, self.layout, self.scaler, self.loss_weights, self.tree, self.schedule
            )
        predicted = model(noisy, music, times, drop).float()
        return dance_losses(predicted, x0, weights, self.layout, self.scaler, self.loss_weights.fk_space, self.tree)

    def _figures(self, losses: Losses) -> dict[str, float]:
        terms = {f"loss/{name}": value.item() for name, value in losses._asdict().items()}
        return {"loss": losses.total(self.loss_weights).item()} | terms

    def save(self) -> None:
        """Write the averaged weights as weights/train-STEP, log what they do, and last the state to resume."""
        if not self.accelerator.is_main_process:
            return
        model = self.exported()
        model.save(self.run / "weights" / f"train-{self.step}.safetensors", half=self.config.half_storage)
        self.accelerator.log(self._held_out_figures() | self._preview(model), step=self.step)
        save_state(self)

    def exported(self) -> DanceModel:
        """Return the averaged model, for raw music features, in evaluation mode."""
        denoiser = self.config.network().to(self.accelerator.device)
        self.ema.copy_to(denoiser)
        self.music_scaler.fold_into(denoiser)
        return DanceModel(denoiser.eval(), self.layout, self.scaler, self.config.music, self.config.guidance)

    @torch.no_grad()
    def _held_out_figures(self) -> dict[str, float]:
        """Return the averaged weights' losses on held-out windows, evenly chosen, with fixed noise."""
        if not len(self.held_out):
            return {}
        count = min(_HELD_OUT_WINDOWS, len(self.held_out))
        index = torch.linspace(0, len(self.held_out) - 1, count).long().to(self.accelerator.device)
        vectors, music = self.held_out.vectors(index), self.held_out.music[index]
        # The denoiser itself: one process calls this, and a distributed forward would wait for the others.
        with self.ema.applied_to(self.denoiser) as averaged:
            averaged.eval()
            torch.manual_seed(self.config.seed)
            # Not by fused kernels: it would take a minute to make those of one batch of another size.
            losses = self._compare(averaged, *self._noisy(vectors, music, _PLAIN), 0.0)
        return {f"held_out/{name}": value for name, value in self._figures(losses).items()}

    def _preview(self, model: DanceModel) -> dict[str, float]:
        """Return figures of some sampled dances, beside those of the windows whose music they dance to."""
        count = min(self.config.preview_dances, len(self.windows))
        if count == 0:
            return {}
        index = torch.linspace(0, len(self.windows) - 1, count).long().to(self.accelerator.device)
        music = self.windows.music[index]
        generator = generator_for(model.denoiser, self.config.seed)
        dances = sample(model.denoiser, music, generator, SamplingConfig(guidance=model.guidance)).x0
        made = motion_figures(model.scaler.unnormalise(dances), self.layout)
        real = motion_figures(self.windows.vectors(index), self.layout)
        return {f"preview/{name}": value for name, value in made.items()} | {
            f"preview_data/{name}": value for name, value in real.items()
        }


def check_windows(windows: DanceWindows, config: TrainEdgeConfig) -> None:
    """Raise UserError where the training windows do not suit the denoiser, or none are left."""
    if not len(windows):
        raise UserError(f"no training windows in {config.data} besides the held-out clips")
    found = (windows.frames.shape[1], windows.window_frames, windows.music.shape[2])
    sizes = config.denoiser
    expected = (sizes.motion_width, sizes.window_frames, sizes.music_width)
    if found != expected:
        raise UserError(
            f"{config.data} has motion width, window frames and music width {found}, "
            f"the denoiser takes {expected}"
        )


def can_capture(config: TrainEdgeConfig, accelerator: Accelerator) -> bool:
    """Return whether gradients are to be computed by a CUDA graph: on one GPU."""
    return config.cuda_graph and accelerator.device.type == "cuda" and accelerator.num_processes == 1


def learning_rate_factor(step: int, steps: int, cool_down: float, warm_up: int = 0) -> float:
    """Return what the learning rate is multiplied by in a step.

    Straight up over the first `warm_up` steps, 1, then straight down to 0 over the last share `cool_down`.
    """
    up = (step + 1) / (warm_up + 1)
    down = (steps - step) / (cool_down * steps) if cool_down else 1.0
    return min(1.0, up, down)


def schedule_on(device: torch.device) -> NoiseSchedule:
    """Return the cosine schedule with its tables on a device."""
    return NoiseSchedule(**{name: table.to(device) for name, table in vars(cosine_schedule()).items()})


def step_seed(seed: int, process: int, step: int) -> int:
    """Return the seed of one step of one process, so that a resumed run draws what an unbroken one would."""
    return (seed * 1_000_003 + process) * 1_000_003 + step


@torch.no_grad()
def motion_figures(vectors: torch.Tensor, layout: MotionLayout) -> dict[str, float]:
    """Return what tells a dance from a still, a flying or a trembling one, of motion vectors [B, T, D] in metres.

    mot_mag: mean |change of rot6d| a second. root_speed: of the pelvis, m/s. lowest_joint: mean height of
    the lowest joint, m. acceleration: mean of all joints, m/s^2.
    """
    joints = vector_joints(vectors, layout, kinematic_tree(vectors.device))
    root = vectors[..., layout.translation]
    return {
        "mot_mag": (vectors[..., layout.rot6d].diff(dim=1).abs().mean() * FPS).item(),
        "root_speed": (root.diff(dim=1).norm(dim=-1).mean() * FPS).item(),
        "lowest_joint": joints[..., 2].min(dim=-1).values.mean().item(),
        "acceleration": (joints.diff(n=2, dim=1).norm(dim=-1).mean() * FPS**2).item(),
    }


def save_state(trainer: EdgeTrainer) -> None:
    """Write weights, averaged weights, optimiser and step, atomically."""
    state = {
        "step": trainer.step,
        "denoiser": trainer.denoiser.state_dict(),
        "ema": trainer.ema.state_dict(),
        "optimiser": trainer.optimiser.state_dict(),
        "sizes": asdict(trainer.denoiser.config),
        "scale": trainer.scaler.scale,
    }
    with atomic_path(trainer.run / "state.pt") as temporary:
        torch.save(state, temporary)


def load_state(trainer: EdgeTrainer) -> int:
    """Restore a run's state where it has one; return the number of steps done."""
    path = trainer.run / "state.pt"
    if not path.exists():
        return 0
    try:
        state = torch.load(path, weights_only=True, map_location=trainer.accelerator.device)
        _check_state(state, trainer)
        trainer.denoiser.load_state_dict(state["denoiser"])
        trainer.ema.load_state_dict(state["ema"])
        trainer.optimiser.load_state_dict(state["optimiser"])
    except Exception as error:  # noqa: BLE001 - a damaged file can raise almost anything
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise UserError(
            f"{path} does not belong to this run or is damaged ({reason}): "
            "give the run another name, or delete its folder"
        ) from None
    return state["step"]


def _check_state(state: dict, trainer: EdgeTrainer) -> None:
    if state["sizes"] != asdict(trainer.denoiser.config):
        raise ValueError(f"its denoiser is {state['sizes']}")
    if not torch.equal(state["scale"], trainer.scaler.scale):
        raise ValueError("its motions were scaled by other data or another augmentation")


def training_windows(config: TrainEdgeConfig, accelerator: Accelerator) -> DanceWindows:
    """Return the windows of the data folder, prepared by the first process if need be, or of an npz."""
    data = config.data
    if data.is_file():
        return load_windows(data)
    if not data.is_dir():
        raise UserError(f"no data at {data}: prepare it first, or give data=FOLDER or data=FILE.npz")
    check_music(config)
    from dance_model.training.dance_data import WindowConfig, dance_windows  # audio libraries, for preparing alone

    windows = WindowConfig(
        config.stride_s, config.renditions, config.accent, config.layout, config.seed, config.music
    )
    with accelerator.main_process_first():
        return dance_windows(data, windows)


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
        print(help_text(USAGE, "train_edge"))
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
        log_with=list(config.trackers) or None, project_dir=str(run), cpu=config.device == "cpu",
        mixed_precision="bf16" if config.precision == "bf16" else "no",
    )
    start = load_start(config, accelerator.device)  # before the windows, whose preparation may take minutes
    windows, left_out = select_clips(training_windows(config, accelerator), lists, config.held_out)
    trainer = EdgeTrainer(config, windows, run, accelerator, start)
    if accelerator.is_main_process:
        save_config(run / "config.yaml", config)
        print("\n".join((*left_out, describe(trainer))))
    # wandb would write to wherever the command was started.
    accelerator.init_trackers("curves", init_kwargs={"wandb": {"dir": str(run)}})
    trainer.train()
    accelerator.end_training()
    if accelerator.is_main_process:
        print(f"weights: {run / 'weights' / f'train-{trainer.step}.safetensors'}\ncurves:  {run / 'curves'}")


if __name__ == "__main__":
    run_main(main)
