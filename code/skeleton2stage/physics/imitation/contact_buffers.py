"""How much room for contacts a data set needs in engines that allocate it beforehand."""

import mujoco
import numpy as np
import torch

from skeleton2stage.physics.humanoid.humanoid import Humanoid
from skeleton2stage.physics.imitation.reference_motions import ReferenceFrames
from skeleton2stage.physics.simulators.engine_layout import engine_layout
from skeleton2stage.physics.simulators.simulator_options import BufferSizes

# A fallen dancer touches the floor with more than its feet. CMU's dances come to 32 contacts in their worst frame;
# limp falls from 64 of their frames came to 26, so this is twice what was ever seen.
FALL_FACTOR = 2.0
MAX_PROBED_FRAMES = 512
_MULTIPLE = 32


def probe_buffers(humanoid: Humanoid, frames: ReferenceFrames, fall_factor: float = FALL_FACTOR) -> BufferSizes:
    """Return the room that worlds need which perform these frames: the most contacts and constraint rows that
    plain MuJoCo finds in up to 512 of them, evenly chosen, times a factor for falls; never less than the default,
    which has room for falls from ordinary poses.
    """
    chosen = torch.linspace(0, len(frames.pos_w) - 1, min(len(frames.pos_w), MAX_PROBED_FRAMES)).round().long()
    counts = np.array([_contacts(humanoid.model, qpos) for qpos in _positions(humanoid, frames[chosen])])
    contacts, constraints = (_rounded_up(fall_factor * most) for most in counts.max(axis=0))
    return BufferSizes(contacts, constraints).at_least(BufferSizes())


def _contacts(model: mujoco.MjModel, qpos: np.ndarray) -> tuple[int, int]:
    """Return the numbers of contacts and of constraint rows of a world in a pose."""
    data = mujoco.MjData(model)
    data.qpos = qpos
    mujoco.mj_fwdPosition(model, data)
    return data.ncon, data.nefc


def _positions(humanoid: Humanoid, frames: ReferenceFrames) -> np.ndarray:
    qpos = np.empty((len(frames.pos_w), humanoid.model.nq))
    qpos[:, :3] = frames.pos_w[:, 0].cpu().numpy()
    qpos[:, engine_layout(humanoid).quat_columns] = frames.quat_local.cpu().numpy()
    return qpos


def _rounded_up(count: float) -> int:
    return int(np.ceil(count / _MULTIPLE)) * _MULTIPLE
