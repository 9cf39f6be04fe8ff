"""Sums over the points of each body part, the same to the last bit every time."""

from collections.abc import Sequence

import torch

from skeleton2stage.motion.skeleton import N_JOINTS


def summed_by_part(values: torch.Tensor, parts: Sequence[int]) -> torch.Tensor:
    """Return values [F, P, ...] of P points, summed over the points of each part, [F, 24, ...]; parts [P].

    On a GPU `index_add` adds in whatever order its threads come, so that the last bits differ from time to time; here
    every part's points are laid side by side and summed along that axis.
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
