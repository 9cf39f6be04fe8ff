"""Dance models: families behind one interface, their diffusion, sampling, editing and training."""
