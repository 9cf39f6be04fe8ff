"""Damages that no body could perform, done to a good motion, and changes of the same look that any body can."""
