"""Controls: changes that look like damages and that any body can perform. A verdict must leave them alone."""

from dataclasses import replace

import numpy as np
import roma
import torch

from pretrain.damage.joint_damage import at_frames
from pretrain.damage.onset import envelope, generator_for, raised
from pretrain.damage.whole_body import GRAVITY, impossible_lean, parabola
from skeleton2stage.motion import skeleton
from skeleton2stage.motion.motion import Motion

TURN_DEG, LEAN_DEG, HOP_M, TEMPO = 25.0, 2.0, 0.05, 0.2


def whole_mirrored(motion: Motion, seed: int) -> Motion:
    """Mirror the whole motion, as `mirrored_feet` does the legs alone."""
    generator_for(motion, seed)
    return motion.mirrored()


def whole_turned(motion: Motion, seed: int) -> Motion:
    """Turn the whole motion about the vertical by a random angle."""
    angle = generator_for(motion, seed).uniform(0.5, 2.0 * np.pi - 0.5)
    turn = roma.rotvec_to_rotmat(torch.tensor([0.0, 0.0, angle]).double())
    poses = motion.poses.copy()
    own = roma.rotvec_to_rotmat(torch.from_numpy(motion.poses[:, 0]).double())
    poses[:, 0] = roma.rotmat_to_rotvec(turn @ own).numpy()
    return replace(motion, poses=poses, translation=motion.translation @ turn.numpy().T, contacts=None)


def whole_moved(motion: Motion, seed: int) -> Motion:
    """Move the whole motion by up to 3 m over the floor, as `teleport` does from some frame on."""
    offset = generator_for(motion, seed).uniform(-3.0, 3.0, 3) * [1.0, 1.0, 0.0]
    return replace(motion.shifted(offset), contacts=None)


def head_turned(motion: Motion, seed: int) -> Motion:
    """Turn the head by 25 degrees to the side for a second, away from where it is turned already."""
    generator = generator_for(motion, seed)
    amount = envelope(motion, generator, 1.0, 0.3)
    head = skeleton.joint_index("head")
    own = roma.rotvec_to_rotmat(torch.from_numpy(motion.poses[:, head]).double())
    side = -np.sign(motion.poses[:, head, 1].mean()) or 1.0
    turn = np.radians(TURN_DEG) * side * amount[:, None] * [0.0, 1.0, 0.0]
    poses = motion.poses.copy()
    poses[:, head] = roma.rotmat_to_rotvec(own @ roma.rotvec_to_rotmat(torch.from_numpy(turn))).numpy()
    return replace(motion, poses=poses, contacts=None)


def slight_lean(motion: Motion, seed: int) -> Motion:
    """Lean as `impossible_lean` does, by 2 degrees: the centre of mass moves by 4 cm."""
    return impossible_lean(motion, seed, LEAN_DEG)


def low_hop(motion: Motion, seed: int) -> Motion:
    """Hop 5 cm high, under the earth's own gravity, as `impossible_jump` does not."""
    return raised(motion, parabola(motion, generator_for(motion, seed), HOP_M, GRAVITY))


def swaying_tempo(motion: Motion, seed: int) -> Motion:
    """Run a fifth faster in one half of the motion and slower in the other, as `time_warp` rushes."""
    generator = generator_for(motion, seed)
    total = len(motion) - 1
    phase = np.arange(len(motion)) / total
    sign = (-1.0, 1.0)[generator.integers(2)]
    # The rate 1 ± 0.2 sin, summed up: it ends where it ended.
    frames = total * (phase + sign * TEMPO * (1.0 - np.cos(2.0 * np.pi * phase)) / (2.0 * np.pi))
    return at_frames(motion, frames.clip(0.0, total))
