"""The trainer of diffusion dance models: one batch, one optimiser step, what is logged and saved."""

import time
from pathlib import Path

import torch
from accelerate import Accelerator
from pytorch_optimizer import Adan
from torch import nn
from tqdm import tqdm

from dance_model.diffusion.captured import CapturedCall
from dance_model.diffusion.ddim import SamplingConfig, generator_for, sample
from dance_model.diffusion.denoiser import Denoiser
from dance_model.diffusion.diffusion_model import DanceModel
from dance_model.diffusion.schedule import N_TIMES, NoiseSchedule, cosine_schedule
from dance_model.training.dance_losses import DanceLosses, dance_losses, time_weights
from dance_model.training.ema import ExponentialMovingAverage
from dance_model.training.joint_positions import kinematic_tree
from dance_model.training.music_scaling import MusicScaler
from dance_model.training.popdg_losses import Denoised, PopdgLosses, popdg_losses
from dance_model.training.preview_figures import motion_figures
from dance_model.training.train_edge_config import TrainEdgeConfig
from dance_model.training.training_state import load_state, save_state
from dance_model.training.windows import AugmentConfig, DanceWindows, augment, fit_scaler
from skeleton2stage.curves import NOWHERE, Curves
from skeleton2stage.errors import UserError
from skeleton2stage.motion.motion_layout import layout_named
from skeleton2stage.run_settings import RunSettings
from skeleton2stage.step_seeds import step_seed

_PLAIN = AugmentConfig(mirror=False)
_HELD_OUT_WINDOWS = 64
Losses = DanceLosses | PopdgLosses


class EdgeTrainer:
    """One training run, on this process's device; every random draw follows from seed, process and step.

    start: the model to begin with, of the configured sizes, whose scaler is kept. settings: what the run is compared by
    when it goes on; those of `config` where there are no others.
    """

    def __init__(
        self, config: TrainEdgeConfig, windows: DanceWindows, run: Path, accelerator: Accelerator,
        start: DanceModel | None = None, settings: RunSettings | None = None,
    ) -> None:
        self.config, self.run, self.accelerator = config, run, accelerator
        self.settings = settings or RunSettings(config, processes=accelerator.num_processes)
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
        self.step, self.curves = load_state(self), NOWHERE
        self._denoising_losses = torch.compile(self._compare) if config.compiled else self._compare
        self.gradients = CapturedCall(self._gradients) if can_capture(config, accelerator) else self._gradients

    def train(self, curves: Curves = NOWHERE) -> None:
        """Take the steps that are left, or as many as `max_minutes` allow."""
        self.curves = curves
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
                self.curves.log(figures, self.step)
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
        self.curves.log(self._held_out_figures() | self._preview(model), self.step)
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
