"""What every denoiser of this project answers to, so that sampling, guidance and fine-tuning know no family.

A denoiser predicts the clean motion x_0 from a noisy one. What it needs of the music is an encoding, made once for
all denoising steps.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar, Protocol, Self

import torch
from torch import nn

from dance_model.diffusion.low_pass import low_pass
from dance_model.diffusion.schedule import cosine_schedule, preconditioning


class Sizes(Protocol):
    """What is asked of any denoiser's configuration.

    motion_width, music_width: features of a frame. window_frames: frames of a window. place_range: range of the scaled
    place on the floor, all else being in [-1, 1]. data_std, above 0: precondition predictions for scaled motions of
    this deviation. cutoff_hz, above 0: predictions hold nothing faster.
    """

    motion_width: int
    music_width: int
    window_frames: int
    place_range: float
    data_std: float
    cutoff_hz: float


class Encoding(Protocol):
    """What a denoiser needs of B windows of music: tensors whose first dimension is B."""

    def __len__(self) -> int: ...

    def repeat(self, n: int) -> Self:
        """Return every window n times, copies side by side: [B * n]."""

    def select(self, index: torch.Tensor | slice) -> Self:
        """Return the chosen windows."""

    def tile_guided(self, n: int) -> Self:
        """Return a guided encoding [2B] for n steps at once, [2 n B]: all of each half n times over."""

    def detach(self) -> Self:
        """Return the encoding cut off from the graph."""

    def tensors(self) -> list[torch.Tensor]:
        """Return all parts, always in the same order."""

    @staticmethod
    def concatenate(parts: Sequence["Encoding"]) -> "Encoding":
        """Return the windows of all `parts` in order."""


class Denoiser(nn.Module, ABC):
    """A network from noisy motion, denoising time and music to clean motion, all motions scaled.

    family: name of the family of models that the network is of.
    """

    family: ClassVar[str]

    def __init__(self, config: Sizes) -> None:
        super().__init__()
        self.config = config
        skip, scale = preconditioning(cosine_schedule().alphas_cumprod, config.data_std)
        self.register_buffer("skip", skip, persistent=False)
        self.register_buffer("scale", scale, persistent=False)
        self.register_buffer("smoothing", low_pass(config.window_frames, config.cutoff_hz), persistent=False)

    @abstractmethod
    def encode_music(self, music: torch.Tensor, keep: torch.Tensor | None = None) -> Encoding:
        """Return the encoding of music features [B, T, F].

        Where `keep` [B] (bool) is False the window counts as unconditional.
        """

    @abstractmethod
    def encode_nothing(self, batch: int) -> Encoding:
        """Return the encoding of `batch` unconditional windows."""

    @abstractmethod
    def forward_encoded(self, x: torch.Tensor, times: torch.Tensor, encoding: Encoding) -> torch.Tensor:
        """Return the predicted clean motion [B, T, D] of noisy x [B, T, D] at times [B] (int64)."""

    @property
    def device(self) -> torch.device:
        """The device of the parameters."""
        return next(self.parameters()).device

    def encode_guided(self, music: torch.Tensor) -> Encoding:
        """Return the encoding that `guided_forward` takes: B windows of music, then B of nothing."""
        encoded = self.encode_music(music)
        return encoded.concatenate((encoded, self.encode_nothing(len(music))))

    def guided_forward(
        self, x: torch.Tensor, times: torch.Tensor, encoding: Encoding, weight: float | torch.Tensor
    ) -> torch.Tensor:
        """Return the prediction under classifier-free guidance, both halves in one forward pass.

        Ho, Salimans 2022: unconditional + weight (conditional - unconditional). `encoding` [2B] comes from
        `encode_guided`; `weight` is one number or [B, 1, 1]. At the number 1 only the conditional half is computed.
        """
        if not isinstance(weight, torch.Tensor) and weight == 1.0:
            return self.forward_encoded(x, times, encoding.select(slice(0, len(x))))
        both = self.forward_encoded(torch.cat((x, x)), torch.cat((times, times)), encoding)
        conditional, unconditional = both.chunk(2)
        return unconditional + weight * (conditional - unconditional)

    def forward(
        self, x: torch.Tensor, music: torch.Tensor, times: torch.Tensor, cond_drop_prob: float = 0.0
    ) -> torch.Tensor:
        """Return the prediction [B, T, D], each window's music dropped with probability `cond_drop_prob`."""
        return self.forward_encoded(x, times, self._encode_dropping(music, cond_drop_prob))

    def _encode_dropping(self, music: torch.Tensor, cond_drop_prob: float) -> Encoding:
        return self.encode_music(music, torch.rand(len(music), device=music.device) >= cond_drop_prob)

    def _finished(self, x: torch.Tensor, times: torch.Tensor, clean: torch.Tensor) -> torch.Tensor:
        """Return the prediction that a network's output `clean` [B, T, D] stands for, given what it saw."""
        if self.config.data_std > 0:
            clean = self.skip[times, None, None] * x + self.scale[times, None, None] * clean
        return self.smoothing @ clean if self.config.cutoff_hz > 0 else clean

    def _check_batch(self, x: torch.Tensor, times: torch.Tensor, encoding: Encoding) -> None:
        self._check_window("motion", x, self.config.motion_width)
        if not len(x) == len(times) == len(encoding):
            sizes = f"{len(x)} motions, {len(times)} times, {len(encoding)} windows of encoded music"
            raise ValueError(f"expected as many of each: {sizes}")

    def _check_window(self, what: str, x: torch.Tensor, width: int) -> None:
        expected = (self.config.window_frames, width)
        if x.ndim != 3 or tuple(x.shape[1:]) != expected:
            raise ValueError(f"expected {what} [B, {expected[0]}, {expected[1]}], got {list(x.shape)}")
