"""A simulator in a process of its own: the program that hosts it, and what starts, asks and ends it."""
