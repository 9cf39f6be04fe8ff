"""Curves of fine-tuning runs as one SVG: python scripts/plot_runs.py OUT.svg EPOCHS.json [EPOCHS.json ...]

Prints, for all runs together, mean total reward over the first and last five epochs and their standard errors.
"""

import sys
from pathlib import Path

import numpy as np

from skeleton2stage.files import read_json, write_text

FIGURES = ("reward/total", "reward/imitation", "reward/antifreezing", "reward/fgcontact")
COLOURS = ("#c2571a", "#2a6f97", "#5b8c2a", "#7a4d9f", "#444444")
WIDTH, HEIGHT, MARGIN = 300, 180, 34
ENDS = 5


def panel(title: str, runs: list[list[float]], left: int) -> str:
    """Return one chart: a line a run, over epochs, with its smallest and largest value on the axis."""
    low, high = min(map(min, runs)), max(map(max, runs))
    span = (high - low) or 1.0
    x0, y0 = left + MARGIN, MARGIN
    frame = f'width="{WIDTH - 2 * MARGIN}" height="{HEIGHT - 2 * MARGIN}"'
    parts = [
        f'<text x="{x0}" y="20" font-weight="bold">{title}</text>',
        f'<rect x="{x0}" y="{y0}" {frame} fill="none" stroke="#bbb"/>',
        f'<text x="{x0 - 4}" y="{y0 + 8}" text-anchor="end">{high:.3g}</text>',
        f'<text x="{x0 - 4}" y="{HEIGHT - MARGIN}" text-anchor="end">{low:.3g}</text>',
        f'<text x="{x0}" y="{HEIGHT - 16}">epoch 1 to {len(runs[0])}</text>',
    ]
    for run, colour in zip(runs, COLOURS * len(runs), strict=False):
        xs = x0 + np.arange(len(run)) * (WIDTH - 2 * MARGIN) / max(len(run) - 1, 1)
        ys = HEIGHT - MARGIN - (np.array(run) - low) / span * (HEIGHT - 2 * MARGIN)
        points = " ".join(f"{x:.1f},{y:.1f}" for x, y in zip(xs, ys, strict=True))
        parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="1.5"/>')
    return "\n".join(parts)


def gain(totals: np.ndarray) -> str:
    """Return what totals [runs, epochs] gained from their first to their last five epochs."""
    first, last = totals[:, :ENDS].ravel(), totals[:, -ENDS:].ravel()
    error = np.sqrt(first.var(ddof=1) / len(first) + last.var(ddof=1) / len(last))
    difference = last.mean() - first.mean()
    return (
        f"first {ENDS} epochs {first.mean():.4f}, last {ENDS} {last.mean():.4f}: "
        f"gain {difference:.4f}, standard error {error:.4f}, ratio {difference / error:.1f}"
    )


def main(out: str, *files: str) -> None:
    """Draw and print."""
    runs = [read_json(Path(file)) for file in files]
    panels = [
        panel(name, [[epoch[name] for epoch in run] for run in runs], index * WIDTH)
        for index, name in enumerate(FIGURES)
    ]
    size = f'width="{WIDTH * len(FIGURES)}" height="{HEIGHT}"'
    style = 'font-family="sans-serif" font-size="11"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} {style}>'
    write_text(Path(out), "\n".join((head, *panels, "</svg>\n")))
    for file, run in zip(files, runs, strict=True):
        print(f"{file}: {gain(np.array([[epoch['reward/total'] for epoch in run]]))}")
    print(f"all: {gain(np.array([[epoch['reward/total'] for epoch in run] for run in runs]))}")


if __name__ == "__main__":
    main(*sys.argv[1:])
