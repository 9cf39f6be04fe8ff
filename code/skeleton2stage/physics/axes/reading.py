"""What an axis says of a batch of motions: a figure in units and a share of fault, by frame and by body part."""

from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class Reading:
    """One axis' reading of N motions of T frames.

    value: [N, T, 24] in `unit`, by the SMPL joint whose part is meant, zero where the axis has nothing to say; of
    what concerns the body as a whole, at the pelvis.
    share: [N, T, 24] in [0, 1], how wrong that is: 0 up to what a person does, 1 from what nobody can.
    """

    value: torch.Tensor
    share: torch.Tensor
    unit: str

    @property
    def frames(self) -> torch.Tensor:
        """The fault of every frame, [N, T]: that of its worst part."""
        return self.share.amax(dim=-1)

    @property
    def soundness(self) -> torch.Tensor:
        """The axis' score of every motion, [N] in [0, 1]: one minus the mean fault of its frames."""
        return 1.0 - self.frames.mean(dim=1)


def graded(value: torch.Tensor, allowed: torch.Tensor | float, worst: torch.Tensor | float) -> torch.Tensor:
    """Return the share of fault of values: 0 up to `allowed`, 1 from `worst`, a straight line between them."""
    return ((value - allowed) / (worst - allowed)).clamp(0.0, 1.0)


def of_whole_body(value: torch.Tensor) -> torch.Tensor:
    """Return values of the body as a whole, [N, T], as values of parts, [N, T, 24], at the pelvis."""
    return torch.nn.functional.pad(value[..., None], (0, 23))
