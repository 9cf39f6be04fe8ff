"""Motions as files for other programs: GLB, USD, BVH, OBJ."""
