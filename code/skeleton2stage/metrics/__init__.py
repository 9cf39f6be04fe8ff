"""Metrics: one pure function each."""
