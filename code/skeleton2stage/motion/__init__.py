"""Motions: the SMPL skeleton, rotations, motion vectors, clips and their files."""
