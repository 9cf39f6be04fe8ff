"""Training of base models: data, losses, optimisers, and the run."""
