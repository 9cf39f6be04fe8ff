"""Arms moved out of SMPL's torso, which is wider than most skeletons' sources."""

import math
from dataclasses import replace

import torch
from scipy.ndimage import gaussian_filter1d

from skeleton2stage.motion import skeleton
from skeleton2stage.motion.frame_windows import windows_of
from skeleton2stage.motion.ik import IkWeights, world_positions
from skeleton2stage.motion.retarget.guide import TARGETS, Guide
from skeleton2stage.motion.retarget.guide_fit import WEIGHTS, fit_to_guide
from skeleton2stage.motion.retarget.joint_roles import SIDES

# The torso that arms have to stay clear of: SMPL joint -> elliptic cylinder in its frame (x left, y up,
# z front), as the open body's surface has it: half-width, middle of z, half-depth, lowest and highest y, m.
TORSO_M = {
    "pelvis": (0.175, -0.025, 0.122, -0.12, 0.124),
    "spine1": (0.148, 0.038, 0.102, 0.0, 0.138),
    "spine2": (0.166, 0.012, 0.110, 0.0, 0.056),
    "spine3": (0.205, 0.0, 0.120, 0.0, 0.14),
}
TORSO_FADE_M = 0.05

# Points along an arm: share of the way from shoulder to elbow (or elbow to wrist, beyond 1 in the hand) and
# the arm's radius there, m.
UPPER_ARM_POINTS = ((0.5, 0.06), (0.75, 0.055), (1.0, 0.05))
FOREARM_POINTS = ((0.25, 0.05), (0.5, 0.05), (0.75, 0.045), (1.0, 0.04), (1.4, 0.03))
CLEARANCE_SWEEPS = 12

# How much of the way to where it is wanted the wrist goes in a sweep, and how far off it may be in the end.
WRIST_PULL = 0.85
MAX_WRIST_PUSH_M = 0.08
CLEARANCE_ROUNDS = 2
CLEARANCE_SMOOTHING_S = 0.07
# What is done to a frame depends on others no further away: scipy's filter ends at four deviations, each round.
_REACH_S = CLEARANCE_ROUNDS * 4.5 * CLEARANCE_SMOOTHING_S
_WINDOW_FRAMES = 2000

# Weights of the fit that follows: elbows are where they should be by then, and hold their place.
CLEAR_WEIGHTS = IkWeights(
    WEIGHTS.position | {"left_elbow": 2.0, "right_elbow": 2.0, "left_wrist": 6.0, "right_wrist": 6.0},
    WEIGHTS.rotation | {"left_collar": 0.8, "right_collar": 0.8},
)


def clear_of_torso(guide: Guide, fps: float) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the fit to the guide, as `fit_to_guide` does, with arms outside the torso.

    Where the torso is, is known from a fit only: elbows and wrists are moved out of it by as much as they are
    inside in one fit, smoothly in time, and fitted again. A long clip is worked through in windows.
    """
    parts = []
    margin = math.ceil(_REACH_S * fps)
    for window in windows_of(len(guide.rotmat_w), _WINDOW_FRAMES, margin):
        part = replace(guide, rotmat_w=guide.rotmat_w[window.frames], targets_w=guide.targets_w[window.frames])
        parts.append(tuple(found[window.inner] for found in _cleared(part, fps)))
    rotmat_w, root_pos = (torch.cat(part) for part in zip(*parts, strict=True))
    return rotmat_w, root_pos


def _cleared(guide: Guide, fps: float) -> tuple[torch.Tensor, torch.Tensor]:
    """Return `clear_of_torso` of a clip that is worked through at once."""
    rotmat_w, root_pos = fit_to_guide(guide)
    wanted = dict(zip(TARGETS, guide.targets_w.unbind(dim=1), strict=True))
    targets = dict(wanted)
    for _ in range(CLEARANCE_ROUNDS):
        joints_w = world_positions(rotmat_w, root_pos, torch.from_numpy(skeleton.offsets()))
        for side in SIDES:
            arm = [skeleton.joint_index(f"{side}_{name}") for name in ("shoulder", "elbow", "wrist")]
            wrist = wanted[f"{side}_wrist"]
            clear = arm_clearance(joints_w, rotmat_w, arm, wrist)
            targets[f"{side}_elbow"] = joints_w[:, arm[1]] + _lowpass(clear[:, 0] - joints_w[:, arm[1]], fps)
            targets[f"{side}_wrist"] = wrist + _lowpass(_limited(clear[:, 1] - wrist), fps)
        guided = replace(guide, targets_w=torch.stack([targets[name] for name in TARGETS], dim=1))
        rotmat_w, root_pos = fit_to_guide(guided, CLEAR_WEIGHTS)
    return rotmat_w, root_pos


def _limited(push: torch.Tensor) -> torch.Tensor:
    """Return pushes [T, 3] m shortened, smoothly, to less than MAX_WRIST_PUSH_M."""
    length = push.norm(dim=-1, keepdim=True).clamp(min=1e-9)
    return push * (MAX_WRIST_PUSH_M * torch.tanh(length / MAX_WRIST_PUSH_M) / length)


def _lowpass(values: torch.Tensor, fps: float) -> torch.Tensor:
    """Return values [T, ...] without quick changes, so that a push sets in and ends softly."""
    sigma = CLEARANCE_SMOOTHING_S * fps
    return torch.from_numpy(gaussian_filter1d(values.numpy(), sigma, axis=0, mode="nearest"))


def arm_clearance(
    joints_w: torch.Tensor, rotmat_w: torch.Tensor, arm: list[int], wrist_w: torch.Tensor
) -> torch.Tensor:
    """Return where an arm's elbow and wrist, [T, 2, 3] m in the world, are clear of the torso.

    joints_w [T, 24, 3] m and rotmat_w [T, 24, 3, 3] are the pose; arm: joints shoulder, elbow, wrist;
    wrist_w [T, 3] m is where the wrist is wanted.

    Position-based dynamics (Mueller et al. 2007): points along the arm are projected out of the torso in
    turn, each moving the joints on its either side by their share, then bones get their lengths back. The
    wrist is drawn to where it is wanted before each sweep, so that the elbow gives way first.
    """
    shoulder, elbow, wrist = (joints_w[:, joint] for joint in arm)
    upper, fore = ((b - a).norm(dim=-1, keepdim=True) for a, b in ((shoulder, elbow), (elbow, wrist)))
    for _ in range(CLEARANCE_SWEEPS):
        wrist = wrist + WRIST_PULL * (wrist_w - wrist)
        for share, radius in UPPER_ARM_POINTS:
            point = shoulder + share * (elbow - shoulder)
            elbow = elbow + share * torso_push(point, joints_w, rotmat_w, radius)
        for share, radius in FOREARM_POINTS:
            push = torso_push(elbow + share * (wrist - elbow), joints_w, rotmat_w, radius)
            push = push / (share**2 + (1 - share) ** 2)
            elbow, wrist = elbow + max(1 - share, 0.0) * push, wrist + share * push
        along = torch.nn.functional.normalize(wrist - elbow, dim=-1)
        excess = ((wrist - elbow).norm(dim=-1, keepdim=True) - fore) * along
        elbow, wrist = elbow + excess / 2, wrist - excess / 2
        elbow = shoulder + upper * torch.nn.functional.normalize(elbow - shoulder, dim=-1)
    return torch.stack((elbow, wrist), dim=1)


def torso_push(
    point_w: torch.Tensor, joints_w: torch.Tensor, rotmat_w: torch.Tensor, radius_m: float
) -> torch.Tensor:
    """Return the displacement [T, 3] m that brings spheres at point_w [T, 3] m out of the torso.

    Each cylinder of TORSO_M pushes along its ellipse's radius, less and less beyond its ends, which keeps
    the push continuous in the position; the pushes of several are averaged with the fourth power of their
    lengths as weights, which is nearly the longest.
    """
    pushes = []
    for name, (half_width, z_middle, half_depth, low, high) in TORSO_M.items():
        joint = skeleton.joint_index(name)
        x, y, z = ((point_w - joints_w[:, joint])[:, None] @ rotmat_w[:, joint])[:, 0].unbind(-1)
        radial = torch.stack((x, torch.zeros_like(x), z - z_middle), dim=-1)
        axes = torch.tensor([half_width + radius_m, 1.0, half_depth + radius_m], dtype=x.dtype)
        depth = (radial / axes).norm(dim=-1).clamp(min=0.1)
        beyond = torch.maximum(low - y, y - high).clamp(min=0.0)
        fade = (1 - beyond / (radius_m + TORSO_FADE_M)).clamp(min=0.0)
        local = radial * ((1 / depth - 1).clamp(min=0.0) * fade)[:, None]
        pushes.append((rotmat_w[:, joint] @ local[..., None])[..., 0])
    stacked = torch.stack(pushes)
    emphasis = stacked.norm(dim=-1, keepdim=True) ** 4 + 1e-12
    return (stacked * emphasis).sum(dim=0) / emphasis.sum(dim=0)
