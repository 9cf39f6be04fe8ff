"""Measure how fast DDIM samples dances at the demo size: `python benchmarks/ddim_sampling.py [threads]`.

Prints wall-clock and CPU seconds, and dances a second, for 50 guided steps of 5 s windows.
"""

import sys
import time

import torch

from rl_finetune.dance_model.ddim import SamplingConfig, generator_for, sample
from rl_finetune.dance_model.denoiser import DanceDecoder, DenoiserConfig, n_parameters

DEMO = DenoiserConfig(latent_width=160, feedforward_width=320, n_layers=2, n_heads=4)  # the shipped model's size
N_DANCES = 64


def main() -> None:
    torch.set_num_threads(int(sys.argv[1]) if len(sys.argv) > 1 else torch.get_num_threads())
    device = "cuda" if torch.cuda.is_available() else "cpu"
    model = DanceDecoder(DEMO).eval().to(device)
    music = torch.randn(N_DANCES, DEMO.window_frames, DEMO.music_width, device=device)
    sample(model, music, generator_for(model, 0), SamplingConfig(n_steps=1))
    wall, cpu = time.perf_counter(), time.process_time()
    sample(model, music, generator_for(model, 0)).x0.cpu()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    print(f"{n_parameters(model) / 1e6:.2f} M parameters on {device}, {torch.get_num_threads()} threads")
    print(f"{N_DANCES} dances: {wall:.1f} s wall, {cpu:.1f} s CPU, {N_DANCES / wall:.2f} dances a second")


if __name__ == "__main__":
    main()
