"""Curves of fine-tuning runs side by side: python scripts/plot_runs.py OUT.svg [key=value ...] NAME=EPOCHS.json ...

against=seconds (of the epochs, added up; the default), epoch, or a figure of the records, such as held/mot_mag.
only=FIGURE[,FIGURE...]: these alone. One panel for each reward that any run has and each quantity that
it holds, the latter beside its limit, as shares of the base model's. Runs are told apart by colour and line.
"""

from pathlib import Path

import matplotlib
import numpy as np

from skeleton2stage.errors import UserError, run_main, unknown_name
from skeleton2stage.files import atomic_path, read_json

matplotlib.use("Agg")
from matplotlib import pyplot  # noqa: E402 - the backend must be chosen first

AXES = {"seconds": "seconds of fine-tuning", "epoch": "epoch"}
PREFIXES = ("reward/", "held/")
LEFT_OUT = ("reward/total", "reward/total_deviation")
# Okabe and Ito's, which people with any kind of colour vision tell apart.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
LINES = ("-", "--", "-.", ":")
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
    seconds = np.cumsum([0.0, *(record["seconds"] for record in records)]).tolist()
    own = {"seconds": lambda i, _: seconds[i], "epoch": lambda i, _: i}.get(against, lambda _, record: record[against])
    points = [(own(i, record), record[name]) for i, record in enumerate(records) if {name, against} <= {*record, *AXES}]
    return [x for x, _ in points], [y for _, y in points]


def draw(runs: dict[str, list[dict]], names: list[str], against: str) -> pyplot.Figure:
    """Return the drawing of figures of all runs."""
    columns = min(COLUMNS, len(names))
    rows = -(-len(names) // columns)
    # A single panel is drawn twice as large.
    size = 2 if len(names) == 1 else 1
    figure, panels = pyplot.subplots(
        rows, columns, squeeze=False, layout="constrained",
        figsize=(size * columns * PANEL_INCHES[0], size * rows * PANEL_INCHES[1]),
    )
    for panel, name in zip(panels.flat, names, strict=False):
        panel.set_title(name, fontsize=10)
        for number, (label, records) in enumerate(runs.items()):
            style = {"color": COLOURS[number % len(COLOURS)], "linestyle": LINES[number // len(COLOURS) % len(LINES)]}
            marker = None if against in AXES else "."
            panel.plot(*line(records, name, against), label=label, linewidth=1.4, marker=marker, **style)
        for limit in {record.get(f"{name}_limit") for records in runs.values() for record in records} - {None}:
            panel.axhline(limit, color="#999999", linewidth=0.8, linestyle=":")
        panel.tick_params(labelsize=8)
    for panel in panels.flat[len(names):]:
        panel.axis("off")
    figure.supxlabel(AXES.get(against, against), fontsize=9)
    figure.legend(*panels.flat[0].get_legend_handles_labels(), loc="outside upper center", ncols=4, fontsize=9)
    return figure


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
    names = only.split(",") if only else figures_of(runs)
    out = Path(arguments[0])
    with atomic_path(out) as temporary:
        draw(runs, names, against).savefig(temporary, format=out.suffix.removeprefix("."), dpi=110)


if __name__ == "__main__":
    run_main(main)
