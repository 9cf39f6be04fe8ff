"""A hop as bodies do it, with a crouch before it and after it: a control beside hops and flights that have none."""

from dataclasses import replace

import numpy as np
import roma
import torch

from pretrain.damage.onset import EARLIEST_S, generator_for, raised, smooth
from skeleton2stage.motion import skeleton
from skeleton2stage.motion.motion import FPS, Motion

LOWEST_M, HIGHEST_M = 0.04, 0.08  # of the flight
CROUCH_M, CROUCH_S = 0.12, 0.4
GRAVITY = 9.81
# A knee nearer than this to the line from hip to ankle has no side of its own to bend to: it goes forward.
STRAIGHT_M = 0.06


def crouching_hop(motion: Motion, seed: int) -> Motion:
    """Hop 4 to 8 cm high as bodies can: at the moment at which the motion needs the floor least sideways, the pelvis
    sinks by 12 cm over feet that stay, is pushed up by legs that straighten, flies under the earth's gravity, and is
    caught by knees that bend as far again.

    Feet keep their places in the motion but for the flight, in which the whole body is up; only hips, knees and ankles
    turn otherwise.
    """
    generator = generator_for(motion, seed)
    height_m = generator.uniform(LOWEST_M, HIGHEST_M)
    half_s = hop_s(height_m) / 2.0
    apex_s = _quietest(motion, half_s, float(np.sqrt(2.0 * height_m / GRAVITY)))
    offset_m = hop_offset(np.arange(len(motion)) / FPS - apex_s, height_m)
    return legs_bent(raised(motion, offset_m.clip(min=0.0)), (-offset_m).clip(min=0.0))


def hop_s(height_m: float) -> float:
    """Return how long a hop so high takes from the beginning of its crouch to the end of the last, s."""
    take_off_mps = np.sqrt(2.0 * GRAVITY * height_m)
    return float(2.0 * (CROUCH_S + 2.0 * CROUCH_M / take_off_mps + take_off_mps / GRAVITY))


def hop_offset(since_apex_s: np.ndarray, height_m: float) -> np.ndarray:
    """Return how much higher than it would be a pelvis is, m, at times [T] from the highest point of a hop.

    From there on: a fall under gravity; legs that stop it evenly over `CROUCH_M`; half a cosine of `CROUCH_S` back up.
    Before it the same in reverse.
    """
    since_s = np.abs(since_apex_s)
    landing_mps = np.sqrt(2.0 * GRAVITY * height_m)
    fall_s, stop_s = landing_mps / GRAVITY, 2.0 * CROUCH_M / landing_mps
    stopping_s = (since_s - fall_s).clip(0.0, stop_s)
    stopping = -landing_mps * stopping_s * (1.0 - 0.5 * stopping_s / stop_s)
    rising = CROUCH_M * smooth((since_s - fall_s - stop_s) / CROUCH_S)
    return np.where(since_s < fall_s, height_m - 0.5 * GRAVITY * since_s**2, stopping + rising)


def legs_bent(motion: Motion, depth_m: np.ndarray) -> Motion:
    """Return the motion with the pelvis lower by [T] m, and legs that bend for it, knees in the planes they were in,
    so that feet stay where they were, turned as they were.
    """
    own = roma.rotvec_to_rotmat(torch.from_numpy(motion.poses).double())
    positions, rotations = skeleton.forward_kinematics_rotmat(own, torch.from_numpy(motion.translation).double())
    down_m = torch.from_numpy(depth_m)[:, None] * torch.tensor([0.0, 0.0, 1.0]).double()
    poses = motion.poses.copy()
    for side in ("left", "right"):
        hip, knee, ankle = (skeleton.joint_index(f"{side}_{part}") for part in ("hip", "knee", "ankle"))
        hip_w = positions[:, hip] - down_m
        knee_w = _knee(hip_w, positions[:, [hip, knee, ankle]], rotations[:, hip, :, 2], torch.from_numpy(depth_m))
        thigh = _turned(positions[:, knee] - positions[:, hip], knee_w - hip_w) @ rotations[:, hip]
        shin = _turned(positions[:, ankle] - positions[:, knee], positions[:, ankle] - knee_w) @ rotations[:, knee]
        local = (
            rotations[:, 0].transpose(1, 2) @ thigh, thigh.transpose(1, 2) @ shin,
            shin.transpose(1, 2) @ rotations[:, ankle],
        )
        poses[:, [hip, knee, ankle]] = roma.rotmat_to_rotvec(torch.stack(local, dim=1)).numpy()
    return replace(raised(motion, -depth_m), poses=poses)


def _knee(
    hip_w: torch.Tensor, leg_w: torch.Tensor, forward_w: torch.Tensor, depth_m: torch.Tensor
) -> torch.Tensor:
    """Return where a knee is, [T, 3], between a hip [T, 3] and the ankle of leg_w [T, 3, 3] (hip, knee, ankle before),
    on the side of the line between them that it was on; forward_w [T, 3] for legs that were straight.
    """
    thigh_m = (leg_w[:, 1] - leg_w[:, 0]).norm(dim=-1, keepdim=True)
    shin_m = (leg_w[:, 2] - leg_w[:, 1]).norm(dim=-1, keepdim=True)
    line = leg_w[:, 2] - hip_w
    length = line.norm(dim=-1, keepdim=True)
    along = line / length
    aside = _across(leg_w[:, 1] - leg_w[:, 0], leg_w[:, 2] - leg_w[:, 0])
    # Only as far as the leg bends: one that does not keeps its knee where it was.
    lacking = (STRAIGHT_M - aside.norm(dim=-1)).clamp(min=0.0) * (depth_m / STRAIGHT_M).clamp(max=1.0)
    aside = _across(aside + lacking[:, None] * forward_w, line)
    share_m = (thigh_m.square() - shin_m.square() + length.square()) / (2.0 * length)
    out_m = (thigh_m.square() - share_m.square()).clamp(min=0.0).sqrt()
    return hip_w + share_m * along + out_m * torch.nn.functional.normalize(aside, dim=-1)


def _across(vectors: torch.Tensor, line: torch.Tensor) -> torch.Tensor:
    """Return the part of vectors [T, 3] that is across a line [T, 3]."""
    along = torch.nn.functional.normalize(line, dim=-1)
    return vectors - (vectors * along).sum(dim=-1, keepdim=True) * along


def _turned(before: torch.Tensor, after: torch.Tensor) -> torch.Tensor:
    """Return the shortest rotations [T, 3, 3] from directions [T, 3] to others."""
    axis = torch.linalg.cross(before, after)
    sine = axis.norm(dim=-1, keepdim=True)
    angle = torch.atan2(sine, (before * after).sum(dim=-1, keepdim=True))
    return roma.rotvec_to_rotmat(axis / sine.clamp(min=1e-12) * angle)


def _quietest(motion: Motion, half_s: float, fall_s: float) -> float:
    """Return the moment, s, around which the body as a whole is pushed least sideways for as long as a flight takes:
    by its joints' mean acceleration.
    """
    middle = motion.joints()[..., :2].mean(axis=1)
    push = np.linalg.norm(np.diff(middle, n=2, axis=0, prepend=middle[:1], append=middle[-1:]), axis=1)
    n = 2 * int(np.ceil(fall_s * FPS)) + 1
    pushed = np.convolve(push, np.ones(n), mode="same")
    first, last = (np.ceil((EARLIEST_S + half_s) * FPS), np.floor((motion.duration_s - half_s) * FPS))
    return float((int(first) + pushed[int(first) : int(last) + 1].argmin()) / FPS)
