"""Motion of a foreign skeleton (BVH) onto SMPL's: rotations carried over, then joints pulled into place.

1. The joints are told by names and by the tree (`joint_roles`), and scaled so that legs are as long as SMPL's.
2. Every SMPL bone gets the world rotation of its counterpart, corrected for the difference of rest poses (`guide`),
   which the zero pose tells (`zero_pose`) or, where it is not one of a body, the motion (`motion_alignment`).
3. Short glitches of the capture are bridged (`glitches`), and the clip is resampled to 30 frames a second.
4. Inverse kinematics pulls hips, ankles, wrists and the rest to where the scaled source has them (`guide_fit`).
5. The floor is put under the feet (`grounding`).
6. Arms that end up inside SMPL's torso, which is wider than the source's, are moved out of it (`torso_clearance`).
"""

from dataclasses import dataclass, replace

import numpy as np
import roma
import torch
from scipy.ndimage import gaussian_filter1d

from skeleton2stage.motion import skeleton
from skeleton2stage.motion.bvh import Bvh
from skeleton2stage.motion.frame_windows import windows_of
from skeleton2stage.motion.ik import local_to_world, world_positions, world_to_local
from skeleton2stage.motion.motion import FPS, Motion
from skeleton2stage.motion.resample import between
from skeleton2stage.motion.retarget.glitches import bridged_rotations, continuous, without_glitches
from skeleton2stage.motion.retarget.grounding import feet_of, grounded, levelled, resting_toes, standing_levels
from skeleton2stage.motion.retarget.guide import TARGETS, Guide, alignment_of, guide_of
from skeleton2stage.motion.retarget.joint_roles import SIDES
from skeleton2stage.motion.retarget.source_skeleton import SourceSkeleton, during, understand
from skeleton2stage.motion.retarget.torso_clearance import clear_of_torso

# Low-pass before dropping to 30 frames a second: 3 dB at 10 Hz, under the new Nyquist frequency of 15 Hz.
SMOOTHING_S = 0.013

# How far a joint of a body can turn from rest; captures of hands and feet sometimes flip beyond it.
MAX_TURN_RAD = {"left_ankle": 1.1, "right_ankle": 1.1, "left_wrist": 1.4, "right_wrist": 1.4, "head": 1.0,
                "neck": 0.8}
# A window of a long clip, and what it sees of its neighbours: longer than glitches last and smoothing reaches.
_WINDOW_S, _MARGIN_S = 30.0, 2.0
_MEASURED = ("left_wrist", "right_wrist", "left_ankle", "right_ankle")


@dataclass(frozen=True)
class RetargetReport:
    """How well a clip went over.

    up_axis: the axis of the file that points up ("x", "y" or "z"). scale: metres per source unit.
    errors_m: mean distance from the scaled source for each wrist and ankle.
    bridged_frames: source frames in which at least one joint had a glitch and was interpolated.
    rest_pose: what told how the source's joints lie, "zero pose" or, where that is not one a body can have, "motion".
    """

    up_axis: str
    scale: float
    errors_m: dict[str, float]
    bridged_frames: int
    rest_pose: str

    @property
    def mean_error_m(self) -> float:
        """Mean over wrists and ankles of the distance from the scaled source."""
        return float(np.mean(list(self.errors_m.values())))


def retarget(bvh: Bvh, fps: float = FPS) -> tuple[Motion, RetargetReport]:
    """Return a BVH clip as SMPL motion, z up, floor at z = 0, and how well it went.

    Raises UserError where the skeleton's joints are not recognised.
    """
    source = understand(bvh, turned=False)
    up = source.up()
    guide, feet, bridged_frames = _guided(bvh, source, up, fps)
    levels = standing_levels(feet, bvh.fps)
    guide = _within_limits(grounded(guide, levels))
    rotmat_w, root_pos = clear_of_torso(levelled(guide, levels), fps)
    report = RetargetReport("xyz"[int(np.abs(up).argmax())], source.scale_m(),
                            _errors(guide, rotmat_w, root_pos), bridged_frames, guide.rest_pose)
    return _finished(rotmat_w, root_pos, fps), report


def _guided(bvh: Bvh, source: SourceSkeleton, up: np.ndarray, fps: float) -> tuple[Guide, np.ndarray, int]:
    """Return the guide at the new frame rate, the feet (`feet_of`) at the file's, and how many frames had glitches.

    Window by window: at a capture's rate all rotations of 20 minutes would take gigabytes.
    """
    alignment = alignment_of(bvh, source, up)
    every = between(len(bvh), bvh.fps, fps)
    guides, feet, n_bridged = [], [], 0
    size, margin = (max(1, round(seconds * bvh.fps)) for seconds in (_WINDOW_S, _MARGIN_S))
    for window in windows_of(len(bvh), size, margin):
        guide, bad = without_glitches(guide_of(during(bvh, source, window.frames), up, alignment), bvh.fps)
        guide = _smoothed(guide, bvh.fps)
        new = every.during(window.kept, window.frames.start)
        feet.append(feet_of(guide)[window.inner])
        guides.append((new.rotations(guide.rotmat_w), new.linear(guide.targets_w)))
        n_bridged += int(bad[window.inner].sum())
    rotmat_w, targets_w = (torch.cat(part) for part in zip(*guides, strict=True))
    return Guide(rotmat_w, targets_w, alignment.rest_pose), np.concatenate(feet), n_bridged


def _smoothed(guide: Guide, fps: float) -> Guide:
    """Return the guide without what is too fast for the frame rate to come."""
    quat = continuous(roma.rotmat_to_unitquat(guide.rotmat_w)).numpy()
    quat = torch.from_numpy(gaussian_filter1d(quat, SMOOTHING_S * fps, axis=0, mode="nearest"))
    targets = gaussian_filter1d(guide.targets_w.numpy(), SMOOTHING_S * fps, axis=0, mode="nearest")
    rotmat_w = roma.unitquat_to_rotmat(torch.nn.functional.normalize(quat, dim=-1))
    return replace(guide, rotmat_w=rotmat_w, targets_w=torch.from_numpy(targets))


def _within_limits(guide: Guide) -> Guide:
    """Return the guide with joints turned no further from rest than a body's can.

    Beyond the limit the capture has usually flipped, so what lies between frames within it is interpolated;
    a joint that is never within it is turned back to it.
    """
    joints = [skeleton.joint_index(name) for name in MAX_TURN_RAD]
    limits = torch.tensor(list(MAX_TURN_RAD.values()), dtype=torch.float64)
    local = world_to_local(guide.rotmat_w)
    beyond = roma.rotmat_to_rotvec(local[:, joints]).norm(dim=-1) > limits
    quat = bridged_rotations(roma.rotmat_to_unitquat(local[:, joints]), beyond.numpy())
    rotvec = roma.unitquat_to_rotvec(quat)
    angle = rotvec.norm(dim=-1, keepdim=True).clamp(min=1e-9)
    local[:, joints] = roma.rotvec_to_rotmat(rotvec * angle.clamp(max=limits[:, None]) / angle)
    return replace(guide, rotmat_w=local_to_world(local))


def _errors(guide: Guide, rotmat_w: torch.Tensor, root_pos: torch.Tensor) -> dict[str, float]:
    joints_w = world_positions(rotmat_w, root_pos, torch.from_numpy(skeleton.offsets()))
    targets = dict(zip(TARGETS, guide.targets_w.unbind(dim=1), strict=True))
    return {
        name: (joints_w[:, skeleton.joint_index(name)] - targets[name]).norm(dim=-1).mean().item()
        for name in _MEASURED
    }


def _finished(rotmat_w: torch.Tensor, root_pos: torch.Tensor, fps: float) -> Motion:
    """Return the motion with toes resting on the floor and hands in line with the wrists."""
    joints_w = world_positions(rotmat_w, root_pos, torch.from_numpy(skeleton.offsets()))
    toes = [skeleton.joint_index(f"{side}_foot") for side in SIDES]
    local = roma.rotmat_to_rotvec(world_to_local(rotmat_w))
    local[:, toes] = resting_toes(rotmat_w[:, toes], joints_w[:, toes, 2])
    local[:, [skeleton.joint_index(f"{side}_hand") for side in SIDES]] = 0.0
    return Motion(local.float().numpy(), root_pos.numpy(), fps=fps)
