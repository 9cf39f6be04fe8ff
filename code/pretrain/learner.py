"""rsl_rl's PPO, set up for the imitation task, its state on disk, and the policy it exports."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from rsl_rl.algorithms import PPO
from rsl_rl.models import MLPModel
from rsl_rl.storage import RolloutStorage
from tensordict import TensorDict
from torch.nn.functional import pad

from pretrain.pretrain_config import PretrainConfig
from pretrain.processes import Processes
from skeleton2stage.errors import UserError
from skeleton2stage.physics.imitation.imitation_policy import ImitationPolicy, PolicyConfig
from skeleton2stage.physics.imitation.imitation_task import ACTION_WIDTH
from skeleton2stage.physics.imitation.observation import future_features, observation_width, steps_ahead
from skeleton2stage.physics.imitation.reference_motions import ReferenceMotions
from skeleton2stage.run_settings import RunSettings
from skeleton2stage.run_state import State, restore_state, write_state

_GROUPS = {"actor": ["policy"], "critic": ["policy"]}
# How many observations a given policy's normalisation counts as: its network relies on it, so it moves slowly.
_TRUSTED_OBSERVATIONS = 100_000_000
_FRAMES_LOOKED_AT = 20_000  # spread over all clips, of which 4,096 already give deviations within a hundredth


def make_ppo(config: PretrainConfig, device: torch.device, processes: Processes) -> PPO:
    """Return PPO with the task's widths and no entropy bonus."""
    width = observation_width(len(config.future_frames))
    example = TensorDict({"policy": torch.zeros(config.worlds, width, device=device)}, [config.worlds])
    gaussian = {
        "class_name": "GaussianDistribution",
        "init_std": float(torch.tensor(config.log_std).exp()),
        "learn_std": config.learn_std,
    }
    actor = _network(example, "actor", ACTION_WIDTH, config.hidden, gaussian)
    critic = _network(example, "critic", 1, config.hidden, None)
    storage = RolloutStorage("rl", config.worlds, config.horizon, example, [ACTION_WIDTH], str(device))
    ppo = PPO(
        actor,
        critic,
        storage,
        num_learning_epochs=config.epochs,
        num_mini_batches=config.minibatches,
        clip_param=config.clip,
        gamma=config.gamma,
        lam=config.lam,
        value_loss_coef=config.value_weight,
        entropy_coef=0.0,
        learning_rate=config.stages[0].learning_rate,
        max_grad_norm=config.max_grad_norm,
        schedule=config.schedule,
        desired_kl=config.desired_kl,
        device=str(device),
        multi_gpu_cfg=_distribution(processes),
    )
    if processes.count > 1:
        ppo.broadcast_parameters()
    return ppo


def _distribution(processes: Processes) -> dict[str, int] | None:
    if processes.count == 1:
        return None
    return {
        "global_rank": processes.rank, "local_rank": processes.local_rank, "world_size": processes.count,
    }


def _network(
    example: TensorDict, part: str, width: int, hidden: tuple[int, ...], distribution: dict[str, Any] | None
) -> MLPModel:
    model = MLPModel(
        example, _GROUPS, part, width, hidden_dims=hidden, activation="relu", obs_normalization=True,
        distribution_cfg=distribution,
    )
    if part == "actor":
        # The first actions are then near zero offsets: the PD targets start out as the reference itself.
        torch.nn.init.uniform_(model.mlp[-1].weight, -1e-3, 1e-3)
        torch.nn.init.zeros_(model.mlp[-1].bias)
    return model


def save_state(run: Path, ppo: PPO, progress: dict[str, Any], settings: RunSettings) -> None:
    """Write the learner and the run's own `progress`, all that is needed to go on after a kill, atomically."""
    write_state(run, {"ppo": ppo.save(), **progress}, settings)


def load_state(run: Path, ppo: PPO, settings: RunSettings) -> dict[str, Any] | None:
    """Restore a run's learner and return its progress; None where it has none yet.

    Raises UserError where the run was begun with other settings, or the file is damaged.
    """

    def restore(state: State) -> State:
        ppo.load(state.pop("ppo"), None, strict=True)
        return state

    return restore_state(run, settings, restore)


def start_from_policy(
    ppo: PPO, policy: ImitationPolicy, config: PretrainConfig, references: ReferenceMotions
) -> None:
    """Give the learner a policy's weights and the policy's normalisation, which the critic takes over too.

    A policy that sees the next frame alone may learn to see further: it acts as before to begin with, and what is new
    to it is normalised as in the references. Raises UserError where the hidden layers differ, or where it sees future
    frames other than the training's.
    """
    ours, theirs = tuple(config.future_frames), policy.config.future_frames
    if theirs not in ((), ours):
        raise UserError(f"start_from is a policy that sees future frames: give future_frames={list(theirs)}")
    weights = {name.removeprefix("network."): value for name, value in policy.state_dict().items() if "network" in name}
    unknown = _looks_ahead(references, ours if theirs != ours else ())
    weights["0.weight"] = pad(weights["0.weight"], (0, unknown.shape[1]))
    try:
        ppo.actor.mlp.load_state_dict(weights)
    except RuntimeError:
        hidden = list(policy.config.hidden)
        raise UserError(f"start_from is a policy of hidden layers {hidden}: give hidden={hidden}") from None
    mean = torch.cat((policy.observation_mean, unknown.mean(dim=0)))
    std = torch.cat((policy.observation_std, (unknown - unknown.mean(dim=0)).square().mean(dim=0).sqrt()))
    for normaliser in (ppo.actor.obs_normalizer, ppo.critic.obs_normalizer):
        normaliser._mean.copy_(mean)
        normaliser._std.copy_(std)
        normaliser._var.copy_(std.square())
        normaliser.count.fill_(_TRUSTED_OBSERVATIONS)


def _looks_ahead(references: ReferenceMotions, future_frames: tuple[int, ...]) -> torch.Tensor:
    """Return what bodies that are where the references are see of future frames, [N, 74 K], N of all frames."""
    frames, n = references.frames, int(references.length.sum())
    clip = torch.repeat_interleave(torch.arange(len(references)), references.length)
    chosen = torch.linspace(0, n - 1, min(n, _FRAMES_LOOKED_AT)).long()
    last = (references.start + references.length - 1)[clip[chosen]]
    future = references.ahead(chosen, last, torch.tensor(steps_ahead(future_frames), dtype=torch.long))
    return future_features(frames.pos_w[chosen, 0], frames.quat_w[chosen, 0], future)


@contextmanager
def actor_kept(ppo: PPO, keep: bool) -> Iterator[None]:
    """Let updates within change the critic alone, if asked to: a new critic knows nothing of a trained policy, and
    what it says first would undo it.
    """
    if not keep:
        yield
        return
    schedule, ppo.schedule = ppo.schedule, "fixed"  # a policy that does not move would drive the adaptive rate up
    learning = [parameter for parameter in ppo.actor.parameters() if parameter.requires_grad]  # not a fixed deviation
    ppo.actor.requires_grad_(False)
    try:
        yield
    finally:
        ppo.schedule = schedule
        for parameter in learning:
            parameter.requires_grad_(True)


def current_policy(ppo: PPO, config: PretrainConfig, wrench_scale: float) -> ImitationPolicy:
    """Return the learner's deterministic policy on the CPU, observation normalisation included."""
    actor = ppo.get_policy()
    policy = ImitationPolicy(PolicyConfig.seeing(config.future_frames, config.hidden, wrench_scale))
    layers = {f"network.{name}": value.cpu() for name, value in actor.mlp.state_dict().items()}
    normaliser = actor.obs_normalizer
    policy.load_state_dict(
        layers | {"observation_mean": normaliser.mean.cpu(), "observation_std": normaliser.std.cpu()}
    )
    return policy.eval().requires_grad_(False)
