"""Makes this folder's samples importable in the rooms below: pytest puts the folder of a conftest on the path."""
