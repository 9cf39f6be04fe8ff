"""Scores: how well a body performs dances, for rewards, metrics and `python -m skeleton2stage.physics.score`."""
