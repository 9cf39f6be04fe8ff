"""The floor under a retargeted dancer's feet, and toes that rest on it."""

from dataclasses import replace

import numpy as np
import torch

from skeleton2stage.motion import skeleton
from skeleton2stage.motion.retarget.guide import TARGETS, Guide
from skeleton2stage.motion.retarget.joint_roles import SIDES
from skeleton2stage.motion.retarget.standing import MIN_STANDING_S, standing_frames

# Height of SMPL's toe joint over the sole under it: where the toes of a standing foot are put, so that its
# sole touches z = 0. Standing feet vary by about 1 cm in captures: a low percentile stands for them all.
SOLE_M = 0.025
STANDING_PERCENTILE = 25.0

# For a clip in which no foot ever stands: the toe that is lower, at this percentile of the clip.
LOWEST_PERCENTILE = 10.0
MAX_LEVELLING_M = 0.02
MAX_TOE_BEND_RAD = 0.9
TOE_REST_HEIGHT_M = 0.06


def feet_of(guide: Guide) -> np.ndarray:
    """Return ankle and toe of the left foot, then of the right, [T, 4, 3] m, where the guide has them."""
    feet = []
    for side in SIDES:
        ankle = guide.targets_w[:, list(TARGETS).index(f"{side}_ankle")]
        foot = guide.rotmat_w[:, skeleton.joint_index(f"{side}_ankle")]
        feet += [ankle, ankle + foot @ torch.from_numpy(skeleton.offsets()[skeleton.joint_index(f"{side}_foot")])]
    return torch.stack(feet, dim=1).numpy()


def standing_levels(feet: np.ndarray, fps: float) -> dict[str, float]:
    """Return the height (m) of each side's toe joint where that foot stands, of `feet_of` [T, 4, 3].

    Where a foot hardly stands, the height of the other, or of the lower toe over the whole clip, is taken.
    """
    levels = {}
    for side, (ankle, toe) in zip(SIDES, ((0, 1), (2, 3)), strict=True):
        frames = standing_frames(feet[:, ankle], feet[:, toe], fps)
        if len(frames) >= MIN_STANDING_S * fps:
            levels[side] = float(np.percentile(feet[frames, toe, 2], STANDING_PERCENTILE))
    lower = np.minimum(feet[:, 1, 2], feet[:, 3, 2])
    usual = np.mean(list(levels.values())) if levels else np.percentile(lower, LOWEST_PERCENTILE)
    return {side: levels.get(side, float(usual)) for side in SIDES}


def grounded(guide: Guide, levels: dict[str, float]) -> Guide:
    """Return the guide moved so that standing feet, on average of both, have their soles at z = 0."""
    floor = np.mean(list(levels.values())) - SOLE_M
    return replace(guide, targets_w=guide.targets_w - torch.tensor([0.0, 0.0, floor], dtype=torch.float64))


def levelled(guide: Guide, levels: dict[str, float]) -> Guide:
    """Return the guide with ankles raised or lowered by what one foot stands higher than the other.

    Legs of a captured skeleton are not measured to the centimetre, so that one foot would always float.
    """
    targets, usual = guide.targets_w.clone(), np.mean(list(levels.values()))
    for side, level in levels.items():
        shift = float(np.clip(usual - level, -MAX_LEVELLING_M, MAX_LEVELLING_M))
        targets[:, list(TARGETS).index(f"{side}_ankle"), 2] += shift
    return replace(guide, targets_w=targets)


def resting_toes(foot_rotmat_w: torch.Tensor, toe_height_m: torch.Tensor) -> torch.Tensor:
    """Return toe rotations [T, 2, 3] rad that keep toes level where a lifted heel rests on them.

    A foot's front is its local z; turning about local -x raises it. Few mocap skeletons bend their toes, and
    straight ones would reach centimetres under the floor whenever the dancer stands on the ball of the foot.
    """
    pitch_down = -torch.asin(foot_rotmat_w[..., 2, 2].clamp(-1, 1))
    nearness = ((TOE_REST_HEIGHT_M - toe_height_m) / (TOE_REST_HEIGHT_M - SOLE_M)).clamp(0, 1)
    bend = pitch_down.clamp(0, MAX_TOE_BEND_RAD) * nearness
    return torch.stack((-bend, torch.zeros_like(bend), torch.zeros_like(bend)), dim=-1)
