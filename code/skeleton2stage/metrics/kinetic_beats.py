"""Beat alignment of many dances at once, frame by frame, in torch; equal to `music.beats` and `beat_alignment`.

Marks are boolean: [..., T] a music beat in a frame at 30 a second, [..., 2T-1] a kinetic beat at 60. Frame t of a
dance is frame 2t at 60.
"""

import torch
from torch.nn.functional import conv1d

from skeleton2stage.metrics.beat_alignment import SIGMA_FRAMES
from skeleton2stage.metrics.measured_clip import check_joints

SPEED_SIGMA_FRAMES = 5.0
_RADIUS_FRAMES = 20  # four deviations, as scipy cuts a Gaussian
_FAR = 1_000_000  # frames: further than any beat


def kinetic_speed(joints_w: torch.Tensor) -> torch.Tensor:
    """Return the smoothed mean joint speed at 60 fps, [..., 2T-1] float64 m a frame, of [..., T, 24, 3] m at 30.

    Frames are repeated, so that every other step is zero, then smoothed by a Gaussian of sigma 5 frames.
    """
    check_joints(joints_w, min_frames=1)
    joints = joints_w.double()
    step = (joints[..., 1:, :, :] - joints[..., :-1, :, :]).norm(dim=-1).mean(dim=-1)
    speed = step.new_zeros(*step.shape[:-1], 2 * joints.shape[-3] - 1)
    speed[..., 1::2] = step
    offsets = torch.arange(-_RADIUS_FRAMES, _RADIUS_FRAMES + 1, device=speed.device, dtype=speed.dtype)
    kernel = torch.exp(-0.5 * (offsets / SPEED_SIGMA_FRAMES).square())
    kernel = kernel / kernel.sum()
    longer = _mirrored(speed)
    return conv1d(longer.reshape(-1, 1, longer.shape[-1]), kernel[None, None]).view(speed.shape)


def kinetic_beats(joints_w: torch.Tensor) -> torch.Tensor:
    """Return where dances have beats, [..., 2T-1] bool at 60 fps: the strict minima of `kinetic_speed`."""
    speed = kinetic_speed(joints_w)
    inner = speed[..., 1:-1]
    beats = torch.zeros_like(speed, dtype=torch.bool)
    beats[..., 1:-1] = (inner < speed[..., :-2]) & (inner < speed[..., 2:])
    return beats


def beat_scores(joints_w: torch.Tensor) -> torch.Tensor:
    """Return how near each frame is to a kinetic beat, [..., T] float64 in [0, 1], of joints [..., T, 24, 3] m.

    exp(-d^2 / (2 sigma^2)), d in frames at 60 fps to the nearest, sigma = 3; 0 in a dance without beats.
    """
    marks = kinetic_beats(joints_w)
    before, after = _neighbours(marks)
    position = torch.arange(marks.shape[-1], device=marks.device)
    distance = torch.minimum(position - before, after - position)[..., ::2].double()
    return torch.exp(-distance.square() / (2.0 * SIGMA_FRAMES**2))


def beat_alignment_frames(music_beats: torch.Tensor, joints_w: torch.Tensor) -> torch.Tensor:
    """Return the score of each frame's nearest music beat, [..., T] in [0, 1], the earlier of two as near.

    music_beats: [..., T] bool. Music without beats gives 0 everywhere.
    """
    scores = beat_scores(joints_w)
    before, after = _neighbours(music_beats)
    frame = torch.arange(music_beats.shape[-1], device=music_beats.device)
    nearest = torch.where(frame - before <= after - frame, before, after).clamp(0, len(frame) - 1)
    return scores.gather(-1, nearest) * music_beats.any(dim=-1, keepdim=True)


def batched_bas(music_beats: torch.Tensor, joints_w: torch.Tensor) -> torch.Tensor:
    """Return `beat_alignment.bas` of dances, [...] in [0, 1]; NaN where the music has no beat.

    music_beats: [..., T] bool. joints_w: [..., T, 24, 3] m. The mean over music beats of their scores.
    """
    return (beat_scores(joints_w) * music_beats).sum(dim=-1) / music_beats.sum(dim=-1)


def _mirrored(values: torch.Tensor) -> torch.Tensor:
    """Return values [..., L] continued by 20 on both sides, mirrored about their ends as scipy does, however short."""
    length = values.shape[-1]
    index = torch.arange(-_RADIUS_FRAMES, length + _RADIUS_FRAMES, device=values.device) % (2 * length)
    return values.index_select(-1, torch.minimum(index, 2 * length - 1 - index))


def _neighbours(marks: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the index of the nearest mark at or before and at or after each of [..., L], far off where none is."""
    position = torch.arange(marks.shape[-1], device=marks.device)
    before = torch.where(marks, position, -_FAR).cummax(dim=-1).values
    after = torch.where(marks, position, _FAR).flip(-1).cummin(dim=-1).values.flip(-1)
    return before, after
