"""The humanoid that performs: cut from a body mesh, its joints, hulls and gains."""
