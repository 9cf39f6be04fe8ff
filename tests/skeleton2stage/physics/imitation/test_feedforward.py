import numpy as np
import pytest
import roma
import torch

from skeleton2stage.motion import skeleton
from skeleton2stage.motion.motion import Motion
from skeleton2stage.physics.humanoid.humanoid import TOTAL_MASS_KG, gains
from skeleton2stage.physics.imitation.feedforward import (
    CONTACT_HEIGHT_M,
    MAX_OFFSET_RAD,
    RIDGE,
    _sole_points,
    _torque_of_forces,
    ground_forces,
)
from skeleton2stage.physics.imitation.inverse_dynamics import BodyMotion
from skeleton2stage.physics.imitation.reference_motions import reference_frames
from skeleton2stage.physics.quaternions import quat_conjugate, quat_rotate

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


def swaying(n: int = 12) -> Motion:
    time = np.arange(n)[:, None] / 30.0
    generator = np.random.default_rng(4)
    poses = np.zeros((n, 24, 3), dtype=np.float32)
    poses[:, 1:] = 0.2 * np.sin(generator.uniform(2, 6, (23, 1)) * time[:, None] + generator.uniform(0, 6, (23, 3)))
    poses[:, 0, 0] = np.pi / 2
    pelvis = np.concatenate((0.3 * time**2, -0.5 * time, np.full((n, 1), 0.95)), axis=1)
    return Motion(poses, pelvis.astype(np.float32))


@pytest.mark.parametrize("turn", [0.0, 2.0])
def test_a_dance_asks_for_the_same_wherever_and_whichever_way_it_is_danced(humanoid, turn):
    motion = swaying()
    about = roma.rotvec_to_rotmat(torch.tensor([0.0, 0.0, turn]))
    poses, pelvis = torch.from_numpy(motion.poses).clone(), torch.from_numpy(motion.translation)
    poses[:, 0] = roma.rotmat_to_rotvec(about @ roma.rotvec_to_rotmat(poses[:, 0]))
    moved = Motion(poses.numpy(), (pelvis @ about.T + torch.tensor([4.0, -3.0, 0.5])).numpy())
    here, there = (reference_frames(each, humanoid, None).feedforward for each in (motion, moved))
    assert here.abs().max() > 0.05
    torch.testing.assert_close(there, here, atol=2e-3, rtol=0)


def test_what_the_ground_does_to_joints_is_newtons_and_eulers(humanoid):
    """Torques with the ground's forces are those without, less each force's moment about every joint above it."""
    frames = reference_frames(swaying(), humanoid, None)
    motion = BodyMotion(
        frames.pos_w, frames.quat_w, torch.zeros_like(frames.root_lin_vel_w), torch.zeros_like(frames.ang_vel_local),
        torch.zeros_like(frames.ang_vel_local),
    )
    arms_w, heights, owners = _sole_points(humanoid, motion)
    assert len(owners) == 32 and arms_w.shape == (12, 32, 3)
    torch.testing.assert_close(heights, (arms_w + motion.pos_w[:, :1])[..., 2])
    forces_w = torch.randn(12, 32, 3, generator=torch.Generator().manual_seed(0))
    found = _torque_of_forces(forces_w, arms_w, owners, motion)
    points_w = arms_w + motion.pos_w[:, :1]
    for joint in (1, 2, 4, 5, 7, 8, 10, 12, 16):
        below = [place for place, owner in enumerate(owners) if joint in ancestors(owner)]
        levers = points_w[:, below] - motion.pos_w[:, joint, None]
        moment_w = torch.linalg.cross(levers, forces_w[:, below]).sum(dim=1)
        expected = quat_rotate(quat_conjugate(motion.quat_w[:, joint]), moment_w)
        torch.testing.assert_close(found[:, joint - 1], expected, atol=1e-4, rtol=1e-4)


def ancestors(joint: int) -> list[int]:
    chain = [joint]
    while chain[-1] > 0:
        chain.append(skeleton.parents()[chain[-1]])
    return chain


def test_offsets_are_bounded(humanoid):
    """A motion no body could make asks for the largest offset, not for an absurd one."""
    poses = np.zeros((10, 24, 3), dtype=np.float32)
    poses[::2, 16] = 2.0
    frames = reference_frames(Motion(poses, np.zeros((10, 3), dtype=np.float32)), humanoid, None)
    assert frames.feedforward.abs().max() <= MAX_OFFSET_RAD
    assert torch.isfinite(frames.feedforward).all()
