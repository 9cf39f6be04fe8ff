"""Tables for people, and how sure their means are."""

import numpy as np

N_RESAMPLES = 2000


def markdown_table(rows: list[list[str]]) -> str:
    """Return rows, the first of them the head, with padded columns: names to the left, numbers to the right."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    aligned = [
        [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))]
        for row in (rows[0], rule, *rows[1:])
    ]
    return "\n".join(f"| {' | '.join(row)} |" for row in aligned) + "\n"


def resamples(n: int, seed: int = 0) -> np.ndarray:
    """Return which of n things each bootstrap resample holds, [N_RESAMPLES, n], drawn with replacement."""
    return np.random.default_rng(seed).integers(n, size=(N_RESAMPLES, n))


def bootstrap_error(
    values: np.ndarray, groups: list[str], seed: int = 0, weights: np.ndarray | None = None
) -> float | None:
    """Return the bootstrap standard error of the mean of values [N]; None where there is one group only.

    `groups` [N] names what each value comes from, such as the file that windows are cut from. Whole groups are
    drawn, with replacement: values of one group are alike, and drawing them singly would understate the error.
    `weights` [N] are those of a weighted mean.
    """
    names = sorted(set(groups))
    if len(names) < 2:
        return None
    index = np.array([names.index(group) for group in groups])
    weights = np.ones(len(values)) if weights is None else np.asarray(weights, dtype=np.float64)
    sums = np.bincount(index, weights=weights * values)
    draws = resamples(len(names), seed)
    means = sums[draws].sum(axis=1) / np.bincount(index, weights=weights)[draws].sum(axis=1)
    return float(means.std(ddof=1))
