"""The body: an SMPL-layout model and its mesh."""
