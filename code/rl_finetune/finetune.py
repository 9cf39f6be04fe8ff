"""Fine-tune the dance model by rewards: `python -m rl_finetune.finetune [key=value …]` (configs/finetune.yaml)."""

import time
from dataclasses import replace
from functools import cache, partial
from pathlib import Path

import numpy as np
import torch
from accelerate import Accelerator
from accelerate.utils import set_seed
from rich.console import Console
from tqdm import tqdm

from rl_finetune.advantages import AdvantageNormaliser
from rl_finetune.dance_model import model as dance_model
from rl_finetune.dance_model.ddim import Samples, SamplingConfig, sample
from rl_finetune.dance_model.ema import ExponentialMovingAverage
from rl_finetune.finetune_config import FinetuneConfig
from rl_finetune.finetune_state import load_state, record_epoch, save_state
from rl_finetune.policy_gradient import GradientConfig, accumulate_gradient, stochastic_steps
from rl_finetune.prompts import draw_prompts, load_prompts
from rl_finetune.rewards.base import Dances, RewardContext
from rl_finetune.rewards.reward_file import read_reward_file, reweighted
from rl_finetune.rewards.weighted import WeightedRewards
from skeleton2stage import paths
from skeleton2stage.config import help_text, help_wanted, load_config, save_config, to_dataclass
from skeleton2stage.errors import UserError, run_main
from skeleton2stage.motion.layout import decode
from skeleton2stage.physics.factory import make_scorer


class Finetuner:
    """One fine-tuning run: samples dances, has them scored, and moves the model towards the better ones."""

    def __init__(self, config: FinetuneConfig, run: Path, accelerator: Accelerator) -> None:
        self.config, self.run, self.accelerator = config, run, accelerator
        model = dance_model.load(paths.locate(config.checkpoint), accelerator.device)
        self.model = replace(model, guidance=model.guidance_or(config.guidance))  # saved with what it was tuned for
        self.denoiser = self.model.denoiser.eval()  # no dropout: what is sampled must score the same in the update
        self.prompts = load_prompts(paths.locate(config.music), self.model).spread(config.max_prompts)
        settings = reweighted(read_reward_file(paths.locate(config.rewards)).settings, config.reward_weights or {})
        scorer = partial(
            make_scorer, paths.locate(config.policy), config.simulator, config.body, options=config.simulator_options
        )
        self.rewards = WeightedRewards(settings, RewardContext(cache(scorer)))
        self.normalise = AdvantageNormaliser(self.rewards.weights)
        self.parameters = [p for p in self.denoiser.parameters() if p.requires_grad]
        self.optimiser = torch.optim.AdamW(
            self.parameters, lr=config.learning_rate, weight_decay=config.weight_decay
        )
        self.ema = ExponentialMovingAverage(self.denoiser, config.ema_decay)
        self.epoch = load_state(self)

    def train(self) -> None:
        """Run the epochs that are left."""
        progress = tqdm(
            range(self.epoch, self.config.epochs), initial=self.epoch, total=self.config.epochs, desc="epochs",
            disable=not self.accelerator.is_main_process,
        )
        for epoch in progress:
            begun = time.perf_counter()
            prompts, samples, music = self._sample(epoch)
            dances = self._dances(samples, music)
            rewards = self.rewards(dances)
            advantages = self._advantages(prompts, rewards, music.shape[1], epoch)
            figures = self._update(samples, music, advantages, epoch)
            figures |= self._reward_figures(rewards) | {"seconds": time.perf_counter() - begun}
            self.epoch = epoch + 1
            self._save(figures)
            progress.set_postfix(reward=f"{figures['reward/total']:.4f}", loss=f"{figures['loss']:.3g}")

    def _sample(self, epoch: int) -> tuple[torch.Tensor, Samples, torch.Tensor]:
        """Return this process's prompts [N], the recorded dances, and their music [N, T, F]."""
        config, accelerator = self.config, self.accelerator
        drawn = draw_prompts(len(self.prompts), config.batch_size * accelerator.num_processes, epoch, config.seed)
        own = drawn.view(accelerator.num_processes, config.batch_size)[accelerator.process_index]
        own = own.repeat_interleave(config.samples_per_prompt)
        music = self.prompts.features[own].to(accelerator.device)
        generator = torch.Generator(accelerator.device).manual_seed(self._draw_seed(epoch))
        sampling = SamplingConfig(config.n_steps, config.eta, self.model.guidance)
        return own.to(accelerator.device), sample(self.denoiser, music, generator, sampling, record=True), music

    def _draw_seed(self, epoch: int) -> int:
        """Return a seed that differs between runs' seeds, epochs and processes, and survives a resume."""
        index = self.accelerator.process_index
        return int(np.random.SeedSequence((self.config.seed, epoch, index)).generate_state(1)[0])

    def _dances(self, samples: Samples, music: torch.Tensor) -> Dances:
        vectors = self.model.scaler.unnormalise(samples.x0)
        return Dances(*decode(vectors, self.model.layout), music)

    def _advantages(
        self, prompts: torch.Tensor, rewards: dict[str, torch.Tensor], n_frames: int, epoch: int
    ) -> torch.Tensor:
        """Return this process's advantages [N, T], normalised over the dances of all processes."""
        gather = self.accelerator.gather
        everyone = self.normalise(gather(prompts), {name: gather(value) for name, value in rewards.items()}, n_frames)
        if self.config.shuffle_advantages:
            generator = torch.Generator().manual_seed(self.config.seed * 1_000_003 + epoch)
            everyone = everyone[torch.randperm(len(everyone), generator=generator).to(everyone.device)]
        return everyone.chunk(self.accelerator.num_processes)[self.accelerator.process_index]

    def _update(
        self, samples: Samples, music: torch.Tensor, advantages: torch.Tensor, epoch: int
    ) -> dict[str, float]:
        """Take one optimiser step along the policy gradient."""
        config = self.config
        self.optimiser.zero_grad(set_to_none=True)
        gradient = GradientConfig(self.model.guidance, config.dances_per_pass, config.steps_per_pass)
        steps = self._trained_steps(samples, epoch)
        loss = accumulate_gradient(self.denoiser, samples, music, advantages, steps, gradient)
        self._average_gradients()
        norm = torch.nn.utils.clip_grad_norm_(self.parameters, config.max_grad_norm, error_if_nonfinite=True)
        self.optimiser.step()
        self.ema.update(self.denoiser)
        return {"loss": loss, "gradient_norm": float(norm)}

    def _trained_steps(self, samples: Samples, epoch: int) -> list[int]:
        """Return the denoising steps of this update, the same in every process."""
        steps = [i for i in stochastic_steps(samples) if samples.steps[i].time >= self.config.min_trained_time]
        if not 0 < self.config.trained_steps < len(steps):
            return steps
        generator = torch.Generator().manual_seed(self.config.seed * 1_000_003 + epoch)
        chosen = torch.randperm(len(steps), generator=generator)[: self.config.trained_steps]
        return sorted(steps[index] for index in chosen.tolist())

    def _average_gradients(self) -> None:
        if self.accelerator.num_processes > 1:
            for parameter in self.parameters:
                gradient = torch.zeros_like(parameter) if parameter.grad is None else parameter.grad
                parameter.grad = self.accelerator.reduce(gradient, reduction="mean")

    def _reward_figures(self, rewards: dict[str, torch.Tensor]) -> dict[str, float]:
        """Return mean rewards over all processes, un-normalised, and their weighted total."""
        gathered = {name: self.accelerator.gather(value) for name, value in rewards.items()}
        total = self.rewards.total(gathered)
        figures = {f"reward/{name}": float(value.mean()) for name, value in gathered.items()}
        return figures | {"reward/total": float(total.mean()), "reward/total_deviation": float(total.std())}

    def _save(self, figures: dict[str, float]) -> None:
        """Log the epoch, save weights where due, and last the state that a resume starts from."""
        self.accelerator.log(figures, step=self.epoch)
        if not self.accelerator.is_main_process:
            return
        record_epoch(self.run, self.epoch, figures)
        if self.epoch % self.config.save_every == 0 or self.epoch == self.config.epochs:
            self.save_weights()
        save_state(self)

    def save_weights(self) -> None:
        """Write the averaged weights as weights/train-EPOCH, in full precision: updates are smaller than fp16's."""
        with self.ema.applied_to(self.denoiser):
            self.model.save(self.run / "weights" / f"train-{self.epoch}.safetensors", half=False)


def describe_batch(config: FinetuneConfig, n_prompts: int, n_processes: int) -> str:
    """Return one line with the batch arithmetic, per process and global."""
    n = config.dances_per_process
    return (
        f"{config.batch_size} prompts x {config.samples_per_prompt} samples = {n} dances a process and epoch, "
        f"{n * n_processes} over {n_processes} process{'es' if n_processes > 1 else ''}, from {n_prompts} prompts; "
        f"{config.epochs} epochs, one update each"
    )


def main(arguments: list[str]) -> None:
    """Compose the configuration and run."""
    if help_wanted(arguments):
        print(help_text("python -m rl_finetune.finetune [preset=demo|paper] [key=value …]", "finetune"))
        return
    resolved = load_config("finetune", arguments)
    config = to_dataclass(resolved, FinetuneConfig)
    for tracker in config.trackers:
        if tracker not in ("tensorboard", "wandb"):
            raise UserError(f"unknown tracker '{tracker}': choose tensorboard, wandb, or both")
    run = paths.runs() / "train" / config.name
    accelerator = Accelerator(
        log_with=list(config.trackers) or None, project_dir=str(run), cpu=config.device == "cpu"
    )
    set_seed(config.seed)
    finetuner = Finetuner(config, run, accelerator)
    if accelerator.is_main_process:
        save_config(run / "config.yaml", resolved)
        Console().print(describe_batch(config, len(finetuner.prompts), accelerator.num_processes))
        weights = ", ".join(f"{name} {weight:g}" for name, weight in finetuner.rewards.weights.items())
        Console().print(f"rewards and weights: {weights}")
    # wandb would write to wherever the command was started.
    accelerator.init_trackers("curves", init_kwargs={"wandb": {"dir": str(run)}})
    finetuner.train()
    accelerator.end_training()
    if accelerator.is_main_process:
        print(f"weights: {run / 'weights'}\ncurves:  {run / 'curves'} and {run / 'epochs.json'}")


if __name__ == "__main__":
    run_main(main)
