"""Dance models: families behind one interface, their diffusion, sampling, editing and training."""

import skeleton2stage.interruption  # noqa: F401 - at work from the first import on
