"""Curves of fine-tuning runs side by side: python scripts/plot_runs.py OUT.svg [key=value ...] NAME=EPOCHS.json ...

against=seconds (of the epochs, added up; the default), cpu_seconds (likewise, of all threads: for runs that shared a
machine), epoch, or a figure of the records, such as held/mot_mag.
only=FIGURE[,FIGURE...]: these alone. One panel for each reward that any run has and each quantity that
it holds, the latter beside its limit, as shares of the base model's. Runs are told apart by colour and line.
"""

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from skeleton2stage.errors import UserError, run_main, unknown_name
from skeleton2stage.files import read_json
from skeleton2stage.plots.plot_style import LIMIT_COLOUR, line_style, panels, save_figure

ADDED_UP = {"seconds": "seconds of fine-tuning", "cpu_seconds": "CPU seconds of fine-tuning"}
AXES = ADDED_UP | {"epoch": "epoch"}
PREFIXES = ("reward/", "held/")
LEFT_OUT = ("reward/total", "reward/total_deviation")
COLUMNS, PANEL_INCHES = 3, (3.6, 2.4)


def figures_of(runs: dict[str, list[dict]]) -> list[str]:
    """Return what is drawn, in the order of the records."""
    names = dict.fromkeys(name for records in runs.values() for record in records for name in record)
    return [
        name for name in names
        if name.startswith(PREFIXES) and name not in LEFT_OUT and not name.endswith(("_limit", "_weight"))
    ]


def line(records: list[dict], name: str, against: str) -> tuple[list[float], list[float]]:
    """Return where and what of a figure, for the epochs that have it; dances of an epoch are those of its beginning."""
    places = [record.get(against) for record in records]
    if against in AXES:
        costs = [1 if against == "epoch" else record[against] for record in records]
        places = np.cumsum([0, *costs]).tolist()[:-1]
    points = [
        (place, record[name]) for place, record in zip(places, records, strict=True)
        if place is not None and name in record
    ]
    return [x for x, _ in points], [y for _, y in points]


def draw(runs: dict[str, list[dict]], names: list[str], against: str) -> Figure:
    """Return the drawing of figures of all runs."""
    columns = min(COLUMNS, len(names))
    # A single panel is drawn twice as large.
    size = 2 if len(names) == 1 else 1
    shape = -(-len(names) // columns), columns, (size * PANEL_INCHES[0], size * PANEL_INCHES[1])
    with panels(*shape) as (figure, axes):
        for axis, name in zip(axes, names, strict=False):
            draw_panel(axis, runs, name, against)
        for axis in axes[len(names):]:
            axis.axis("off")
        figure.supxlabel(AXES.get(against, against))
        figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=4)
    return figure


def draw_panel(axis: Axes, runs: dict[str, list[dict]], name: str, against: str) -> None:
    """Draw one figure of all runs, and the limits that it is held at."""
    axis.set_title(name)
    marker = None if against in AXES else "."
    for number, (label, records) in enumerate(runs.items()):
        axis.plot(*line(records, name, against), label=label, marker=marker, **line_style(number))
    for limit in {record.get(f"{name}_limit") for records in runs.values() for record in records} - {None}:
        axis.axhline(limit, color=LIMIT_COLOUR, linewidth=0.9, linestyle=":")
        place = {"xycoords": ("axes fraction", "data"), "ha": "right", "va": "bottom"}
        axis.annotate("held", (1.0, limit), color=LIMIT_COLOUR, **place)


def main(arguments: list[str]) -> None:
    """Draw."""
    if len(arguments) < 2 or arguments[0] in ("-h", "--help"):
        raise UserError(f"usage: {__doc__.split(': ', 1)[1].splitlines()[0]}")
    given = dict(argument.split("=", 1) for argument in arguments[1:] if "=" in argument)
    against = given.pop("against", "seconds")
    only = given.pop("only", "")
    runs = {name: read_json(Path(path)) for name, path in given.items()}
    if not runs:
        raise UserError("give at least one NAME=EPOCHS.json, as the folder of a run has it")
    known = {name for records in runs.values() for record in records for name in record}
    for name in (*filter(None, only.split(",")), against):
        if name not in known and name not in AXES:
            raise unknown_name("figure", name, [*known, *AXES])
    for name, records in runs.items() if against in ADDED_UP else ():
        if any(against not in record for record in records):
            raise UserError(f"{given[name]} has epochs without {against}: give against=epoch, or leave that run out")
    names = only.split(",") if only else figures_of(runs)
    out = Path(arguments[0])
    save_figure(out, draw(runs, names, against))


if __name__ == "__main__":
    run_main(main)
