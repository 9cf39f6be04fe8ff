"""Evaluation: all metrics of a set of motions, physical ones included, and comparisons of several sets."""
