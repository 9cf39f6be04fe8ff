"""Diffusion: the chain of denoising steps, and a denoiser with what one must know to use it."""
