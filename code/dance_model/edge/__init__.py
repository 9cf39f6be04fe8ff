"""EDGE: its denoiser and its released checkpoints."""
