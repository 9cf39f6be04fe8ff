"""Seconds to score N five-second dances, policy and reward included, against the bare engine's own time.

python benchmarks/scoring.py [simulator=mujoco] [dances=32] [rounds=3] [threads=1] [policy=FILE]

Dances are windows of data/cmu_dance repeated, or the shipped model's own where those are absent. The
bare engine takes the same number of steps in as many worlds, from the dances' first frames, its springs
holding these: nothing is observed, decided, or compared. Prints JSON; on cores that others use too, CPU
seconds say more than seconds.
"""

import json
import os
import platform
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import mujoco
import mujoco.rollout
import numpy as np
import torch

from pretrain.data import WINDOW_FRAMES, load_clips
from skeleton2stage import paths
from skeleton2stage.config import read_options
from skeleton2stage.errors import UserError, run_main
from skeleton2stage.motion.motion import Motion
from skeleton2stage.physics.humanoid.humanoid import PHYSICS_HZ, Humanoid
from skeleton2stage.physics.humanoid.load_humanoid import load_humanoid
from skeleton2stage.physics.imitation.reference_motions import ReferenceFrames, reference_motions
from skeleton2stage.physics.quaternions import quat_to_rotvec
from skeleton2stage.physics.score.dance_scorer import DanceScorer
from skeleton2stage.physics.score.make_scorer import make_scorer
from skeleton2stage.physics.simulators.engine_layout import engine_layout
from skeleton2stage.physics.simulators.make_simulator import make_simulator
from skeleton2stage.physics.simulators.simulator import CONTROL_HZ

SUBSTEPS = round(PHYSICS_HZ / CONTROL_HZ)
CONTROL_STEPS = WINDOW_FRAMES - 1


@dataclass(frozen=True)
class Options:
    """What is measured, from the command line."""

    simulator: str = "mujoco"
    dances: int = 32
    rounds: int = 3
    threads: int = 1
    policy: str = "checkpoints/demo/imitation_policy.safetensors"


def windows(n: int) -> tuple[str, list[Motion]]:
    """Return where n five-second dances come from, and them: as many different ones as there are, repeated."""
    folder = paths.prepared_data() / "cmu_dance"
    if folder.is_dir():
        source, found = "data/cmu_dance", list(load_clips(folder, ()).training.windows().values())
    else:
        source, found = "checkpoints/demo/dance_model", sampled_dances()
    return source, [found[index % len(found)] for index in range(n)]


def sampled_dances() -> list[Motion]:
    """Return the shipped dance model's dances to the shipped tracks."""
    from dance_model.dance_music import music_sources
    from dance_model.families import load
    from dance_model.sampling.dances import dance

    policy = load(paths.demo_checkpoints() / "dance_model.safetensors")
    tracks = music_sources(paths.demo_checkpoints() / "tracks_held_out.json", WINDOW_FRAMES / CONTROL_HZ)
    return dance(policy, [track.read() for track in tracks], seed=0)


def first_states(frames: ReferenceFrames, humanoid: Humanoid) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return qpos, qvel and ctrl of worlds [W] that stand in frames and whose springs hold them there."""
    layout, model, n = engine_layout(humanoid), humanoid.model, len(frames.pos_w)
    qpos, qvel, ctrl = np.zeros((n, model.nq)), np.zeros((n, model.nv)), np.zeros((n, model.nu))
    qpos[:, :3], qvel[:, :3] = frames.pos_w[:, 0], frames.root_lin_vel_w
    qpos[:, layout.quat_columns] = frames.quat_local
    qvel[:, layout.vel_columns] = frames.ang_vel_local
    ctrl[:, layout.ctrl_columns] = quat_to_rotvec(frames.quat_local[:, 1:]).flatten(1)
    return qpos, qvel, ctrl


def bare_mujoco(humanoid: Humanoid, frames: ReferenceFrames) -> float:
    """Return the seconds that mujoco.rollout takes on all cores."""
    model, data = humanoid.model, mujoco.MjData(humanoid.model)
    qpos, qvel, ctrl = first_states(frames, humanoid)
    kind, initial = mujoco.mjtState.mjSTATE_FULLPHYSICS, []
    for world in range(len(qpos)):
        data.qpos, data.qvel = qpos[world], qvel[world]
        initial.append(np.empty(mujoco.mj_stateSize(model, kind)))
        mujoco.mj_getState(model, data, initial[-1], kind)
    n_steps = SUBSTEPS * CONTROL_STEPS
    controls = np.repeat(ctrl[:, None], n_steps, axis=1)
    datas = [mujoco.MjData(model) for _ in range(_cores())]
    begun = time.perf_counter()
    mujoco.rollout.rollout(model, datas, np.array(initial), controls)
    return time.perf_counter() - begun


def bare_mujoco_warp(humanoid: Humanoid, frames: ReferenceFrames) -> float:
    """Return the seconds that the engine takes to replay its recorded steps on the GPU."""
    engine = make_simulator("mujoco_warp", humanoid, len(frames.pos_w)).engine
    values = [torch.as_tensor(v, dtype=torch.float32, device=engine.device) for v in first_states(frames, humanoid)]
    for array, value in zip((engine.qpos, engine.qvel, engine.ctrl), values, strict=True):
        array.copy_(value)
    torch.cuda.synchronize()
    begun = time.perf_counter()
    for _ in range(CONTROL_STEPS):
        engine.step()
    torch.cuda.synchronize()
    return time.perf_counter() - begun


BARE = {"mujoco": bare_mujoco, "mujoco_warp": bare_mujoco_warp}


def main(arguments: list[str]) -> None:
    options = read_options(arguments, Options)
    if options.simulator not in BARE:
        raise UserError(f"simulator={options.simulator} cannot be measured: choose {' or '.join(BARE)}")
    torch.set_num_threads(options.threads)
    source, motions = windows(options.dances)
    humanoid = load_humanoid()
    policy = Path(options.policy)
    scorer = make_scorer(policy, options.simulator, max_worlds=options.dances)
    begun = time.perf_counter()
    scores = scorer.score(motions)
    warm_up_s = time.perf_counter() - begun
    device = "cuda" if options.simulator == "mujoco_warp" else "cpu"
    rounds = [measure(scorer, humanoid, motions, options.simulator, device) for _ in range(options.rounds)]
    medians = {name: float(np.median([figures[name] for figures in rounds])) for name in rounds[0]}
    print(json.dumps({
        "simulator": options.simulator,
        "machine": torch.cuda.get_device_name() if device == "cuda" else f"{platform.machine()}, {_cores()} cores",
        "dances": options.dances,
        "dances_from": source,
        "frames_each": WINDOW_FRAMES,
        "first_scoring_s": round(warm_up_s, 2),
        **{name: round(value, 3) for name, value in medians.items()},
        "dances_per_s": round(options.dances / medians["scoring_s"], 1),
        "rounds": [{name: round(value, 3) for name, value in figures.items()} for figures in rounds],
        "imitation": round(float(scores.imitation.mean()), 4),
        "success": round(float(scores.success.float().mean()), 4),
    }, indent=1))


def measure(
    scorer: DanceScorer, humanoid: Humanoid, motions: list[Motion], simulator: str, device: str
) -> dict[str, float]:
    """Return the seconds of one round: scoring, the part of it that prepares references, and the bare engine."""
    cpu = time.process_time()
    scoring_s = _timed(lambda: scorer.score(motions), device)
    cpu_s = time.process_time() - cpu
    preparing_s = _timed(lambda: reference_motions(motions, humanoid, device=device), device)
    references = reference_motions(motions, humanoid)
    cpu = time.process_time()
    bare_s = BARE[simulator](humanoid, references.frames[references.start])
    return {
        "scoring_s": scoring_s,
        "scoring_cpu_s": cpu_s,
        "of_it_preparing_references_s": preparing_s,
        "bare_engine_s": bare_s,
        "bare_engine_cpu_s": time.process_time() - cpu,
        "scoring_over_bare": scoring_s / bare_s,
    }


def _timed(work: Callable[[], object], device: str) -> float:
    begun = time.perf_counter()
    work()
    if device == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - begun


def _cores() -> int:
    return len(os.sched_getaffinity(0))


if __name__ == "__main__":
    run_main(main)
