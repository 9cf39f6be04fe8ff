"""How all of the project's plots look."""
