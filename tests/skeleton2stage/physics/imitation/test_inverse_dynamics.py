import mujoco
import numpy as np
import pytest
import torch

from skeleton2stage.motion import skeleton
from skeleton2stage.motion.motion import Motion
from skeleton2stage.physics.imitation.inverse_dynamics import BodyMotion, Inertias, held_wrench, required_forces
from skeleton2stage.physics.imitation.reference_motions import ReferenceFrames, reference_frames
from skeleton2stage.physics.quaternions import quat_rotate

FPS = 30.0


def smooth_motion(seed: int, n: int = 40) -> Motion:
    """All joints sway at their own rates and phases while the pelvis wanders and turns, some 20 m from the origin."""
    generator = np.random.default_rng(seed)
    time = np.arange(n)[:, None, None] / FPS
    rate, phase = generator.uniform(1.0, 9.0, (24, 3)), generator.uniform(0.0, 6.3, (24, 3))
    poses = generator.uniform(0.2, 0.7, (24, 3)) * np.sin(rate * time + phase)
    poses[:, 0] += (np.pi / 2, 0.0, 0.0)
    wander = 0.4 * np.sin(generator.uniform(1.0, 5.0, 3) * time[:, 0] + generator.uniform(0.0, 6.3, 3))
    return Motion(poses, wander + np.array([20.0, -5.0, 1.0]))


def body_motion(frames: ReferenceFrames) -> BodyMotion:
    def rate(values: torch.Tensor) -> torch.Tensor:
        return torch.from_numpy(np.gradient(values.numpy(), 1.0 / FPS, axis=0))

    return BodyMotion(
        frames.pos_w, frames.quat_w, rate(frames.root_lin_vel_w), frames.ang_vel_local, rate(frames.ang_vel_local)
    )


def engine_forces(humanoid, frames: ReferenceFrames, motion: BodyMotion) -> tuple[np.ndarray, np.ndarray]:
    """Return mj_inverse's force on the pelvis [F, 3] and torques [F, 24, 3] in each body's own frame."""
    model = mujoco.MjModel.from_xml_string(humanoid.xml)
    model.opt.disableflags |= int(mujoco.mjtDisableBit.mjDSBL_CONTACT) | int(mujoco.mjtDisableBit.mjDSBL_ACTUATION)
    data, forces, torques = mujoco.MjData(model), [], []
    joints = [model.joint(name) for name in skeleton.joint_names()]
    for frame in range(len(frames.pos_w)):
        for index, joint in enumerate(joints):
            q, v = joint.qposadr[0] + 3 * (index == 0), joint.dofadr[0] + 3 * (index == 0)
            data.qpos[q : q + 4] = frames.quat_local[frame, index]
            data.qvel[v : v + 3] = motion.ang_vel_local[frame, index]
            data.qacc[v : v + 3] = motion.ang_acc_local[frame, index]
        data.qpos[:3], data.qvel[:3] = frames.pos_w[frame, 0], frames.root_lin_vel_w[frame]
        data.qacc[:3] = motion.root_lin_acc_w[frame]
        mujoco.mj_inverse(model, data)
        forces.append(data.qfrc_inverse[:3].copy())
        starts = [joint.dofadr[0] + 3 * (index == 0) for index, joint in enumerate(joints)]
        torques.append([data.qfrc_inverse[start : start + 3].copy() for start in starts])
    return np.array(forces), np.array(torques)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_it_agrees_with_the_engine(humanoid, seed):
    frames = reference_frames(smooth_motion(seed), humanoid, None)
    motion = body_motion(frames)
    ours = required_forces(motion, Inertias.of(humanoid))
    force_w, torque = engine_forces(humanoid, frames, motion)
    assert np.abs(torque).max() > 50.0  # N·m: the motion asks for something
    np.testing.assert_allclose(ours.root_force_w, force_w, atol=0.02, rtol=1e-4)
    np.testing.assert_allclose(ours.joint_torque, torque[:, 1:], atol=0.01, rtol=1e-4)
    root_torque_w = quat_rotate(frames.quat_w[:, 0], torch.from_numpy(torque[:, 0].astype(np.float32)))
    np.testing.assert_allclose(ours.root_torque_w, root_torque_w, atol=0.02, rtol=1e-4)


def test_inertias_are_the_compiled_models(humanoid):
    inertias = Inertias.of(humanoid)
    assert inertias.mass.sum().item() == pytest.approx(70.0, rel=1e-5)
    torch.testing.assert_close(inertias.inertia_local, inertias.inertia_local.transpose(1, 2))
    expected = torch.as_tensor(humanoid.model.body_inertia[humanoid.body_ids].sum(axis=1), dtype=torch.float32)
    torch.testing.assert_close(inertias.inertia_local.diagonal(dim1=1, dim2=2).sum(dim=1), expected)
    assert inertias.armature[0].abs().max() == 0 and (inertias.armature[1:] == pytest.approx(0.02))


def test_a_joint_passes_on_what_acts_beyond_it():
    """10 N up on the left foot, 1 m to the left of the pelvis: 10 N·m at the pelvis, none elsewhere but its leg."""
    names = skeleton.joint_names()
    foot, knee = names.index("left_foot"), names.index("left_knee")
    arm, force = torch.zeros(1, 24, 3), torch.zeros(1, 24, 3)
    arm[0, [foot, knee], 0] = torch.tensor([1.0, 0.4])
    force[0, foot, 2] = 10.0
    held_force, held_moment = held_wrench(arm, force, torch.linalg.cross(arm, force))
    chain = [0, names.index("left_hip"), knee, names.index("left_ankle"), foot]
    assert held_force[0, :, 2].nonzero().squeeze(-1).tolist() == chain
    assert held_moment[0, [0, knee, foot], 1].tolist() == pytest.approx([-10.0, -6.0, 0.0])


def test_free_fall_needs_nothing(humanoid):
    frames = reference_frames(smooth_motion(0, n=3), humanoid, None)
    nothing = torch.zeros_like(frames.ang_vel_local)
    falling = BodyMotion(frames.pos_w, frames.quat_w, torch.tensor([[0.0, 0.0, -9.81]]).expand(3, 3), nothing, nothing)
    required = required_forces(falling, Inertias.of(humanoid))
    assert required.root_force_w.abs().max() < 1e-3 and required.joint_torque.abs().max() < 1e-3
