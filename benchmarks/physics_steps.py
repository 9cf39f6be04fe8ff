"""Physics steps a second: batched worlds with the policy in the loop, against the bare engine on the same model.

python benchmarks/physics_steps.py [WORLDS=256] [CONTROL_STEPS=60]
    on the CPU: simulator mujoco with the demo policy, against mujoco.rollout
python benchmarks/physics_steps.py backend=mujoco_warp [WORLDS,WORLDS,...] [CONTROL_STEPS=60] [device=cuda] [out=FILE]
    on a GPU: simulator mujoco_warp with a network of 1024-1024-512, against the CUDA graph of its substeps alone,
    and the GPU memory that a world takes; `out` gets the figures as JSON
"""

import gc
import time
from pathlib import Path

import mujoco
import mujoco.rollout
import numpy as np
import torch

from skeleton2stage import paths
from skeleton2stage.errors import UserError, run_main
from skeleton2stage.files import write_json
from skeleton2stage.motion.motion import Motion
from skeleton2stage.physics.humanoid.humanoid import PHYSICS_HZ, Humanoid
from skeleton2stage.physics.humanoid.load_humanoid import load_humanoid
from skeleton2stage.physics.imitation.imitation_policy import ImitationPolicy, PolicyConfig
from skeleton2stage.physics.imitation.imitation_task import ACTION_WIDTH, ImitationTask
from skeleton2stage.physics.imitation.reference_motions import reference_motions
from skeleton2stage.physics.simulators.make_simulator import make_simulator
from skeleton2stage.physics.simulators.simulator import CONTROL_HZ
from skeleton2stage.physics.simulators.simulator_options import SimulatorOptions

SUBSTEPS = round(PHYSICS_HZ / CONTROL_HZ)
ROUNDS = 3
GPU_WORLDS = (2048, 4096, 8192, 16384)
HIDDEN = (1024, 1024, 512)


def standing(n_frames: int) -> Motion:
    """Return a dancer that sways its arms: the same work for both, without needing any data."""
    poses = np.zeros((n_frames, 24, 3), dtype=np.float32)
    poses[:, 0, 0] = np.pi / 2
    poses[:, 16, 2], poses[:, 17, 2] = -1.1, 1.1
    poses[:, 18, 1] = -0.8 * np.sin(np.arange(n_frames) / 8)
    return Motion(poses, np.tile(np.array([0, 0, 1], dtype=np.float32), (n_frames, 1)))


def with_policy(task: ImitationTask, policy: ImitationPolicy, control_steps: int) -> float:
    """Return physics steps a second of observing, acting, stepping and scoring."""
    begin(task)
    begun = now_s(task.device)
    with torch.no_grad():
        for _ in range(control_steps):
            task.step(policy(task.observe()))
    return SUBSTEPS * control_steps * task.simulator.n_worlds / (now_s(task.device) - begun)


def begin(task: ImitationTask) -> None:
    """Put all worlds into the first frame of the only clip."""
    worlds = torch.arange(task.simulator.n_worlds, device=task.device)
    task.reset(worlds, torch.zeros_like(worlds), torch.zeros_like(worlds))


def now_s(device: torch.device) -> float:
    """Return the time when the device has done all it was given."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter()


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


def bare_graph(task: ImitationTask, control_steps: int) -> float:
    """Return physics steps a second of mujoco_warp's recorded substeps alone, from the same states."""
    begin(task)
    task.step(torch.zeros(task.simulator.n_worlds, ACTION_WIDTH, device=task.device))  # which leaves its controls
    begun = now_s(task.device)
    for _ in range(control_steps):
        task.simulator.engine.step()
    return SUBSTEPS * control_steps * task.simulator.n_worlds / (now_s(task.device) - begun)


def on_cpu(worlds: int, control_steps: int) -> None:
    """Compare simulator mujoco with mujoco.rollout."""
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


def resting_policy(device: torch.device) -> ImitationPolicy:
    """Return an untrained network of the trained one's size whose last layer is zero: the work, and no flailing."""
    policy = ImitationPolicy(PolicyConfig(HIDDEN)).to(device).eval().requires_grad_(False)
    torch.nn.init.zeros_(policy.network[-1].weight)
    torch.nn.init.zeros_(policy.network[-1].bias)
    return policy


def free_bytes(device: torch.device) -> int:
    """Return the GPU's free memory after giving back what nobody uses; 0 without a GPU."""
    if device.type != "cuda":
        return 0
    gc.collect()
    torch.cuda.synchronize(device)
    torch.cuda.empty_cache()
    return torch.cuda.mem_get_info(device)[0]


def gpu_figures(
    humanoid: Humanoid, worlds: int, control_steps: int, options: SimulatorOptions, free_at_first: int
) -> dict[str, float]:
    """Return the medians of some rounds with that many worlds, and the memory that each takes."""
    simulator = make_simulator("mujoco_warp", humanoid, worlds, options)
    references = reference_motions([standing(control_steps + 2)], humanoid)
    task, policy = ImitationTask(simulator, references, simulator.device), resting_policy(simulator.device)
    with_policy(task, policy, 3)  # a graph takes its memory when it is first replayed
    taken = free_at_first - free_bytes(simulator.device)
    ours = float(np.median([with_policy(task, policy, control_steps) for _ in range(ROUNDS)]))
    diverged = int(simulator.diverged.sum())
    ceiling = float(np.median([bare_graph(task, control_steps) for _ in range(ROUNDS)]))
    simulator.check()
    return {
        "worlds": worlds, "control_steps_per_s": ours / SUBSTEPS, "physics_steps_per_s": ours,
        "bare_physics_steps_per_s": ceiling, "ratio": ours / ceiling, "bytes_per_world": taken / worlds,
        "diverged": diverged,
    }


def on_gpu(worlds: list[int], control_steps: int, device: str, out: Path | None) -> None:
    """Compare simulator mujoco_warp with its engine alone, at several numbers of worlds."""
    torch.set_float32_matmul_precision("high")
    humanoid, options = load_humanoid(), SimulatorOptions(device)
    make_simulator("mujoco_warp", humanoid, 2, options)  # loads the kernels, whose memory is no world's
    free_at_first = free_bytes(torch.device(device))
    rows = []
    for n_worlds in sorted(worlds):  # upwards: what the last ones took is kept and used again
        rows.append(gpu_figures(humanoid, n_worlds, control_steps, options, free_at_first))
        free_bytes(torch.device(device))
        print(
            "{worlds} worlds: {control_steps_per_s:,.0f} control steps/s with policy ({physics_steps_per_s:,.0f} "
            "physics steps/s), bare {bare_physics_steps_per_s:,.0f}, ratio {ratio:.2f}, {bytes_per_world:,.0f} bytes "
            "a world, {diverged} diverged".format(**rows[-1]), flush=True,
        )
        if out is not None:
            write_json(out, {"backend": "mujoco_warp", "device": device, "rows": rows})


def main(arguments: list[str]) -> None:
    named = dict(argument.split("=", 1) for argument in arguments if "=" in argument)
    numbers = [argument for argument in arguments if "=" not in argument]
    unknown = set(named) - {"backend", "device", "out"}
    if unknown or named.get("backend", "mujoco") not in ("mujoco", "mujoco_warp"):
        raise UserError(f"{' '.join(arguments)}: give backend=mujoco or backend=mujoco_warp, device=, out=")
    control_steps = int(numbers[1]) if len(numbers) > 1 else 60
    if named.get("backend") != "mujoco_warp":
        on_cpu(int(numbers[0]) if numbers else 256, control_steps)
        return
    worlds = [int(count) for count in numbers[0].split(",")] if numbers else list(GPU_WORLDS)
    on_gpu(worlds, control_steps, named.get("device", "cuda"), Path(named["out"]) if "out" in named else None)


if __name__ == "__main__":
    run_main(main)
