"""Dances longer than a window: windows that overlap by half are denoised together, then joined.

Tseng et al., EDGE (CVPR 2023), section 3.3 and its released sampler.
"""

from collections.abc import Sequence

import numpy as np
import roma
import torch

from dance_model.batch import DanceBatch, joined
from dance_model.diffusion.ddim import DEFAULT_SAMPLING, RefineX0, SamplingConfig, ddim_step, noise_like_motion
from dance_model.diffusion.denoiser import Denoiser
from dance_model.diffusion.predictor import Predictor
from skeleton2stage.motion.motion import Motion
from skeleton2stage.motion.motion_layout import MotionLayout
from skeleton2stage.motion.rotations import rot6d_to_rotmat, slerp
from skeleton2stage.motion.skeleton import N_JOINTS


def n_windows(n_frames: int, window_frames: int) -> int:
    """Return how many windows, each half a window after the last, cover n_frames."""
    half = window_frames // 2
    return max(1, -(-(n_frames - half) // half))


def overlapping_windows(frames: torch.Tensor, window_frames: int) -> torch.Tensor:
    """Return windows [N, T, F] of a song's or dance's frames [n, F], half a window apart.

    Where the frames end before the last window does, the last one is repeated.
    """
    half, count = window_frames // 2, n_windows(len(frames), window_frames)
    chosen = torch.arange(window_frames) + half * torch.arange(count)[:, None]
    return frames[chosen.clamp(max=len(frames) - 1)]


def guidance_ramp(n_steps: int, weight: float) -> list[float]:
    """Return the guidance weight of each step: from 0 to `weight` over the first half, then constant."""
    return np.clip(np.linspace(0.0, 2.0 * weight, n_steps), None, weight).tolist()


@torch.no_grad()
def sample_long(
    model: Denoiser,
    music: Sequence[torch.Tensor],
    generator: torch.Generator,
    config: SamplingConfig = DEFAULT_SAMPLING,
    refine_x0: RefineX0 | None = None,
) -> list[torch.Tensor]:
    """Return each dance's windows [N_i, T, D], scaled, for its windows of music [N_i, T, F].

    All dances are denoised in one batch. After every step but the last, the first half of a window
    becomes the second half of its predecessor. A dance of one window is sampled as `sample` does, at
    constant guidance.
    """
    counts = [len(windows) for windows in music]
    followers = _followers(counts).to(model.device)
    single, all_single = _single(counts).to(model.device), max(counts) == 1
    predict = Predictor(model, torch.cat(list(music)).to(model.device), config.precision, config.compiled)
    x = noise_like_motion(model, sum(counts), generator)
    for step, ramp in zip(config.steps(), guidance_ramp(config.n_steps, config.guidance), strict=True):
        # A number where all windows have the same: a weight of 1 takes half the work.
        alike = ramp == config.guidance or all_single
        guidance = config.guidance if alike else torch.where(single, config.guidance, ramp)[:, None, None]
        noise = noise_like_motion(model, sum(counts), generator)
        x0 = predict(x, step.time, guidance)
        x = ddim_step(x, x0 if refine_x0 is None else refine_x0(x0, step), step, noise=noise).x_next
        if step.time_next >= 0:
            x = _continued(x, followers)
    return list(x.split(counts))


def _followers(counts: list[int]) -> torch.Tensor:
    """Return the indices, in the batch of all windows, of those that continue the one before."""
    starts = np.cumsum([0, *counts[:-1]])
    return torch.tensor([i for i in range(sum(counts)) if i not in set(starts)], dtype=torch.long)


def _single(counts: list[int]) -> torch.Tensor:
    """Return whether each window [sum of counts] is its dance's only one."""
    return torch.tensor([count == 1 for count in counts for _ in range(count)])


def _continued(x: torch.Tensor, followers: torch.Tensor) -> torch.Tensor:
    half = x.shape[1] // 2
    joined = x.clone()
    joined[followers, :half] = x[followers - 1, half:]
    return joined


def stitched(windows: torch.Tensor, layout: MotionLayout) -> DanceBatch:
    """Return one dance, a batch of 1, of motion vectors [N, T, D] (in metres) that overlap by half.

    Over an overlap the translation and contacts are blended linearly, the rotations by slerp.
    """
    rotmat = rot6d_to_rotmat(windows[..., layout.rot6d].unflatten(-1, (N_JOINTS, 6)))
    poses = roma.rotmat_to_rotvec(joined(rotmat, slerp))
    translation = joined(windows[..., layout.translation], torch.lerp)
    contacts = joined(windows[..., layout.contacts], torch.lerp)
    return DanceBatch(poses[None], translation[None], contacts[None])


def stitch(windows: torch.Tensor, layout: MotionLayout, n_frames: int | None = None) -> Motion:
    """Return `stitched` as a motion, cut to n_frames."""
    motion = stitched(windows, layout).motions()[0]
    return motion.slice(0, n_frames or len(motion))
