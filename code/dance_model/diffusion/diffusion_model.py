"""A diffusion model as it is stored and used: denoiser, motion layout, scaler, and kind of music features."""

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch

from dance_model.batch import DanceBatch
from dance_model.dance_policy import KIND
from dance_model.diffusion.ddim import DEFAULT_GUIDANCE
from dance_model.diffusion.denoiser import Denoiser
from skeleton2stage.checkpoint import save_checkpoint
from skeleton2stage.errors import UserError, unknown_name
from skeleton2stage.motion.motion import Motion
from skeleton2stage.motion.motion_layout import MotionLayout, decode
from skeleton2stage.motion.scaler import MinMaxScaler
from skeleton2stage.music.kinds import BASELINE, WIDTHS


@dataclass(frozen=True)
class DanceModel:
    """A denoiser and what one must know to feed it music and read its motions.

    music: name of the features it was trained on, one of kinds.KINDS. guidance: classifier-free guidance weight
    that its dances come out best with, EDGE's 2 if nothing else is known.
    """

    denoiser: Denoiser
    layout: MotionLayout
    scaler: MinMaxScaler
    music: str = BASELINE
    guidance: float = DEFAULT_GUIDANCE

    def __post_init__(self) -> None:
        config = self.denoiser.config
        if self.music not in WIDTHS:
            raise unknown_name("kind of music features", self.music, list(WIDTHS))
        if config.music_width != WIDTHS[self.music]:
            raise UserError(
                f"{self.music} music features are {WIDTHS[self.music]} wide, "
                f"but the denoiser takes {config.music_width}"
            )
        if config.motion_width != self.layout.width or len(self.scaler.scale) != self.layout.width:
            raise UserError(
                f"layout {self.layout.name} is {self.layout.width} wide, the denoiser {config.motion_width} "
                f"and the scaler {len(self.scaler.scale)}"
            )
        if config.place_range != self.scaler.bound:
            raise UserError(
                f"the denoiser's place_range is {config.place_range}, the scaler's bound {self.scaler.bound}"
            )

    @property
    def device(self) -> torch.device:
        """The device of the weights."""
        return self.denoiser.device

    def to(self, device: torch.device | str) -> "DanceModel":
        """Return the model on another device; the denoiser itself moves."""
        return replace(self, denoiser=self.denoiser.to(device), scaler=self.scaler.to(device))

    def guidance_or(self, given: float | None) -> float:
        """Return the guidance weight that is given, or where none is (None) the model's own."""
        return self.guidance if given is None else given

    def dances(self, scaled: torch.Tensor) -> DanceBatch:
        """Return the dances of samples [B, T, D], scaled."""
        return DanceBatch(*decode(self.scaler.unnormalise(scaled), self.layout))

    def motions(self, scaled: torch.Tensor) -> list[Motion]:
        """Return the motions of samples [B, T, D], scaled."""
        return self.to(scaled.device).dances(scaled.detach().float()).motions()

    def config(self) -> dict[str, Any]:
        """Return what describes the model besides its weights."""
        return {
            "layout": self.layout.name, "music": self.music, "guidance": self.guidance,
            "denoiser": asdict(self.denoiser.config),
        }

    def save(self, path: Path, half: bool = True) -> None:
        """Write a checkpoint; `half` stores the denoiser's weights in 16 bits, the scaler never."""
        dtype = torch.float16 if half else torch.float32
        weights = {f"denoiser.{k}": v.to(dtype) for k, v in unshared_state(self.denoiser).items()}
        scaler = {"scaler.scale": self.scaler.scale, "scaler.minimum": self.scaler.minimum}
        save_checkpoint(path, weights | scaler, {"kind": KIND, "family": self.denoiser.family} | self.config())


def unshared_state(denoiser: Denoiser) -> dict[str, torch.Tensor]:
    """Return the learned weights alone: the rotary frequencies, repeated in every layer, follow from the width."""
    return {name: value for name, value in denoiser.state_dict().items() if not name.endswith("rotary.freqs")}


def load_weights(denoiser: Denoiser, weights: dict[str, torch.Tensor]) -> None:
    """Set all learned weights by name; raise RuntimeError for a missing, unknown or ill-shaped one."""
    result = denoiser.load_state_dict(weights, strict=False)
    missing = [name for name in result.missing_keys if not name.endswith("rotary.freqs")]
    if missing or result.unexpected_keys:
        raise RuntimeError(f"missing {missing[:3]}, unknown {result.unexpected_keys[:3]}")
