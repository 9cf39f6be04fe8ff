"""How fast DDIM samples dances, against the plain loop and for one long dance.

python benchmarks/ddim_sampling.py [size=demo] [dances=64] [precision=float32] [compiled=false] [plain=true] [rounds=2]

size: demo (the shipped model's) or paper (EDGE's); weights and music are random, which costs the same. The
plain loop makes two forward passes a step, encodes the music in each, in float32. Fifty guided steps of 5 s
windows; the long dance is 20 s, seven windows. Prints JSON with medians over the rounds.
"""

import json
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch

from dance_model.diffusion.ddim import SamplingConfig, ddim_step, generator_for, noise_like_motion, sample
from dance_model.diffusion.long import overlapping_windows, sample_long
from dance_model.edge.edge_denoiser import DanceDecoder, DenoiserConfig, n_parameters
from skeleton2stage.config import read_options
from skeleton2stage.errors import run_main, unknown_name

SIZES = {
    "demo": DenoiserConfig(latent_width=160, feedforward_width=320, n_layers=2, n_heads=4, dropout=0.0),
    "paper": DenoiserConfig(),
}
LONG_FRAMES = 600


@dataclass(frozen=True)
class Options:
    """What is measured, from the command line."""

    size: str = "demo"
    dances: int = 64
    precision: str = "float32"
    compiled: bool = False
    plain: bool = True
    rounds: int = 2

    def __post_init__(self) -> None:
        if self.size not in SIZES:
            raise unknown_name("size", self.size, list(SIZES))


@torch.no_grad()
def plain_loop(model: DanceDecoder, music: torch.Tensor) -> torch.Tensor:
    """Return dances as one would write it first: a conditional and an unconditional pass in every step."""
    generator = generator_for(model, 0)
    x = noise_like_motion(model, len(music), generator)
    for step in SamplingConfig().steps():
        times = torch.full((len(x),), step.time, dtype=torch.long, device=x.device)
        conditional, unconditional = (model(x, music, times, drop) for drop in (0.0, 1.0))
        x0 = (unconditional + 2.0 * (conditional - unconditional)).clamp(-1.0, 1.0)
        x = ddim_step(x, x0, step, noise=noise_like_motion(model, len(x), generator)).x_next
    return x


def seconds(work: Callable[[], object], rounds: int) -> float:
    """Return the median duration of some work."""
    durations = []
    for _ in range(rounds):
        _wait()
        begun = time.perf_counter()
        work()
        _wait()
        durations.append(time.perf_counter() - begun)
    return statistics.median(durations)


def _wait() -> None:
    if torch.cuda.is_available():
        torch.cuda.synchronize()


def main(arguments: list[str]) -> None:
    options = read_options(arguments, Options)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    torch.manual_seed(0)
    model = DanceDecoder(SIZES[options.size]).eval().to(device)
    config = model.config
    music = torch.randn(options.dances, config.window_frames, config.music_width, device=device)
    song = overlapping_windows(torch.randn(LONG_FRAMES, config.music_width), config.window_frames)
    ours = SamplingConfig(precision=options.precision, compiled=options.compiled)
    sample(model, music, generator_for(model, 0), ours)  # warms up, compiles
    sample_long(model, [song], generator_for(model, 0), ours)
    figures = {
        "size": options.size,
        "parameters": n_parameters(model),
        "machine": torch.cuda.get_device_name() if device == "cuda" else f"CPU, {torch.get_num_threads()} threads",
        "dances": options.dances,
        "precision": options.precision,
        "compiled": options.compiled,
        "ours_s": seconds(lambda: sample(model, music, generator_for(model, 0), ours), options.rounds),
        "long_dance_s": seconds(lambda: sample_long(model, [song], generator_for(model, 0), ours), options.rounds),
    }
    if options.plain:
        plain_loop(model, music[:8])
        figures["plain_s"] = seconds(lambda: plain_loop(model, music), 1)
        figures["plain_over_ours"] = figures["plain_s"] / figures["ours_s"]
    print(json.dumps({k: round(v, 3) if isinstance(v, float) else v for k, v in figures.items()}))


if __name__ == "__main__":
    run_main(main)
