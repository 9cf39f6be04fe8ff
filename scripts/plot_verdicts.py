"""What policies do over the wrench they are given: python scripts/plot_verdicts.py OUT.svg NAME=VERDICT.json[,...] ...

VERDICT.json: what `python -m skeleton2stage.physics.score motions=DIR out=VERDICT.json policy=FILE wrench_scale=W`
writes, for several W. A panel each for the share of motions performed to their end, the score and the body error; a
line a policy.
"""

from pathlib import Path

from matplotlib.figure import Figure

from skeleton2stage.errors import UserError, run_main
from skeleton2stage.files import read_json
from skeleton2stage.plots.plot_style import line_style, panels, save_figure

PANELS = {"success": "share performed to the end", "imitation": "imitation", "body_error_mm": "body error, mm"}
PANEL_INCHES = (3.4, 2.6)


def curve(paths: list[Path], figure: str) -> tuple[list[float], list[float]]:
    """Return the wrench's scales, rising, and a figure of the verdicts at each."""
    points = []
    for path in paths:
        content = read_json(path)
        try:
            points.append((float(content["wrench_scale"]), float(content["metrics"][figure])))
        except (KeyError, TypeError):
            raise UserError(f"{path} has no {figure} of a wrench's scale: give what physics.score writes") from None
    scales, values = zip(*sorted(points), strict=True)
    return list(scales), list(values)


def draw(policies: dict[str, list[Path]]) -> Figure:
    """Return the drawing of all policies' curves."""
    with panels(1, len(PANELS), PANEL_INCHES) as (figure, axes):
        for axis, (name, title) in zip(axes, PANELS.items(), strict=True):
            for number, (label, paths) in enumerate(policies.items()):
                axis.plot(*curve(paths, name), label=label, marker=".", **line_style(number))
            axis.set_title(title)
            axis.set_ylim(bottom=0)
        figure.supxlabel("scale of the residual wrench")
        figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=4)
    return figure


def main(arguments: list[str]) -> None:
    """Draw."""
    if len(arguments) < 2 or any("=" not in argument for argument in arguments[1:]):
        raise UserError(f"usage: {__doc__.split(': ', 1)[1].splitlines()[0]}")
    given = dict(argument.split("=", 1) for argument in arguments[1:])
    out = Path(arguments[0])
    save_figure(out, draw({name: [Path(path) for path in paths.split(",")] for name, paths in given.items()}))


if __name__ == "__main__":
    run_main(main)
