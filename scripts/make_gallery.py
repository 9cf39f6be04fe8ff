"""Stills of dances of two models, and what the score says of each: python scripts/make_gallery.py key=value ...

base=DIR tuned=DIR: dances of one name by both, with metrics.json of `rl_finetune.evaluate` in each.
out=DIR: for stills. seed=0: draws the moment of each still; nobody chooses.
Prints a Markdown table; words are for who has looked.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from skeleton2stage.config import read_options
from skeleton2stage.errors import run_main
from skeleton2stage.files import atomic_path, read_json
from skeleton2stage.motion.formats.read_motion import read_motion
from skeleton2stage.render.clips import Renderer
from skeleton2stage.render.figures import make_figure
from skeleton2stage.render.look import Look
from skeleton2stage.tables import markdown_table

FIGURES = {"pen_rate": 1, "pfc": 2, "foot_skating": 3, "imitation": 3}
_WEBP_QUALITY = 85
LOOK = Look(width=360, height=400, marks=("penetration", "contacts"), sheet_pictures=0, stills=(0.0,))


@dataclass(frozen=True)
class Options:
    """What the pictures are made of."""

    base: Path
    tuned: Path
    out: Path
    seed: int = 0


def main(arguments: list[str]) -> None:
    """Draw the stills and print the table."""
    options, rows = read_options(arguments, Options), [["dance, s", *FIGURES]]
    metrics = [read_json(folder / "metrics.json")["per_motion"] for folder in (options.base, options.tuned)]
    names = sorted(path.stem for path in options.base.glob("*.pkl"))
    generator = np.random.default_rng(options.seed)
    figure = make_figure("mesh", "open")
    with Renderer([figure, figure], LOOK) as renderer:
        for name in names:
            motions = [read_motion(folder / f"{name}.pkl") for folder in (options.base, options.tuned)]
            second = round(float(generator.uniform(0, min(motion.duration_s for motion in motions) - 0.1)), 2)
            cut = [motion.slice(int(second * motion.fps), int(second * motion.fps) + 2) for motion in motions]
            (still,) = renderer.write(options.out / f"{name}.png", cut, ["base", "fine-tuned"])
            with Image.open(still) as picture, atomic_path(options.out / f"{name}.webp") as temporary:
                picture.save(temporary, format="WEBP", quality=_WEBP_QUALITY)
            still.unlink()
            rows.append([f"{name}, {second:.2f}", *(_pair(metrics, name, figure, n) for figure, n in FIGURES.items())])
    print(markdown_table(rows))


def _pair(metrics: list[dict], name: str, figure: str, decimals: int) -> str:
    values = [content[f"{name}.pkl"].get(figure) for content in metrics]
    return " → ".join("–" if value is None else f"{value:.{decimals}f}" for value in values)


if __name__ == "__main__":
    run_main(main)
