"""rsl_rl's PPO, set up for the imitation task, its state on disk, and the policy it exports."""

from pathlib import Path
from typing import Any

import torch
from rsl_rl.algorithms import PPO
from rsl_rl.models import MLPModel
from rsl_rl.storage import RolloutStorage
from tensordict import TensorDict

from pretrain.config import PretrainConfig
from skeleton2stage.files import atomic_path
from skeleton2stage.physics.imitation import ACTION_WIDTH
from skeleton2stage.physics.observation import OBSERVATION_WIDTH
from skeleton2stage.physics.policy import ImitationPolicy, PolicyConfig

_GROUPS = {"actor": ["policy"], "critic": ["policy"]}


def make_ppo(config: PretrainConfig, device: torch.device) -> PPO:
    """Return PPO with the task's widths: no entropy bonus, no learned deviation."""
    example = TensorDict({"policy": torch.zeros(config.worlds, OBSERVATION_WIDTH, device=device)}, [config.worlds])
    gaussian = {
        "class_name": "GaussianDistribution",
        "init_std": float(torch.tensor(config.log_std).exp()),
        "learn_std": False,
    }
    actor = _network(example, "actor", ACTION_WIDTH, config.hidden, gaussian)
    critic = _network(example, "critic", 1, config.hidden, None)
    storage = RolloutStorage("rl", config.worlds, config.horizon, example, [ACTION_WIDTH], str(device))
    return PPO(
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
    )


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


def save_state(run: Path, ppo: PPO, iteration: int) -> None:
    """Write all that is needed to go on after a kill, atomically."""
    state = {"ppo": ppo.save(), "iteration": iteration, "torch_rng": torch.get_rng_state()}
    with atomic_path(run / "state.pt") as temporary:
        torch.save(state, temporary)


def load_state(run: Path, ppo: PPO) -> int:
    """Restore a run's state into the learner and return its iteration; 0 where it has none."""
    path = run / "state.pt"
    if not path.exists():
        return 0
    state = torch.load(path, weights_only=True, map_location=ppo.device)
    ppo.load(state["ppo"], None, strict=True)
    torch.set_rng_state(state["torch_rng"].cpu())
    return state["iteration"]


def current_policy(ppo: PPO, config: PretrainConfig) -> ImitationPolicy:
    """Return the learner's deterministic policy on the CPU, observation normalisation included."""
    actor = ppo.get_policy()
    policy = ImitationPolicy(PolicyConfig(tuple(config.hidden), config.wrench_scale))
    layers = {f"network.{name}": value.cpu() for name, value in actor.mlp.state_dict().items()}
    normaliser = actor.obs_normalizer
    policy.load_state_dict(
        layers | {"observation_mean": normaliser.mean.cpu(), "observation_std": normaliser.std.cpu()}
    )
    return policy.eval().requires_grad_(False)


def export_policy(ppo: PPO, config: PretrainConfig, path: Path, training: dict[str, Any]) -> None:
    """Write the learner's policy as a checkpoint, with its training table."""
    current_policy(ppo, config).save(path, training)
