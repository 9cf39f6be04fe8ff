"""Fine-tune the dance model by rewards: `python -m rl_finetune.finetune [key=value …]`."""

import sys
from functools import cache, partial
from pathlib import Path

import torch
from accelerate import Accelerator
from accelerate.utils import set_seed
from rich.console import Console
from tqdm import tqdm

from dance_model import families
from dance_model.dance_policy import Rollout, RolloutOptions
from dance_model.training.ema import ExponentialMovingAverage
from rl_finetune.credit_assignment import Crediting, GroupCrediting, PromptCrediting
from rl_finetune.drift import DriftProbe
from rl_finetune.finetune_config import DIRECT, PAPER, FinetuneConfig
from rl_finetune.finetune_state import load_state, record_epoch, save_state
from rl_finetune.group_advantages import frame_mean
from rl_finetune.held import HeldQuantities
from rl_finetune.low_rank import adapt, merged
from rl_finetune.prompts import draw_prompts, load_prompts
from rl_finetune.rewards.reward import Dances, RewardContext
from rl_finetune.rewards.reward_file import read_reward_file, reweighted
from rl_finetune.rewards.weighted import WeightedRewards
from rl_finetune.seeds import draw_seed
from rl_finetune.stopwatch import Stopwatch
from rl_finetune.watch import Watch
from rl_finetune.ways_to_learn import make_learners
from skeleton2stage import paths
from skeleton2stage.body.body_model import load_body
from skeleton2stage.command_help import help_text, help_wanted
from skeleton2stage.config import load_config, to_dataclass
from skeleton2stage.curves import FOLDER, NOWHERE, Curves, open_curves
from skeleton2stage.devices import pick_device
from skeleton2stage.errors import UserError, run_main
from skeleton2stage.physics.score.make_scorer import make_scorer
from skeleton2stage.rendezvous import connect_processes
from skeleton2stage.run_settings import RunSettings
from skeleton2stage.run_state import record_settings, run_folder, say_finished

BASE_DANCES = 4  # a prompt, of the base model, by which held quantities are measured


class Finetuner:
    """One fine-tuning run: samples dances, has them scored, and moves the model towards the better ones."""

    def __init__(self, config: FinetuneConfig, run: Path, accelerator: Accelerator) -> None:
        self.config, self.run, self.accelerator = config, run, accelerator
        self.settings = RunSettings(config, processes=accelerator.num_processes)
        self.policy = families.load(config.checkpoint, accelerator.device, config.family).with_options(
            RolloutOptions(config.guidance, config.n_steps, config.eta, config.precision, config.compiled)
        )
        self.prompts = load_prompts(config.music, self.policy).spread(config.max_prompts)
        context = reward_context(config)
        file = read_reward_file(config.rewards)
        self.rewards = WeightedRewards(
            reweighted(file.settings, config.reward_weights or {}), context,
            side_by_side=accelerator.device.type == "cuda" and config.performs_beside,
        )
        self.held = HeldQuantities(file.hold if config.hold is None else config.hold, context)
        self.crediting = make_crediting(config, self.rewards, self.held)
        self.parameters = self.policy.parameters()
        self.saved = self.policy
        if config.lora_rank:
            self.saved = self.policy.frozen_copy()  # as it is without what adapts it
            self.parameters = adapt(self.policy.module, self.parameters, config.lora_rank, config.seed)
        self.learners = make_learners(config, self.policy, self.parameters, context)
        self.ema = ExponentialMovingAverage(self.policy.module, config.ema_decay)
        self.probe, self.watch, self.curves = DriftProbe(self.policy), Watch(), NOWHERE
        self.epoch = load_state(self)

    def train(self, curves: Curves = NOWHERE) -> None:
        """Run the epochs that are left."""
        self.curves = curves
        if not self.held.is_measured:
            self._measure_base()
        progress = self._progress(range(self.epoch, self.config.epochs), self.config.epochs, "epochs")
        for epoch in progress:
            clock = Stopwatch(self.accelerator.device)
            prompts = self._own_prompts(epoch)
            rollout = self._roll_out(prompts, epoch)
            dances = self._dances(rollout)
            clock.lap("sampling")
            rewards = self.rewards(dances, geometric_only=self.config.is_direct(epoch))
            clock.lap("rewards")
            advantages, figures = self._advantages(prompts, dances, rewards, epoch)
            clock.lap("credit")
            figures |= self._update(rollout, advantages, epoch)
            clock.lap("update")
            figures |= self._reward_figures(rewards) | clock.figures()
            self.epoch = epoch + 1
            self._save(figures)
            progress.set_postfix(reward=f"{figures['reward/total']:.4f}", step=f"{figures['step_size']:.2g}")

    def _progress(self, epochs: range, total: int, what: str) -> tqdm:
        return tqdm(
            epochs, initial=total - len(epochs), total=total, desc=what,
            disable=not self.accelerator.is_main_process,
        )

    def _measure_base(self) -> None:
        """Let the base model dance to all prompts, or evenly chosen ones: the level of what is held."""
        config, accelerator = self.config, self.accelerator
        per_process = config.dances_per_process
        all_dances = torch.arange(len(self.prompts)).repeat_interleave(min(BASE_DANCES, config.samples_per_prompt))
        n_rounds = -(-len(all_dances) // (per_process * accelerator.num_processes))
        if n_rounds > config.base_rounds:
            n_rounds = config.base_rounds
            spread = torch.linspace(0, len(all_dances) - 1, n_rounds * per_process * accelerator.num_processes)
            all_dances = all_dances[spread.round().long()]
        parts = []
        for number in self._progress(range(n_rounds), n_rounds, "base model"):
            start = (number * accelerator.num_processes + accelerator.process_index) * per_process
            own = all_dances[torch.arange(start, start + per_process) % len(all_dances)]
            values = self.held.measure(self._dances(self._roll_out(own, -1 - number)))
            parts.append({name: accelerator.gather(value).cpu() for name, value in values.items()}
                         | {"": accelerator.gather(own.to(accelerator.device)).cpu()})
        joined = {name: torch.cat([part[name] for part in parts]) for name in parts[0]}
        self.held.set_base(joined.pop(""), joined, len(self.prompts))

    def _own_prompts(self, epoch: int) -> torch.Tensor:
        """Return the prompts [N] of this process's dances."""
        config, accelerator = self.config, self.accelerator
        drawn = draw_prompts(len(self.prompts), config.batch_size * accelerator.num_processes, epoch, config.seed)
        own = drawn.view(accelerator.num_processes, config.batch_size)[accelerator.process_index]
        return own.repeat_interleave(config.samples_per_prompt)

    def _roll_out(self, prompts: torch.Tensor, epoch: int) -> Rollout:
        """Return recorded dances to prompts [N]; epochs under 0 are of the base model."""
        device = self.accelerator.device
        music = self.prompts.features[prompts].to(device)
        seed = draw_seed(self.config.seed, epoch, self.accelerator.process_index)
        generator = torch.Generator(device).manual_seed(seed)
        return self.policy.roll_out(music, generator, record=epoch >= 0)

    def _dances(self, rollout: Rollout) -> Dances:
        return Dances(*self.policy.dances(rollout), rollout.music)

    def _advantages(
        self, prompts: torch.Tensor, dances: Dances, rewards: dict[str, torch.Tensor], epoch: int
    ) -> tuple[torch.Tensor, dict[str, float]]:
        """Return this process's advantages [N, T], among the dances of all processes, and figures."""
        own = prompts.to(self.accelerator.device)
        everyone, figures = self.crediting(own, dances, rewards, self.accelerator.gather)
        if self.config.shuffle_advantages:
            generator = torch.Generator().manual_seed(draw_seed(self.config.seed, epoch, 0))
            everyone = everyone[torch.randperm(len(everyone), generator=generator).to(everyone.device)]
        return everyone.chunk(self.accelerator.num_processes)[self.accelerator.process_index], figures

    def _update(self, rollout: Rollout, advantages: torch.Tensor, epoch: int) -> dict[str, float]:
        """Take the algorithm's optimiser steps; return the last one's figures and how far they led."""
        generator = torch.Generator().manual_seed(draw_seed(self.config.seed, epoch, 0))
        learner = self.learners[DIRECT if self.config.is_direct(epoch) else self.config.algorithm]
        before = self.probe.outlook(rollout)
        for own in learner.algorithm.gradients(self.policy, rollout, advantages, generator):
            self._average_gradients()
            norm = torch.nn.utils.clip_grad_norm_(self.parameters, self.config.max_grad_norm, error_if_nonfinite=True)
            learner.optimiser.step()
            self.ema.update(self.policy.module)
            learner.optimiser.zero_grad(set_to_none=True)
            figures = own | {"gradient_norm": float(norm)}
        self._check_alike()
        return figures | self.probe.figures(rollout, before)

    def _check_alike(self) -> None:
        """Raise RuntimeError where processes have come to different parameters, so that one's would be lost."""
        own = torch.stack([parameter.detach().double().abs().sum() for parameter in self.parameters]).sum()
        everybody = self.accelerator.gather(own.reshape(1))
        if not bool((everybody == everybody[0]).all()):
            raise RuntimeError(f"processes hold different parameters after an update: {everybody.tolist()}")

    def _average_gradients(self) -> None:
        if self.accelerator.num_processes > 1:
            for parameter in self.parameters:
                gradient = torch.zeros_like(parameter) if parameter.grad is None else parameter.grad
                parameter.grad = self.accelerator.reduce(gradient, reduction="mean")

    def _reward_figures(self, rewards: dict[str, torch.Tensor]) -> dict[str, float]:
        """Return mean rewards over all processes, un-normalised, and their weighted total; warn where one is bought."""
        gathered = {name: frame_mean(self.accelerator.gather(value)) for name, value in rewards.items()}
        warning = self.watch.look(gathered, self.held)
        if warning and self.accelerator.is_main_process:
            tqdm.write(f"warning: epoch {self.epoch + 1}: {warning}", file=sys.stderr)
        total = self.rewards.total(gathered)
        figures = {f"reward/{name}": float(value.mean()) for name, value in gathered.items()}
        return figures | {"reward/total": float(total.mean()), "reward/total_deviation": float(total.std(correction=0))}

    def _save(self, figures: dict[str, float]) -> None:
        """Log the epoch, save weights where due, and last the state that a resume starts from."""
        self.curves.log(figures, self.epoch)
        if not self.accelerator.is_main_process:
            return
        record_epoch(self.run, self.epoch, figures)
        if self.epoch % self.config.save_every == 0 or self.epoch == self.config.epochs:
            self.save_weights()
        save_state(self)

    def save_weights(self) -> None:
        """Write the averaged weights as weights/train-EPOCH, in full precision: updates are smaller than fp16's."""
        with self.ema.applied_to(self.policy.module):
            if self.saved is not self.policy:
                self.saved.module.load_state_dict(merged(self.policy.module))
            self.saved.save(self.run / "weights" / f"train-{self.epoch}.safetensors", half=False)


def reward_context(config: FinetuneConfig) -> RewardContext:
    """Return what rewards may ask for; nothing is built before one asks."""
    scorer = partial(
        make_scorer, config.policy, config.simulator, config.body, options=config.simulator_options
    )
    return RewardContext(cache(scorer), cache(partial(load_body, config.body)), config.device)


def make_crediting(config: FinetuneConfig, rewards: WeightedRewards, held: HeldQuantities) -> Crediting:
    """Return how credit is given: as published, or relative to the group with quantities held."""
    if config.algorithm != PAPER:
        return GroupCrediting(rewards.weights, held, config.credit, config.energy_neutral)
    if len(held):
        raise UserError("algorithm=paper holds nothing: take hold out of the reward file, or give hold={}")
    return PromptCrediting(rewards.weights)


def describe_batch(config: FinetuneConfig, n_prompts: int, n_processes: int) -> str:
    """Return one line with the batch arithmetic, per process and global."""
    n = config.dances_per_process
    return (
        f"{config.batch_size} prompts x {config.samples_per_prompt} samples = {n} dances a process and epoch, "
        f"{n * n_processes} over {n_processes} process{'es' if n_processes > 1 else ''}, from {n_prompts} prompts; "
        f"{config.epochs} epochs, algorithm {config.algorithm}"
    )


def main(arguments: list[str]) -> None:
    """Compose the configuration and run."""
    if help_wanted(arguments):
        print(help_text("python -m rl_finetune.finetune [preset=PRESET] [key=value …]", "finetune", arguments))
        return
    config = to_dataclass(load_config("finetune", arguments), FinetuneConfig)
    run = paths.runs() / "train" / config.name
    device = pick_device(config.device)
    connect_processes(device)
    accelerator = Accelerator(cpu=device.type == "cpu")
    set_seed(config.seed)
    with run_folder(run, accelerator.is_main_process):
        train(config, run, accelerator)


def train(config: FinetuneConfig, run: Path, accelerator: Accelerator) -> None:
    """Run the epochs that are left, and say where the weights are."""
    finetuner = Finetuner(config, run, accelerator)
    if finetuner.epoch >= config.epochs:
        if accelerator.is_main_process:
            say_finished(run, finetuner.epoch, config.epochs, "epochs")
        return
    if accelerator.is_main_process:
        record_settings(run, config, finetuner.settings)
        Console().print(describe_batch(config, len(finetuner.prompts), accelerator.num_processes))
        weights = ", ".join(f"{name} {weight:g}" for name, weight in finetuner.rewards.weights.items())
        Console().print(f"rewards and weights: {weights}")
    with open_curves(run, config.trackers, accelerator.device) as curves:
        finetuner.train(curves)
    accelerator.end_training()
    if accelerator.is_main_process:
        print(f"weights: {run / 'weights'}\ncurves:  {run / FOLDER} and {run / 'epochs.json'}")


if __name__ == "__main__":
    run_main(main)
