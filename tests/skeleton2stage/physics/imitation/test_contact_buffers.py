import dataclasses

import mujoco
import numpy as np
import pytest
import torch

from skeleton2stage.motion import skeleton
from skeleton2stage.motion.motion import Motion
from skeleton2stage.physics.imitation import contact_buffers
from skeleton2stage.physics.imitation.contact_buffers import probe_buffers
from skeleton2stage.physics.imitation.reference_motions import reference_frames
from skeleton2stage.physics.simulators.simulator_options import BufferSizes


@pytest.fixture(scope="module")
def crumpled(humanoid):
    """Frames of limbs bent through each other, half in the floor, more and more of it."""
    poses = 1.2 * np.random.default_rng(0).normal(size=(1, 24, 3)) * np.linspace(0, 1, 40)[:, None, None]
    frames = reference_frames(Motion(poses.astype(np.float32), np.zeros((40, 3), np.float32)), humanoid, None)
    return dataclasses.replace(frames, pos_w=frames.pos_w - torch.tensor([0.0, 0.0, 0.3]))


def test_ordinary_motion_needs_no_more_than_the_default(humanoid, standing):
    assert probe_buffers(humanoid, reference_frames(standing, humanoid, None)) == BufferSizes()


def test_a_motion_of_many_contacts_gets_room_for_all_of_them_and_for_falls(humanoid, crumpled):
    """Without friction cones of other shapes, each contact takes four rows."""
    bare, doubled = probe_buffers(humanoid, crumpled, 8.0), probe_buffers(humanoid, crumpled, 16.0)
    assert bare.contacts_per_world > BufferSizes().contacts_per_world
    assert doubled.contacts_per_world == pytest.approx(2 * bare.contacts_per_world, abs=32)
    assert doubled.constraints_per_world == pytest.approx(4 * doubled.contacts_per_world, rel=0.1)
    assert bare.contacts_per_world % 32 == bare.constraints_per_world % 32 == 0


def test_room_is_twice_what_the_worst_frame_has(humanoid, crumpled):
    """Counted by MuJoCo's own forward pass of every frame, rounded up to the next 32."""
    data = mujoco.MjData(humanoid.model)
    worst = 0
    for frame in range(len(crumpled.pos_w)):
        data.qpos[:3], data.qpos[3:7] = crumpled.pos_w[frame, 0], crumpled.quat_local[frame, 0]
        for joint, name in enumerate(skeleton.joint_names()[1:], start=1):
            address = humanoid.model.joint(name).qposadr[0]
            data.qpos[address : address + 4] = crumpled.quat_local[frame, joint]
        mujoco.mj_forward(humanoid.model, data)
        worst = max(worst, data.ncon)
    found = probe_buffers(humanoid, crumpled)
    expected = BufferSizes(32 * int(np.ceil(2 * worst / 32)), 0).at_least(BufferSizes())
    assert worst > 40 and found.contacts_per_world == expected.contacts_per_world


def test_of_many_frames_the_first_and_the_last_are_among_those_that_are_looked_at(humanoid, crumpled, monkeypatch):
    """The worst frame comes last, and then first."""
    monkeypatch.setattr(contact_buffers, "MAX_PROBED_FRAMES", 3)
    whole = probe_buffers(humanoid, crumpled[torch.tensor([39])], 8.0)
    assert probe_buffers(humanoid, crumpled, 8.0) == whole
    assert probe_buffers(humanoid, crumpled[torch.arange(39, -1, -1)], 8.0) == whole
