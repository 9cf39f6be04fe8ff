"""A reward for moving to the beat of the music."""

import torch

from rl_finetune.rewards.reward import Dances, Reward, register
from skeleton2stage.metrics.kinetic_beats import beat_alignment_frames


@register("beat")
class BeatReward(Reward):
    """How near a beat of the movement is to each frame's nearest beat of the music, as beat alignment scores it.

    Beats are read from the music features: kinds baseline and song_beats have them. Music without beats gives no
    signal, 0 everywhere.
    """

    def __call__(self, dances: Dances) -> torch.Tensor:
        """Return one value a frame, [N, T], from 0 to 1; raise UserError for music features without beats."""
        return beat_alignment_frames(dances.beats, dances.joints_w).to(dances.poses.dtype)
