"""Train the imitation policy: `python -m pretrain.train_imitation [key=value …]`."""

import json
import time
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from tensordict import TensorDict
from tqdm import tqdm

from pretrain.clip_sampler import HardClipSampler
from pretrain.curriculum import next_scale
from pretrain.data import ClipSet, SplitClips, load_clips
from pretrain.environment import EpisodeEnvironment, EpisodeRules
from pretrain.learner import actor_kept, current_policy, load_state, make_ppo, save_state, start_from_policy
from pretrain.pretrain_config import PretrainConfig, StageConfig
from pretrain.processes import Processes, join_processes
from pretrain.report import score_clips, write_report
from skeleton2stage import paths
from skeleton2stage.command_help import help_text, help_wanted
from skeleton2stage.config import load_config, to_dataclass
from skeleton2stage.curves import FOLDER, NOWHERE, Curves, open_curves
from skeleton2stage.devices import pick_device
from skeleton2stage.errors import UserError, run_main
from skeleton2stage.files import read_json
from skeleton2stage.physics.humanoid.load_humanoid import load_humanoid
from skeleton2stage.physics.imitation.contact_buffers import probe_buffers
from skeleton2stage.physics.imitation.imitation_policy import ImitationPolicy
from skeleton2stage.physics.imitation.imitation_task import ImitationTask
from skeleton2stage.physics.imitation.reference_motions import ReferenceMotions, reference_motions
from skeleton2stage.physics.simulators.make_simulator import make_simulator
from skeleton2stage.run_settings import RunSettings
from skeleton2stage.run_state import record_settings, run_folder, say_finished
from skeleton2stage.step_seeds import step_seed

# Of the lowest vertex over a clip: standing feet vary by a centimetre or two, and the floor is in their middle.
FLOOR_PERCENTILE = 30.0
POLICY_NAME = "imitation_policy"
# Room for contacts over what the clips need: among millions of falls some end in a knot.
_FALL_FACTOR = 4.0


class Trainer:
    """Runs the stages of one training, resuming where its folder says it stopped."""

    def __init__(
        self, config: PretrainConfig, run: Path, clips: ClipSet, processes: Processes, device: torch.device
    ) -> None:
        self.config, self.run, self.clips, self.processes, self.device = config, run, clips, processes, device
        self.humanoid = load_humanoid(config.body)
        references = self._references(clips)
        buffers = probe_buffers(self.humanoid, references.frames, _FALL_FACTOR)
        options = replace(
            config.simulator_options, device=_physics_device(config, device),
            buffers=config.simulator_options.buffers.at_least(buffers),
        )
        self.make_simulator = partial(make_simulator, config.simulator, options=options)
        self.simulator = self.make_simulator(self.humanoid, config.worlds)
        self.settings = RunSettings(config, processes=processes.count)
        self.ppo = make_ppo(config, device, processes)
        progress = load_state(run, self.ppo, self.settings) or self._beginning(references)
        self.iteration: int = progress.get("iteration", 0)
        self.wrench_scale: float = progress.get("wrench_scale", config.wrench.initial)
        self._saved = progress
        self.deadline = time.monotonic() + 60.0 * config.minutes if config.minutes else float("inf")
        self.curves = NOWHERE

    def _beginning(self, references: ReferenceMotions) -> dict[str, Any]:
        """Return where a run that has no state yet begins: from nothing, or from the policy that it is given."""
        if self.config.start_from is None:
            return {}
        policy = ImitationPolicy.load(self.config.start_from)
        start_from_policy(self.ppo, policy, self.config, references)
        wrench = self.config.wrench
        return {"wrench_scale": min(max(policy.config.wrench_scale, wrench.final), wrench.initial)}

    def _references(self, clips: ClipSet) -> ReferenceMotions:
        return reference_motions(list(clips.motions.values()), self.humanoid, FLOOR_PERCENTILE)

    @property
    def iterations(self) -> int:
        """Iterations of all stages."""
        return sum(stage.iterations for stage in self.config.stages)

    @property
    def is_finished(self) -> bool:
        """Whether all stages are trained."""
        return self.iteration >= self.iterations

    def train(self, curves: Curves = NOWHERE) -> None:
        """Train all stages on the clips."""
        self.curves = curves
        first = 0
        for stage in self.config.stages:
            if self.iteration < first + stage.iterations and not self._late():
                self._train_stage(stage, self.clips.matching(stage.clips), first)
            first += stage.iterations

    def policy(self) -> ImitationPolicy:
        """Return the policy as it is now, on the CPU."""
        return current_policy(self.ppo, self.config, self.wrench_scale)

    def _train_stage(self, stage: StageConfig, clips: ClipSet, first: int) -> None:
        environment = self._environment(stage, clips)
        last = first + stage.iterations
        progress = tqdm(
            range(self.iteration, last), initial=self.iteration - first, total=stage.iterations, desc=stage.name,
            disable=not self.processes.is_first,
        )
        for iteration in progress:
            # Nothing that is drawn depends on what was drawn before: a run that goes on needs no generator's state.
            torch.manual_seed(self._seed())
            environment.sampler.seed(self._seed())
            self._set_learning_rate(stage, (iteration - first) / stage.iterations)
            figures = self._iterate(environment)
            self.iteration = iteration + 1
            self._log(figures, progress)
            late = self._late()
            if self.iteration % self.config.save_every == 0 or self.iteration == last or late:
                self._save(stage, environment)
            if late:
                return

    def _environment(self, stage: StageConfig, clips: ClipSet) -> EpisodeEnvironment:
        future = self.config.future_frames
        task = ImitationTask(self.simulator, self._references(clips), self.device, self.wrench_scale, future)
        rules = EpisodeRules(self.config.episode_frames, self.config.fall_height_m, self.config.stray_m)
        sampler = HardClipSampler(task.references, self.config.sampling, self._seed())
        environment = EpisodeEnvironment(task, rules, sampler, self.config.closeness)
        if self._saved.get("stage") == stage.name:
            self._restore(environment)
        return environment

    def _seed(self) -> int:
        return step_seed(self.config.seed, self.processes.rank, self.iteration)

    def _restore(self, environment: EpisodeEnvironment) -> None:
        """Put an environment where it was when the run was saved; episodes of other processes begin anew."""
        worlds, rank = self._saved["worlds"], self.processes.rank
        alike = len(worlds) == self.processes.count
        try:
            environment.load_state_dict(worlds[rank if alike else 0], episodes=alike)
        except ValueError as error:
            raise UserError(f"{self.run} was trained on other data: {error}; give the run another name") from None

    def _iterate(self, environment: EpisodeEnvironment) -> dict[str, float]:
        """Collect experience, learn from it, adapt wrench and sampling; return the figures of all processes."""
        environment.task.wrench_scale = self.wrench_scale
        begun = time.perf_counter()
        figures = self._roll_out(environment)
        rolled_out = time.perf_counter()
        with actor_kept(self.ppo, self._only_critic_learns()):
            figures = self.processes.mean(figures | self.ppo.update(), self.device)
        steps = self.config.horizon * self.config.worlds * self.processes.count
        figures["rollout_steps_per_s"] = steps / (rolled_out - begun)
        figures["steps_per_s"] = steps / (time.perf_counter() - begun)
        figures["wrench_scale"] = self.wrench_scale
        environment.sampler.forget()
        self.wrench_scale = next_scale(
            self.wrench_scale, figures["failures"], figures["body_error_mm"], self.config.wrench
        )
        return figures

    def _only_critic_learns(self) -> bool:
        return self.config.start_from is not None and self.iteration < self.config.critic_iterations

    @torch.inference_mode()
    def _roll_out(self, environment: EpisodeEnvironment) -> dict[str, float]:
        """Collect `horizon` steps of every world into the learner's storage; return their mean figures."""
        sums = torch.zeros(4, device=self.device)
        observations = _as_dict(environment.observe())
        for _ in range(self.config.horizon):
            step = environment.step(self.ppo.act(observations))
            observations = _as_dict(environment.observe())
            self.ppo.process_env_step(observations, step.reward, step.done, {"time_outs": step.timed_out})
            force = step.outcome.wrench_w[:, :3].norm(dim=-1)
            shown = (step.outcome.reward, 1000.0 * step.outcome.body_error_m, step.failed.float(), force)
            sums += torch.stack([values.mean() for values in shown])
        self.simulator.check()
        self.ppo.compute_returns(observations)
        means = (sums / self.config.horizon).tolist()
        return dict(zip(("reward", "body_error_mm", "failures", "residual_force_n"), means, strict=True))

    def _set_learning_rate(self, stage: StageConfig, progress: float) -> None:
        if self.config.schedule == "adaptive":
            return
        rate = stage.learning_rate + progress * (stage.final_learning_rate - stage.learning_rate)
        for group in self.ppo.optimizer.param_groups:
            group["lr"] = rate

    def _late(self) -> bool:
        """Return whether the time is up, as the first process sees it, so that all stop together."""
        late = self.processes.mean({"late": float(time.monotonic() > self.deadline)}, self.device)["late"]
        return late > 0.0

    def _save(self, stage: StageConfig, environment: EpisodeEnvironment) -> None:
        worlds = self.processes.gather(environment.state_dict(), self.device)
        if not self.processes.is_first:
            return
        progress: dict[str, Any] = {
            "iteration": self.iteration, "wrench_scale": self.wrench_scale, "stage": stage.name,
            "worlds": worlds,
        }
        save_state(self.run, self.ppo, progress, self.settings)

    def _log(self, figures: dict[str, float], progress: tqdm) -> None:
        figures["learning_rate"] = self.ppo.optimizer.param_groups[0]["lr"]
        self.curves.log({f"train/{name}": value for name, value in figures.items()}, self.iteration)
        shown = ("reward", "body_error_mm", "failures", "wrench_scale", "learning_rate", "steps_per_s")
        progress.set_postfix({name: f"{figures[name]:.3g}" for name in shown})


def _physics_device(config: PretrainConfig, device: torch.device) -> str:
    """Return where physics for GPUs runs: on a CPU only where that was asked for, since it crawls there."""
    return str(device) if device.type == "cuda" or config.device == "cpu" else "cuda"


def _as_dict(observation: torch.Tensor) -> TensorDict:
    return TensorDict({"policy": observation}, batch_size=[len(observation)])


def main(arguments: list[str]) -> None:
    """Train, export the policy to the run's folder, and score it on training and held-out clips."""
    if help_wanted(arguments):
        print(help_text("python -m pretrain.train_imitation [preset=PRESET] [key=value …]", "pretrain", arguments))
        return
    config = to_dataclass(load_config("pretrain", arguments), PretrainConfig)
    clips = load_clips(config.data, config.held_out)
    run = paths.runs() / "pretrain" / config.name
    device = pick_device(config.device)
    processes = join_processes(device)
    device = processes.device(device)
    if device.type == "cuda":
        torch.set_float32_matmul_precision("high")  # TF32: exploration's noise is larger than its rounding
    torch.manual_seed(step_seed(config.seed, processes.rank, 0))
    with run_folder(run, processes.is_first):
        train(config, run, clips, processes, device)


def train(config: PretrainConfig, run: Path, clips: SplitClips, processes: Processes, device: torch.device) -> None:
    """Run the iterations that are left, and export and score the policy."""
    training = clips.training.with_mirrored() if config.mirror else clips.training
    for stage in config.stages:
        training.matching(stage.clips)  # before the first stage's hours
    trainer = Trainer(config, run, training, processes, device)
    if trainer.is_finished and is_scored(trainer):
        if processes.is_first:
            say_finished(run, trainer.iteration, trainer.iterations, "iterations")
        return
    if processes.is_first:
        record_settings(run, config, trainer.settings)
        print(describe_batch(config, processes.count))
    with open_curves(run, config.trackers, device) as curves:
        trainer.train(curves)
    if processes.is_first:
        finish(trainer, clips)


def describe_batch(config: PretrainConfig, n_processes: int) -> str:
    """Return one line with the arithmetic of an iteration and of all stages."""
    samples = config.worlds * config.horizon
    stages = ", then ".join(f"{stage.iterations} of {stage.name}" for stage in config.stages)
    total = samples * n_processes * sum(stage.iterations for stage in config.stages)
    everybody = f"{samples * n_processes} over {n_processes} process{'es' if n_processes > 1 else ''}"
    return (
        f"{config.worlds} worlds x {config.horizon} steps = {samples} samples a process and iteration, {everybody}; "
        f"{config.epochs} passes of {config.minibatches} mini-batches of {samples // config.minibatches}; "
        f"iterations: {stages}; {total:.2g} steps in all"
    )


def is_scored(trainer: Trainer) -> bool:
    """Return whether the run's policy is written, with its scores, as it is now."""
    path = trainer.run / f"{POLICY_NAME}.json"
    return path.exists() and read_json(path).get("training", {}).get("iterations") == trainer.iteration


def finish(trainer: Trainer, clips: SplitClips) -> None:
    """Write the policy, score it, and write it again with its scores."""
    policy, path = trainer.policy(), trainer.run / f"{POLICY_NAME}.safetensors"
    policy.save(path)  # first of all: scoring takes a while
    report = score_clips(policy, trainer.humanoid, trainer.make_simulator, clips)
    write_report(trainer.run, report)
    policy.save(path, {"iterations": trainer.iteration, "wrench_scale": trainer.wrench_scale, **report})
    print(json.dumps(report, indent=1))
    print(f"policy: {path}\ncurves: {trainer.run / FOLDER}")


if __name__ == "__main__":
    run_main(main)
