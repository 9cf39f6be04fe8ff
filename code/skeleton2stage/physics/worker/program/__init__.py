"""The program that hosts a simulator in an interpreter of its own: Python 3.6 or newer, numpy, and its backend.

`serve.py` is run as a script, so its neighbours here are top-level modules to it; the library imports
`protocol` and `kinematics` from this package. Nothing here may need a newer Python, or the library itself,
except a host that says so.
"""
