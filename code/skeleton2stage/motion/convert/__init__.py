"""Conversion: motion files of any format into a checked library."""
