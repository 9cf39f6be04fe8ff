"""Results of several models side by side, changes against the first: Markdown, LaTeX, JSON, YAML."""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import yaml

from skeleton2stage.errors import UserError
from skeleton2stage.files import read_json, write_text
from skeleton2stage.metrics.metrics_table import METRICS, Metric, shown
from skeleton2stage.provenance import stamped
from skeleton2stage.tables import markdown_table


@dataclass(frozen=True)
class Result:
    """One model's metrics.json.

    metrics, errors: values and their standard errors by name. n_motions: how many were measured, None if not said.
    reference: what its FID is relative to.
    """

    title: str
    metrics: dict[str, float]
    errors: dict[str, float]
    n_motions: int | None = None
    reference: str | None = None


@dataclass(frozen=True)
class Cell:
    """A metric of one result. change: from the first result, of what both have. best: of all results."""

    value: float | None
    error: float | None
    change: float | None
    change_percent: float | None
    best: bool


def read_result(title: str, path: Path) -> Result:
    """Return the result in a metrics.json; raise UserError where it is missing or is something else."""
    content = read_json(path)
    metrics = content.get("metrics") if isinstance(content, dict) else None
    if not isinstance(metrics, dict):
        raise UserError(f'{path} has no "metrics": it is not a metrics.json')
    # Files of earlier versions have neither errors nor a reference.
    return Result(
        title, metrics, content.get("standard_errors", {}), content.get("n_motions"), content.get("reference")
    )


def compare(results: list[Result]) -> list[tuple[Metric, list[Cell]]]:
    """Return the rows of the comparison: each metric that any result has, with a cell for each result."""
    return [
        (metric, _cells(metric, results)) for metric in METRICS if any(metric.name in r.metrics for r in results)
    ]


def _cells(metric: Metric, results: list[Result]) -> list[Cell]:
    values = [result.metrics.get(metric.name) for result in results]
    best = _best(metric, values)
    changes = [(None, None), *(_change(value, values[0]) for value in values[1:])]
    return [
        Cell(value, result.errors.get(metric.name), *change, best=value is not None and value == best)
        for result, value, change in zip(results, values, changes, strict=True)
    ]


def _best(metric: Metric, values: list[float | None]) -> float | None:
    """Return the best of at least two values that differ; None where the metric knows no better."""
    given = {value for value in values if value is not None}
    if metric.better == "neither" or len(given) < 2:
        return None
    return min(given) if metric.better == "lower" else max(given)


def _change(value: float | None, base: float | None) -> tuple[float | None, float | None]:
    """Return the change from a base, and the same in percent of it."""
    if value is None or base is None:
        return None, None
    return value - base, 100.0 * (value - base) / abs(base) if base else None


def _shown_change(metric: Metric, cell: Cell) -> str:
    if cell.change is None:
        return ""
    if cell.change_percent is None:
        return f" ({cell.change:+.{metric.decimals}f})"
    return f" ({cell.change_percent:+.1f} %)"


def as_markdown(results: list[Result]) -> str:
    """Return the comparison as a Markdown table, the best in bold."""
    rows = [["metric", *(result.title for result in results)]]
    for metric, cells in compare(results):
        values = [shown(metric, cell.value, cell.error) for cell in cells]
        bold = [f"**{value}**" if cell.best else value for value, cell in zip(values, cells, strict=True)]
        changes = [_shown_change(metric, cell) for cell in cells]
        rows.append([metric.label, *(value + change for value, change in zip(bold, changes, strict=True))])
    return markdown_table(rows)


_LATEX_ARROWS = {"lower": r"$\downarrow$", "higher": r"$\uparrow$", "neither": r"$\rightarrow$"}
_LATEX_ESCAPES = str.maketrans(
    {sign: f"\\{sign}" for sign in "&%$#_{}"} | {"\\": r"\textbackslash{}", "~": r"\~{}", "^": r"\^{}"}
)


def as_latex(results: list[Result]) -> str:
    """Return the comparison as a LaTeX tabular that needs no package, the best in bold."""
    rows = [["metric", *(result.title.translate(_LATEX_ESCAPES) for result in results)]]
    for metric, cells in compare(results):
        name = f"{metric.name.translate(_LATEX_ESCAPES)} {_LATEX_ARROWS[metric.better]}"
        rows.append([name, *(_latex_cell(metric, cell) for cell in cells)])
    head, *body = (" & ".join(row) + r" \\" for row in rows)
    begin = rf"\begin{{tabular}}{{l{'r' * len(results)}}}"
    return "\n".join((begin, r"\hline", head, r"\hline", *body, r"\hline", r"\end{tabular}", ""))


def _latex_cell(metric: Metric, cell: Cell) -> str:
    if cell.value is None:
        return "--"
    value = f"{cell.value:.{metric.decimals}f}"
    parts = [rf"\textbf{{{value}}}" if cell.best else value]
    if cell.error is not None:
        parts.append(rf" $\pm$ {cell.error:.{metric.decimals}f}")
    parts.append(_shown_change(metric, cell).replace(" %", r"\,\%"))
    return "".join(parts)


def as_json(results: list[Result]) -> str:
    """Return the comparison as JSON: {"results": [...], "metrics": {name: {"better": ..., "results": [...]}}}."""
    heads = [{"title": r.title, "n_motions": r.n_motions, "reference": r.reference} for r in results]
    metrics = {
        metric.name: {
            "better": metric.better,
            "results": [{"title": r.title, **asdict(cell)} for r, cell in zip(results, cells, strict=True)],
        }
        for metric, cells in compare(results)
    }
    return json.dumps(stamped({"results": heads, "metrics": metrics}), indent=1, allow_nan=False) + "\n"


def as_yaml(results: list[Result]) -> str:
    """Return the values alone, {title: {name: value}}, which is what DVC's `metrics show` and `diff` read."""
    values = {result.title: {name: float(value) for name, value in result.metrics.items()} for result in results}
    return yaml.safe_dump(values, sort_keys=False, allow_unicode=True)


FORMS: dict[str, Callable[[list[Result]], str]] = {
    ".md": as_markdown, ".tex": as_latex, ".json": as_json, ".yaml": as_yaml,
}


def write_comparison(path: Path, results: list[Result]) -> None:
    """Write the comparison in the form that the file's suffix names; raise UserError for an unknown one."""
    if path.suffix not in FORMS:
        raise UserError(f"a comparison is written as {', '.join(FORMS)}: give out={path} one of these endings")
    write_text(path, FORMS[path.suffix](results))
