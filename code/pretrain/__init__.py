"""Tree 1: expert data to imitation policy."""

import skeleton2stage.interruption  # noqa: F401 - at work from the first import on
