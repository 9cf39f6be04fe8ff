"""Physics: the humanoid, the simulators, the imitation task and its scores."""
