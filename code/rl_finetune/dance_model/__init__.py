"""The dance model: EDGE's denoiser, its diffusion, its losses, and its checkpoints."""
