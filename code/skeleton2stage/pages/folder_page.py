"""The page of a folder: a row a motion, which sorts by any column."""

from html import escape
from urllib.parse import quote

from skeleton2stage.pages.explained_motion import ExplainedMotion
from skeleton2stage.pages.page_frame import framed


def folder_page(motions: list[ExplainedMotion], addresses: list[str]) -> str:
    """Return the page as HTML, each motion linked to its own page's relative address."""
    figures = list(motions[0].figures)
    axes = [axis.name for axis in motions[0].axes]
    titles = ["motion", "what is wrong", "soundness", *figures, *axes]
    head = "".join(_head(title) for title in titles)
    rows = "".join(_row(motion, address, figures) for motion, address in zip(motions, addresses, strict=True))
    content = (
        f"<h1>{len(motions)} motions</h1><p class='note'>Scores are between 0 and 1, 1 is sound; "
        "a click on a column's name sorts by it.</p>"
        f'<table class="sortable"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>'
    )
    return framed("Verdicts", content, is_table=True)


def _head(title: str) -> str:
    kind = ' class="text"' if title in ("motion", "what is wrong") else ""
    return f"<th{kind}><button type='button'>{escape(title.replace('_', ' '))}</button></th>"


def _row(motion: ExplainedMotion, address: str, figures: list[str]) -> str:
    values = [motion.soundness, *(motion.figures[name] for name in figures), *(axis.score for axis in motion.axes)]
    cells = "".join(f'<td data-value="{value!r}">{value:.3g}</td>' for value in map(float, values))
    link = f'<a href="{quote(address)}">{escape(motion.name)}</a>'
    name = f'<td data-value="{escape(motion.name, quote=True)}">{link}</td>'
    return f'<tr>{name}<td class="text">{escape(motion.summary)}</td>{cells}</tr>'
