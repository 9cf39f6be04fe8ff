import dataclasses

import numpy as np
import pytest
import torch

from skeleton2stage.motion.motion import Motion
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
