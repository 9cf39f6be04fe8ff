"""Metrics of people's own: `metrics=[my_metric.py:travelled]`, functions from a `Motion` to a number."""

import math
from collections.abc import Callable, Sequence
from pathlib import Path

from skeleton2stage.errors import UserError
from skeleton2stage.metrics.measured_clip import MAX_FRAMES
from skeleton2stage.metrics.metrics_table import METRICS, Metric
from skeleton2stage.motion.folder import AnyMotion
from skeleton2stage.motion.motion import Motion
from skeleton2stage.own_code import first_line, import_function

OwnMetrics = dict[str, Callable[[Motion], float]]
DECIMALS = 4


def load_own_metrics(names: Sequence[str]) -> OwnMetrics:
    """Return the functions that names such as my_metric.py:travelled stand for, by their own names.

    Raises UserError where there is none, or where a name is taken.
    """
    functions: OwnMetrics = {}
    for name in names:
        function = import_function(name, Path(), f"metrics={name}")
        if function.__name__ in {metric.name for metric in METRICS} | functions.keys():
            raise UserError(f"metrics={name}: there is a metric {function.__name__} already: give it another name")
        functions[function.__name__] = function
    return functions


def shown_as(own: OwnMetrics) -> tuple[Metric, ...]:
    """Return how they are shown and averaged: over motions, and with no way that is better."""
    return tuple(Metric(name, "neither", DECIMALS) for name in own)


def own_values(own: OwnMetrics, motion: AnyMotion) -> dict[str, float]:
    """Return the finite values for a motion's first 600 frames; none where it has no rotations.

    Raises UserError, with a function's own error in a line, where one fails.
    """
    values = {}
    for name, function in own.items() if isinstance(motion, Motion) else ():
        try:
            values[name] = float(function(motion.slice(0, MAX_FRAMES)))
        except Exception as error:  # noqa: B902 - whatever somebody's own function raises
            raise UserError(f"metric {name} fails: {first_line(error)}") from None
    return {name: value for name, value in values.items() if math.isfinite(value)}
