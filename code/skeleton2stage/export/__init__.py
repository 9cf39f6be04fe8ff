"""Motions as files for other programs: GLB, BVH, OBJ."""
