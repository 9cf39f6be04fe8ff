"""Retargeting: motion of a foreign skeleton onto SMPL's."""
