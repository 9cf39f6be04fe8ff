"""Checks: is a motion fit to learn from."""
