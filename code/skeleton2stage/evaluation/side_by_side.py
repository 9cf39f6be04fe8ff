"""Several evaluations side by side: their changes, table and bars."""

import sys
from pathlib import Path

from skeleton2stage.errors import UserError
from skeleton2stage.metrics.bars import bars_figure
from skeleton2stage.metrics.comparison import as_markdown, read_result, write_comparison
from skeleton2stage.plots.plot_style import save_figure


def compare(tables: tuple[Path, ...], labels: tuple[str, ...], out: Path) -> int:
    """Write several metrics.json side by side, changes against the first, and bars beside them; print the table."""
    names = labels or tuple(str(table.parent.name or table) for table in tables)
    if len(names) != len(tables) or len(set(names)) != len(names):
        raise UserError(f"compare names {len(tables)} files: give as many different labels, not {', '.join(names)}")
    results = [read_result(name, file) for name, file in zip(names, tables, strict=True)]
    if len({result.reference for result in results if result.reference is not None}) > 1:
        print("warning: fid and div of these files are relative to different references", file=sys.stderr)
    write_comparison(out, results)
    save_figure(out.with_suffix(".svg"), bars_figure(results))
    print(f"{as_markdown(results)}\nwritten to {out} and {out.with_suffix('.svg').name}")
    return 0
