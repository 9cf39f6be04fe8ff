"""Axes of the verdict: what of a motion is wrong, where and when, by geometry and mechanics alone, without a policy."""
