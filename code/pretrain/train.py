"""Train the imitation policy: `python -m pretrain.train [key=value …]` (see configs/pretrain.yaml)."""

import json
import time
from pathlib import Path

import numpy as np
import torch
from tensordict import TensorDict
from torch.utils.tensorboard import SummaryWriter
from tqdm import tqdm

from pretrain.config import PretrainConfig, StageConfig
from pretrain.data import ClipSet, load_clips
from pretrain.environment import EpisodeEnvironment, EpisodeRules
from pretrain.learner import export_policy, load_state, make_ppo, save_state
from pretrain.report import score_clips, write_report
from skeleton2stage import paths
from skeleton2stage.config import help_text, help_wanted, load_config, save_config, to_dataclass
from skeleton2stage.devices import pick_device
from skeleton2stage.errors import run_main
from skeleton2stage.physics.factory import load_humanoid, make_simulator
from skeleton2stage.physics.imitation import ImitationTask
from skeleton2stage.physics.reference import reference_motions

# Of the lowest vertex over a clip: standing feet vary by a centimetre or two, and the floor is in their middle.
FLOOR_PERCENTILE = 30.0


class Trainer:
    """Runs the stages of one training, resuming where its folder says it stopped."""

    def __init__(self, config: PretrainConfig, run: Path) -> None:
        self.config, self.run = config, run
        self.device = pick_device(config.device)
        self.humanoid = load_humanoid(config.body)
        self.simulator = make_simulator(config.simulator, self.humanoid, config.worlds)
        self.ppo = make_ppo(config, self.device)
        self.writer = SummaryWriter(str(run / "curves"))
        self.iteration = load_state(run, self.ppo)
        self.deadline = time.monotonic() + 60.0 * config.minutes if config.minutes else float("inf")

    def train(self, clips: ClipSet) -> None:
        """Train all stages on the clips."""
        first = 0
        for stage in self.config.stages:
            if self.iteration < first + stage.iterations and time.monotonic() < self.deadline:
                self._train_stage(stage, clips.matching(stage.clips), first)
            first += stage.iterations

    def _train_stage(self, stage: StageConfig, clips: ClipSet, first: int) -> None:
        environment = self._environment(clips)
        last = first + stage.iterations
        progress = tqdm(range(self.iteration, last), initial=self.iteration - first, total=stage.iterations)
        progress.set_description(stage.name)
        for iteration in progress:
            self._set_learning_rate(stage, (iteration - first) / stage.iterations)
            figures = self._roll_out(environment)
            figures |= self.ppo.update()
            self.iteration = iteration + 1
            self._log(figures, progress)
            late = time.monotonic() > self.deadline
            if self.iteration % self.config.save_every == 0 or self.iteration == last or late:
                save_state(self.run, self.ppo, self.iteration)
            if late:
                return

    def _environment(self, clips: ClipSet) -> EpisodeEnvironment:
        references = reference_motions(list(clips.motions.values()), self.humanoid, FLOOR_PERCENTILE)
        task = ImitationTask(self.simulator, references, self.device, self.config.wrench_scale)
        rules = EpisodeRules(self.config.episode_frames, self.config.fall_height_m, self.config.stray_m)
        generator = torch.Generator().manual_seed(self.config.seed + self.iteration)
        return EpisodeEnvironment(task, rules, generator)

    @torch.inference_mode()
    def _roll_out(self, environment: EpisodeEnvironment) -> dict[str, float]:
        """Collect `horizon` steps of every world into the learner's storage; return their mean figures."""
        begun, sums = time.perf_counter(), {"reward": 0.0, "body_error_mm": 0.0, "failures": 0.0}
        observations = _as_dict(environment.observe())
        for _ in range(self.config.horizon):
            step = environment.step(self.ppo.act(observations))
            observations = _as_dict(environment.observe())
            self.ppo.process_env_step(observations, step.reward, step.done, {"time_outs": step.timed_out})
            sums["reward"] += float(step.outcome.reward.mean())
            sums["body_error_mm"] += 1000.0 * float(step.outcome.body_error_m.mean())
            sums["failures"] += float((step.done & ~step.timed_out).float().mean())
        self.ppo.compute_returns(observations)
        figures = {name: value / self.config.horizon for name, value in sums.items()}
        figures["steps_per_s"] = self.config.horizon * self.config.worlds / (time.perf_counter() - begun)
        return figures

    def _set_learning_rate(self, stage: StageConfig, progress: float) -> None:
        if self.config.schedule == "adaptive":
            return
        rate = stage.learning_rate + progress * (stage.final_learning_rate - stage.learning_rate)
        for group in self.ppo.optimizer.param_groups:
            group["lr"] = rate

    def _log(self, figures: dict[str, float], progress: tqdm) -> None:
        figures["learning_rate"] = self.ppo.optimizer.param_groups[0]["lr"]
        for name, value in figures.items():
            self.writer.add_scalar(f"train/{name}", value, self.iteration)
        shown = ("reward", "body_error_mm", "failures", "learning_rate", "steps_per_s")
        progress.set_postfix({name: f"{figures[name]:.3g}" for name in shown})


def _as_dict(observation: torch.Tensor) -> TensorDict:
    return TensorDict({"policy": observation}, batch_size=[len(observation)])


def main(arguments: list[str]) -> None:
    """Train, export the policy to the run's folder, and score it on training and held-out clips."""
    if help_wanted(arguments):
        print(help_text("python -m pretrain.train [preset=demo|paper] [key=value …]", "pretrain"))
        return
    resolved = load_config("pretrain", arguments)
    config = to_dataclass(resolved, PretrainConfig)
    clips = load_clips(paths.locate(config.data), config.held_out)
    run = paths.runs() / "pretrain" / config.name
    save_config(run / "config.yaml", resolved)
    torch.manual_seed(config.seed)
    np.random.seed(config.seed)
    trainer = Trainer(config, run)
    trainer.train(clips.training.with_mirrored() if config.mirror else clips.training)
    report = score_clips(trainer.ppo, trainer.humanoid, config, clips)
    write_report(run, report)
    export_policy(trainer.ppo, config, run / "imitation_policy.safetensors", report)
    print(json.dumps(report, indent=1))
    print(f"policy: {run / 'imitation_policy.safetensors'}\ncurves: {run / 'curves'}")


if __name__ == "__main__":
    run_main(main)
