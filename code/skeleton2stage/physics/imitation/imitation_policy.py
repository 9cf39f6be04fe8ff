"""The imitation policy as scoring uses it: normalise the observation, run the network, take the mean."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from skeleton2stage.checkpoint import check_size, load_checkpoint, save_checkpoint
from skeleton2stage.config import to_dataclass
from skeleton2stage.errors import UserError
from skeleton2stage.limits import LARGEST_WIDTH
from skeleton2stage.physics.imitation.imitation_task import ACTION_WIDTH
from skeleton2stage.physics.imitation.observation import OBSERVATION_WIDTH, observation_width
from skeleton2stage.settings import check_own_settings, setting

NORMALISATION_EPSILON = 1e-2
_MAX_FUTURE_FRAME = 300  # ten seconds
_KIND = "imitation policy"


def future_frames_setting() -> Any:  # noqa: ANN401 - stands for the numbers
    """Return the field of the frames to come that a policy sees."""
    return setting(
        "later frames of the reference that are seen too, each counted from the next one (30 a second)",
        default=(), minimum=1, maximum=_MAX_FUTURE_FRAME, rising=True,
    )


@dataclass(frozen=True)
class PolicyConfig:
    """What a network has, and what it was trained with."""

    hidden: tuple[int, ...] = setting("widths of the hidden layers", minimum=1, maximum=LARGEST_WIDTH)
    wrench_scale: float = setting(
        "scale of the residual wrench that it was trained with", default=1.0, minimum=0
    )
    observation_width: int = setting(
        "numbers of an observation", default=OBSERVATION_WIDTH, minimum=1, maximum=LARGEST_WIDTH
    )
    action_width: int = setting("numbers of an action", default=ACTION_WIDTH, minimum=1, maximum=LARGEST_WIDTH)
    future_frames: tuple[int, ...] = future_frames_setting()

    def __post_init__(self) -> None:
        check_own_settings(self)
        width = observation_width(len(self.future_frames))
        if self.observation_width != width:
            raise UserError(
                f"an imitation policy with future_frames={list(self.future_frames)} has observations of {width} "
                f"numbers, not {self.observation_width}"
            )

    @classmethod
    def seeing(
        cls, future_frames: tuple[int, ...], hidden: tuple[int, ...], wrench_scale: float = 1.0
    ) -> "PolicyConfig":
        """Return the configuration of a network that sees some future frames."""
        return cls(
            tuple(hidden), wrench_scale, observation_width(len(future_frames)), future_frames=tuple(future_frames)
        )


class ImitationPolicy(nn.Module):
    """Deterministic policy: observations [W, 733 + 74 K], of K future frames, to actions [W, 75]."""

    def __init__(self, config: PolicyConfig) -> None:
        super().__init__()
        self.config = config
        self.register_buffer("observation_mean", torch.zeros(config.observation_width))
        self.register_buffer("observation_std", torch.ones(config.observation_width))
        widths = (config.observation_width, *config.hidden)
        layers: list[nn.Module] = []
        for width_in, width_out in zip(widths[:-1], widths[1:], strict=True):
            layers += [nn.Linear(width_in, width_out), nn.ReLU()]
        self.network = nn.Sequential(*layers, nn.Linear(widths[-1], config.action_width))

    def forward(self, observation: torch.Tensor) -> torch.Tensor:
        """Return the mean action [W, 75] of observations [W, 733 + 74 K]."""
        scaled = (observation - self.observation_mean) / (self.observation_std + NORMALISATION_EPSILON)
        return self.network(scaled)

    def save(self, path: Path, training: dict[str, object] | None = None) -> None:
        """Write a checkpoint in half precision, with what one should know of its training."""
        tensors = {name: value.half() for name, value in self.state_dict().items() if "network" in name}
        tensors |= {"observation_mean": self.observation_mean, "observation_std": self.observation_std}
        save_checkpoint(path, tensors, {"kind": _KIND, "policy": asdict(self.config), "training": training or {}})

    @classmethod
    def load(cls, path: Path) -> "ImitationPolicy":
        """Read a checkpoint; raise UserError where it is missing, damaged, or of another kind."""
        tensors, config = load_checkpoint(path)
        if config.get("kind") != _KIND:
            raise UserError(f"{path} is not an imitation policy but: {config.get('kind', 'something unnamed')}")
        try:
            sizes = to_dataclass(config.get("policy"), PolicyConfig, f"{path}: policy.")
        except UserError as error:
            raise UserError(str(error) if str(path) in str(error) else f"{path}: {error}") from None
        try:
            check_size(lambda: cls(sizes), tensors)
            policy = cls(sizes)
            policy.load_state_dict(tensors)
        except (RuntimeError, ValueError):
            raise UserError(f"{path} does not fit its own configuration: copy both of its files again") from None
        return policy.eval().requires_grad_(False)
