"""Tree 2: the dance model, its fine-tuning by physical rewards, and its evaluation."""

import skeleton2stage.interruption  # noqa: F401 - at work from the first import on
