"""Sums of several values to one place, the same to the last bit every time.

On a GPU `index_add` adds in whatever order its threads come, and floats that are added in another order differ in their
last bits.
"""

from collections.abc import Sequence

import torch

from skeleton2stage.motion.skeleton import N_JOINTS


def summed_by_part(values: torch.Tensor, parts: Sequence[int]) -> torch.Tensor:
    """Return values [F, P, ...] of P points, summed over the points of each part, [F, 24, ...]; parts [P].

    Every part's points are laid side by side and summed along that axis.
    """
    sums = values.new_zeros(values.shape[0], N_JOINTS, *values.shape[2:])
    touched = sorted(set(parts))
    if not touched:
        return sums
    members = [[point for point, owner in enumerate(parts) if owner == part] for part in touched]
    most = max(map(len, members))
    nothing = len(parts)  # a row of zeros behind the points fills up parts that have fewer
    index = torch.tensor([points + [nothing] * (most - len(points)) for points in members], device=values.device)
    padded = torch.cat((values, torch.zeros_like(values[:, :1])), dim=1)
    sums[:, touched] = padded[:, index].sum(dim=2)
    return sums


def summed_by_index(values: torch.Tensor, index: torch.Tensor, n: int, unit: float) -> torch.Tensor:
    """Return values [V] summed to n places by index [V], [n], to the next multiple of a unit.

    They are added as whole numbers of the unit, which do not mind the order. What is not finite counts as nothing.
    """
    whole = (torch.nan_to_num(values, nan=0.0, posinf=0.0, neginf=0.0) / unit).round().long()
    sums = torch.zeros(n, dtype=torch.long, device=values.device).index_add_(0, index, whole)
    return (sums * unit).to(values.dtype)
