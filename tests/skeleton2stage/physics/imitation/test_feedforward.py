import numpy as np
import pytest
import torch

from skeleton2stage.motion import skeleton
from skeleton2stage.motion.motion import Motion
from skeleton2stage.physics.humanoid.humanoid import TOTAL_MASS_KG, gains
from skeleton2stage.physics.imitation.feedforward import CONTACT_HEIGHT_M, MAX_OFFSET_RAD, RIDGE, ground_forces
from skeleton2stage.physics.imitation.reference_motions import reference_frames

WEIGHT_N = 9.81 * TOTAL_MASS_KG


def test_the_ground_carries_the_weight_between_two_feet():
    """Points under the pelvis to its left and right each carry half; none of it is sideways."""
    arms = torch.tensor([[[0.1, 0.0, -0.9], [-0.1, 0.0, -0.9], [0.1, 0.2, -0.9], [-0.1, -0.2, -0.9]]])
    forces = ground_forces(arms, torch.zeros(1, 4), torch.tensor([[0.0, 0.0, WEIGHT_N]]), torch.zeros(1, 3))
    torch.testing.assert_close(forces.sum(dim=1), torch.tensor([[0.0, 0.0, WEIGHT_N]]), atol=0.1, rtol=5e-3)
    assert forces[0, :2, 2].sum() == pytest.approx(WEIGHT_N / 2, rel=0.2)


def test_a_foot_in_the_air_carries_nothing():
    arms = torch.tensor([[[0.1, 0.1, -0.9], [0.1, -0.1, -0.9], [-0.1, 0.1, -0.5], [-0.1, -0.1, -0.5]]])
    heights = torch.tensor([[0.0, 0.0, 0.4, 0.4]])
    forces = ground_forces(arms, heights, torch.tensor([[0.0, 0.0, WEIGHT_N]]), torch.zeros(1, 3))
    assert forces[0, 2:].abs().max() < 1.0


def test_in_flight_no_force_is_made_up():
    forces = ground_forces(
        torch.randn(1, 4, 3), torch.full((1, 4), 0.5), torch.tensor([[0.0, 0.0, WEIGHT_N]]), torch.zeros(1, 3)
    )
    assert forces.abs().max() < 1.0


def test_the_ground_gives_the_least_forces_that_carry_the_wrench():
    """The published answer of weighted ridge least squares, W A^T (A W A^T + ridge)^-1 wrench, written out whole."""
    generator = torch.Generator().manual_seed(0)
    arms = torch.randn(5, 8, 3, generator=generator, dtype=torch.float64) * 0.3
    heights = 0.03 * torch.rand(5, 8, generator=generator, dtype=torch.float64)
    force, torque = (300.0 * torch.randn(5, 3, generator=generator, dtype=torch.float64) for _ in range(2))
    ours = ground_forces(arms, heights, force, torque)
    for frame in range(5):
        columns = [torch.cat((torch.eye(3).double(), _cross_matrix(arm))) for arm in arms[frame]]
        arrangement = torch.cat(columns, dim=1)
        weight = torch.exp(-heights[frame] / CONTACT_HEIGHT_M).repeat_interleave(3).diag()
        gram = arrangement @ weight @ arrangement.T + RIDGE * torch.eye(6).double()
        wanted = torch.cat((force[frame], torque[frame]))
        expected = weight @ arrangement.T @ torch.linalg.solve(gram, wanted)
        torch.testing.assert_close(ours[frame].flatten(), expected)


def _cross_matrix(arm: torch.Tensor) -> torch.Tensor:
    return torch.linalg.cross(arm.expand(3, 3), torch.eye(3).double()).T


def test_standing_needs_little_and_a_raised_arm_its_weight(humanoid):
    """The shoulder of a stretched arm holds the arm's weight at its lever; the wrist that of the hand."""
    poses = np.zeros((10, 24, 3), dtype=np.float32)
    poses[:, 0, 0] = np.pi / 2
    frames = reference_frames(Motion(poses, np.zeros((10, 3), dtype=np.float32)), humanoid, None)
    model = humanoid.model
    names = skeleton.joint_names()
    shoulder = names.index("left_shoulder")
    arm = [names.index(f"left_{part}") for part in ("shoulder", "elbow", "wrist", "hand")]
    mass = np.array([model.body(names[j]).mass[0] for j in arm])
    centre = np.array([humanoid.rest_joints[j] + model.body(names[j]).ipos for j in arm])
    torque = 9.81 * (mass * (centre[:, 0] - humanoid.rest_joints[shoulder, 0])).sum()
    expected = torque / gains("left_shoulder")[0]
    # Gravity bends the arm down about the body's z axis; the offset bends it up as much.
    assert frames.feedforward[5, shoulder - 1, 2].item() == pytest.approx(expected, rel=0.02)
    knees = frames.feedforward[5, [names.index("left_knee") - 1, names.index("right_knee") - 1]]
    assert knees.norm(dim=-1).max() < 0.3


def test_offsets_are_bounded(humanoid):
    """A motion no body could make asks for the largest offset, not for an absurd one."""
    poses = np.zeros((10, 24, 3), dtype=np.float32)
    poses[::2, 16] = 2.0
    frames = reference_frames(Motion(poses, np.zeros((10, 3), dtype=np.float32)), humanoid, None)
    assert frames.feedforward.abs().max() <= MAX_OFFSET_RAD
    assert torch.isfinite(frames.feedforward).all()
