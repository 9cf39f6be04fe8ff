"""What all pages have in common: their head, looks, and a table that sorts by its columns."""

from html import escape

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; color: #1c2430; background: #fff; margin: 2rem auto; max-width: 1040px;
  padding: 0 1rem; }
h1 { font-size: 1.5rem; margin: 0 0 .2rem; } h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; }
body.wide { max-width: none; margin: 2rem; } body.wide td.text { min-width: 22rem; }
p.summary { font-size: 1.15rem; max-width: 60rem; }
.figures { display: flex; flex-wrap: wrap; gap: 1.5rem; margin: 1rem 0; } .figures div { min-width: 7rem; }
.figures span { display: block; color: #5a6472; font-size: .85rem; }
.figures span.score { color: #1c2430; font-size: 1.5rem; font-weight: 600; }
table { border-collapse: collapse; width: 100%; } th, td { text-align: right; padding: .3rem .6rem;
  border-bottom: 1px solid #e3e7ec; font-variant-numeric: tabular-nums; }
th:first-child, td:first-child, td.text, th.text { text-align: left; } th button { all: unset; cursor: pointer; }
th button:focus { outline: 2px solid #4477aa; } th[aria-sort=ascending] button::after { content: " \\25b2"; }
th[aria-sort=descending] button::after { content: " \\25bc"; }
.stills { display: flex; flex-wrap: wrap; gap: 1rem; } figure { margin: 0; width: 320px; } figure img { width: 100%;
  border-radius: 6px; } figcaption { font-size: .9rem; color: #3c4654; }
svg.time { width: 100%; font: 12px system-ui, sans-serif; fill: #3c4654; } svg .strip { fill: #eef1f5; }
svg .mark { stroke: #1c2430; stroke-width: 1; stroke-dasharray: 3 3; }
.bar { display: inline-block; height: .7rem; background: #4477aa; vertical-align: middle; border-radius: 2px; }
.note { color: #5a6472; font-size: .9rem; }
"""

_SORTING = """
for (const table of document.querySelectorAll("table.sortable")) {
  const body = table.tBodies[0];
  table.tHead.rows[0].querySelectorAll("th").forEach((head, column) => {
    head.querySelector("button")?.addEventListener("click", () => {
      const down = head.getAttribute("aria-sort") !== "descending";
      const value = (row) => { const cell = row.cells[column]; return cell.dataset.value ?? cell.textContent; };
      const order = (a, b) => {
        const x = value(a), y = value(b), numbers = x !== "" && y !== "" && !isNaN(x) && !isNaN(y);
        return numbers ? Number(x) - Number(y) : String(x).localeCompare(String(y));
      };
      const rows = [...body.rows].sort((a, b) => (down ? order(b, a) : order(a, b)));
      table.querySelectorAll("th").forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      body.append(...rows);
    });
  });
}
"""


def framed(title: str, content: str, is_table: bool = False) -> str:
    """Return a whole page of a title and the HTML of its body; that of a table is wide and sorts."""
    script, kind = (f"<script>{_SORTING}</script>", ' class="wide"') if is_table else ("", "")
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="icon" href="data:,">'
        f"<style>{_STYLE}</style></head><body{kind}>{content}{script}</body></html>\n"
    )


def bar(share: float) -> str:
    """Return a small bar of a share of one."""
    return f'<span class="bar" style="width:{60 * share:.0f}px"></span>'
