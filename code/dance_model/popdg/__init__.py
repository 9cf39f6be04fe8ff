"""POPDG: a diffusion model whose denoiser lets frames, joints and features attend to one another.

Luo, Ren, Hu, Huang, Li, "POPDG: Popular 3D Dance Generation with PopDanceSet", CVPR 2024, arXiv 2405.03178. It
predicts x_0 on EDGE's cosine schedule and is sampled by EDGE's DDIM, so whatever samples and trains EDGE does it too.
"""
