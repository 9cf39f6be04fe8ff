"""Projection: in the last steps predictions are replaced by what the imitation policy makes of them in the simulator.

PhysDiff (Yuan et al., ICCV 2023), which fine-tuning on rewards is compared with; its schedule of consecutive steps at
the end of the chain. A dance that falls or diverges keeps its whole prediction: a head is under the height that counts
as a fall only long after balance is lost, and frames of toppling, cut off there, would jump back into the prediction.
"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from dance_model.diffusion.ddim import RefineX0
from dance_model.diffusion.diffusion_model import DanceModel
from dance_model.diffusion.long import overlapping_windows, stitch
from dance_model.diffusion.schedule import DDIMStep
from skeleton2stage.errors import UserError
from skeleton2stage.motion.motion import Motion
from skeleton2stage.motion.motion_layout import MotionLayout, encode
from skeleton2stage.physics.score.dance_scorer import DanceScorer

N_PERFORMED_JOINTS = 22  # all but the hands, which are performed straight


@dataclass(frozen=True)
class Projection:
    """In how many of the last denoising steps predictions are performed, one or more, and by whom."""

    last_steps: int
    scorer: DanceScorer


def make_projection(last_steps: int, n_steps: int, scorer: DanceScorer | None, reason: str) -> Projection | None:
    """Return projection at the last of a chain's `n_steps`, None for 0 of them.

    Raises UserError for a number that the chain does not have, or, with the reason, where there is no scorer.
    """
    if not 0 <= last_steps <= n_steps:
        raise UserError(
            f"project={last_steps} is not a number of denoising steps, which are counted from the last one: give 0 "
            f"(none) to {n_steps} (n_steps, all of them)"
        )
    if last_steps == 0:
        return None
    if scorer is None:
        raise UserError(f"project={last_steps} needs an imitation policy to perform the dances: {reason}")
    return Projection(last_steps, scorer)


def projection(chosen: Projection, model: DanceModel, steps: Sequence[DDIMStep], counts: Sequence[int]) -> RefineX0:
    """Return what replaces predictions [B, T, D] in the last of a chain's steps and leaves them alone in the others.

    counts: how many of the B windows each dance has, one after the other, as `sample_long` takes them.
    """
    times = {step.time for step in steps[-chosen.last_steps :]}

    def refine(x0: torch.Tensor, step: DDIMStep) -> torch.Tensor:
        if step.time not in times:
            return x0
        performed, stood = projected(x0, model, chosen.scorer, counts)
        if not stood.all():
            fallen = f"{int((~stood).sum())} of {len(stood)} dances fell"
            print(f"projection at time {step.time}: {fallen} and keep their predictions", file=sys.stderr)
        return performed

    return refine


def projected(
    x0: torch.Tensor, model: DanceModel, scorer: DanceScorer, counts: Sequence[int]
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return scaled windows [B, T, D] of dances of `counts` windows as they are performed, and which stood, [N] bool.

    The windows of a dance are joined, so that it is performed in one go, and cut apart again: neighbours agree.
    Contacts and hands, which a performance does not have, stay as predicted, as does all of a dance that does not
    stand to its end.
    """
    pieces = x0.split(list(counts))
    dances = [stitch(model.scaler.unnormalise(windows.float()), model.layout) for windows in pieces]
    scores, performances = scorer.perform(dances)
    carried = _is_performed(model.layout, x0.device)
    replaced = [
        torch.where(carried, _windows(motion, model, x0), predicted) if stood else predicted
        for predicted, motion, stood in zip(pieces, performances, scores.success.tolist(), strict=True)
    ]
    return torch.cat(replaced), scores.success


def _windows(motion: Motion, model: DanceModel, like: torch.Tensor) -> torch.Tensor:
    """Return a motion as scaled windows [N, T, D] of the type and on the device of others, within the model's range."""
    vectors = encode(torch.from_numpy(motion.poses), torch.from_numpy(motion.translation), model.layout).to(like)
    scaled = model.scaler.normalise(vectors).clamp(-model.scaler.bound, model.scaler.bound)
    return overlapping_windows(scaled, like.shape[1])


def _is_performed(layout: MotionLayout, device: torch.device) -> torch.Tensor:
    """Return which features of a motion vector a performance carries, [D] bool."""
    performed = torch.zeros(layout.width, dtype=torch.bool, device=device)
    performed[layout.translation] = True
    performed[layout.rot6d.start : layout.rot6d.start + 6 * N_PERFORMED_JOINTS] = True
    return performed
