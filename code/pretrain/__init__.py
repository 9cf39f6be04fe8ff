"""Tree 1: expert data to imitation policy."""
