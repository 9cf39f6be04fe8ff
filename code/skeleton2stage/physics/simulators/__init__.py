"""Simulators: one protocol, a backend a file, and the maker that knows them by name."""
