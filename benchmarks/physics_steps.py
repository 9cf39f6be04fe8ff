"""Physics steps a second: batched worlds with the policy in the loop, against bare rollouts of the same model.

python benchmarks/physics_steps.py [WORLDS=256] [CONTROL_STEPS=60]
"""

import sys
import time

import mujoco
import mujoco.rollout
import numpy as np
import torch

from skeleton2stage import paths
from skeleton2stage.motion.motion import Motion
from skeleton2stage.physics.factory import load_humanoid, make_simulator
from skeleton2stage.physics.humanoid import PHYSICS_HZ
from skeleton2stage.physics.imitation import ImitationTask
from skeleton2stage.physics.policy import ImitationPolicy
from skeleton2stage.physics.reference import reference_motions
from skeleton2stage.physics.simulator import CONTROL_HZ

SUBSTEPS = round(PHYSICS_HZ / CONTROL_HZ)
ROUNDS = 3


def standing(n_frames: int) -> Motion:
    """Return a dancer that sways its arms: the same work for both, without needing any data."""
    poses = np.zeros((n_frames, 24, 3), dtype=np.float32)
    poses[:, 0, 0] = np.pi / 2
    poses[:, 16, 2], poses[:, 17, 2] = -1.1, 1.1
    poses[:, 18, 1] = -0.8 * np.sin(np.arange(n_frames) / 8)
    return Motion(poses, np.tile(np.array([0, 0, 1], dtype=np.float32), (n_frames, 1)))


def with_policy(task: ImitationTask, policy: ImitationPolicy, control_steps: int) -> float:
    """Return physics steps a second of observing, acting, stepping and scoring."""
    worlds = torch.arange(task.simulator.n_worlds)
    task.reset(worlds, torch.zeros_like(worlds), torch.zeros_like(worlds))
    begun = time.perf_counter()
    with torch.inference_mode():
        for _ in range(control_steps):
            task.step(policy(task.observe()))
    return SUBSTEPS * control_steps * len(worlds) / (time.perf_counter() - begun)


def bare(model: mujoco.MjModel, task: ImitationTask, n_threads: int, control_steps: int) -> float:
    """Return physics steps a second of mujoco.rollout from the same states, holding the same pose."""
    worlds = task.simulator.n_worlds
    frame = task.references.frames[torch.zeros(1, dtype=torch.long)]
    data = mujoco.MjData(model)
    data.qpos[:3] = frame.pos_w[0, 0].numpy()
    data.qpos[3:7] = frame.quat_w[0, 0].numpy()
    initial = np.empty(mujoco.mj_stateSize(model, mujoco.mjtState.mjSTATE_FULLPHYSICS))
    mujoco.mj_getState(model, data, initial, mujoco.mjtState.mjSTATE_FULLPHYSICS)
    datas = [mujoco.MjData(model) for _ in range(n_threads)]
    begun = time.perf_counter()
    mujoco.rollout.rollout([model] * worlds, datas, np.tile(initial, (worlds, 1)), nstep=SUBSTEPS * control_steps)
    return SUBSTEPS * control_steps * worlds / (time.perf_counter() - begun)


def main(worlds: int = 256, control_steps: int = 60) -> None:
    torch.set_num_threads(1)
    humanoid = load_humanoid()
    simulator = make_simulator("mujoco", humanoid, worlds)
    policy = ImitationPolicy.load(paths.demo_checkpoints() / "imitation_policy.safetensors")
    task = ImitationTask(simulator, reference_motions([standing(control_steps + 1)], humanoid))
    ratios = []
    for _ in range(ROUNDS):
        ours = with_policy(task, policy, control_steps)
        ceiling = bare(humanoid.model, task, simulator.n_threads, control_steps)
        ratios.append(ours / ceiling)
        print(f"with policy {ours:,.0f} physics steps/s, bare mujoco.rollout {ceiling:,.0f}, ratio {ratios[-1]:.2f}")
    print(f"{worlds} worlds, {simulator.n_threads} threads: median ratio {np.median(ratios):.2f}")


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
