"""How long an iteration of fine-tuning takes, by phase, and how much GPU memory it needs.

python benchmarks/finetune_iteration.py [size=paper] [dances=2048] [epochs=4] [any setting of run.sh]

size: paper (EDGE's 47 M parameters, random weights, which cost the same), or shipped. Sixteen dances a prompt, the
shipped tracks, rewards and policy, preset gpu. The first iteration compiles and records, and is left out. Prints JSON:
medians over the others, in seconds, and the largest GPU memory that torch held, in GB. With several processes run it
through `accelerate launch --num_processes N`, and dances are those of all.
"""

import json
import os
import statistics
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import torch

from dance_model.diffusion_loading import load
from dance_model.edge.edge_denoiser import DanceDecoder, DenoiserConfig
from rl_finetune import finetune
from skeleton2stage import paths
from skeleton2stage.errors import UserError, run_main
from skeleton2stage.files import read_json
from skeleton2stage.music.kinds import BASELINE

SAMPLES_PER_PROMPT = 16
OWN_KEYS = {"size": "paper", "dances": "2048", "epochs": "4"}


def checkpoint(size: str, folder: Path) -> Path:
    """Return the checkpoint of a size, `paper` with random weights."""
    shipped = paths.demo_checkpoints() / "dance_model.safetensors"
    if size == "shipped":
        return shipped
    if size != "paper":
        raise UserError(f"unknown size '{size}': choose paper or shipped")
    like = load(shipped)
    torch.manual_seed(0)
    denoiser = DanceDecoder(DenoiserConfig())
    path = folder / "paper.safetensors"
    replace(like, denoiser=denoiser, scaler=replace(like.scaler, bound=1.0), music=BASELINE).save(path)
    return path


def main(arguments: list[str]) -> None:
    given = dict(argument.split("=", 1) for argument in arguments)
    own = {key: given.pop(key, default) for key, default in OWN_KEYS.items()}
    processes, rank = int(os.environ.get("WORLD_SIZE", "1")), int(os.environ.get("RANK", "0"))
    folder = Path(tempfile.gettempdir()) / f"finetune_iteration_{os.environ.get('MASTER_PORT', os.getpid())}"
    (folder / str(rank)).mkdir(parents=True, exist_ok=True)
    os.environ["S2S_RUNS"] = str(folder)
    finetune.main([
        "preset=gpu", "name=benchmark", f"epochs={own['epochs']}", "save_every=1000", "trackers=[]",
        f"checkpoint={checkpoint(own['size'], folder / str(rank))}", f"samples_per_prompt={SAMPLES_PER_PROMPT}",
        f"batch_size={int(own['dances']) // (SAMPLES_PER_PROMPT * processes)}",
        *(f"{key}={value}" for key, value in given.items()),
    ])
    if rank:
        return
    epochs = read_json(folder / "train" / "benchmark" / "epochs.json")[1:]
    phases = {key: statistics.median(epoch[key] for epoch in epochs) for key in epochs[0] if key.startswith("seconds")}
    on_gpu = torch.cuda.is_available()
    print(json.dumps({
        "machine": torch.cuda.get_device_name() if on_gpu else "cpu",
        "processes": processes,
        "dances": int(own["dances"]),
        "settings": given,
        "dances_per_s": int(own["dances"]) / phases["seconds"],
        "gpu_memory_gb": torch.cuda.max_memory_allocated() / 1e9 if on_gpu else None,
        **phases,
    }, indent=1), file=sys.stdout)


if __name__ == "__main__":
    run_main(main)
