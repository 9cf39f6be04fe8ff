"""Fine-tuning by several processes of a CPU, through run.sh as users start it."""

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest
import torch

from dance_model.diffusion_loading import load as load_dance_model
from listening import children, listening, open_to_the_network
from rl_finetune.credit_assignment import GroupCrediting
from rl_finetune.held import HeldQuantities
from rl_finetune.rewards import Dances, RewardContext
from skeleton2stage import paths
from skeleton2stage.metrics.motion_magnitude import mot_mag

SCRIPT = paths.REPOSITORY / "code" / "rl_finetune" / "run.sh"


@pytest.fixture()
def start(tmp_path, tiny_checkpoint, tiny_policy, clicks):
    """A function that starts run.sh: start(epochs, *overrides, processes=2) -> the launcher and the run's folder."""
    song = clicks(tmp_path / "clicks.wav", 12)
    environment = os.environ | {"S2S_RUNS": str(tmp_path / "runs"), "OMP_NUM_THREADS": "1", "WANDB_MODE": "disabled"}

    def run(epochs: int, *overrides: str, processes: int = 2) -> tuple[subprocess.Popen, Path]:
        command = [
            "bash", str(SCRIPT), "several", str(processes), str(epochs), "2", "preset=gpu", "precision=float32",
            f"checkpoint={tiny_checkpoint}", f"policy={tiny_policy}", f"music={song}", "n_steps=4", "trained_steps=2",
            "samples_per_prompt=2", "min_trained_time=0", "direct_epochs=0", "learning_rate=1e-3", "trackers=[]",
            "save_every=1",
            f"rewards={SCRIPT.with_name('reward_paper.yaml')}", "hold={mot_mag: 1.0}", *overrides,
        ]
        process = subprocess.Popen(
            command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=tmp_path,
            start_new_session=True,
        )
        return process, tmp_path / "runs" / "train" / "several"

    return run


def ended(process: subprocess.Popen) -> str:
    output, _ = process.communicate(timeout=240)
    assert process.returncode == 0, output
    return output


def weights(folder: Path, epoch: int) -> dict[str, torch.Tensor]:
    return load_dance_model(folder / "weights" / f"train-{epoch}.safetensors").denoiser.state_dict()


def test_two_processes_train_one_model_and_go_on_as_they_would_have(start):
    """The run checks by itself after every update that both hold the same parameters."""
    process, folder = start(2)
    assert "4 dances a process and epoch, 8 over 2 processes" in ended(process)
    at_once = weights(folder, 2)
    (folder / "state.pt").unlink()
    ended(start(1, "device=cpu")[0])
    ended(start(2, "device=cpu")[0])
    again = weights(folder, 2)
    assert all(torch.equal(at_once[name], again[name]) for name in at_once)
    assert [record["epoch"] for record in json.loads((folder / "epochs.json").read_text())] == [1, 2]


def test_a_killed_process_ends_all(start):
    process, folder = start(1000, processes=4)
    deadline = time.monotonic() + 120
    while not (folder / "epochs.json").exists():
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.2)
    assert listening(process.pid) and not open_to_the_network(process.pid)
    ranks = [pid for pid in children(process.pid) if not children(pid)]
    assert len(ranks) == 4
    os.kill(ranks[-1], signal.SIGKILL)
    process.communicate(timeout=60)
    assert process.returncode != 0
    assert not any(Path(f"/proc/{pid}").exists() for pid in ranks)


def test_advantages_are_among_the_dances_of_all():
    """Two processes, each with half of the dances, come to what one has with all of them."""
    generator = torch.Generator().manual_seed(0)
    poses = 0.3 * torch.randn(4, 1, 24, 3, generator=generator) * torch.sin(torch.arange(20) / 4.0)[:, None, None]
    prompts, reward = torch.tensor([0, 0, 0, 1]), torch.rand(4, 20, generator=generator)

    def dances(chosen: slice) -> Dances:
        return Dances(poses[chosen], torch.zeros(len(poses[chosen]), 20, 3), torch.empty(0), torch.empty(0))

    def credited(chosen: slice, gather) -> torch.Tensor:
        held = HeldQuantities({}, RewardContext(lambda: None))
        crediting = GroupCrediting({"reward": 1.0}, held, "frame", True)
        return crediting(prompts[chosen], dances(chosen), {"reward": reward[chosen]}, gather)[0]

    alone = credited(slice(0, 4), lambda value: value)
    theirs = [prompts[2:], mot_mag(poses[2:]), reward[2:]]  # as the other process gives them, in this order

    def gather(value: torch.Tensor) -> torch.Tensor:
        return torch.cat((value, theirs.pop(0)))

    torch.testing.assert_close(credited(slice(0, 2), gather), alone)
