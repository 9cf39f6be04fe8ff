"""Ways to move a dance model towards better dances, each a small module behind `base.Algorithm`."""
