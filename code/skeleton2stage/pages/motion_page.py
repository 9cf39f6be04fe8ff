"""The page of a motion: its scores, a sentence, the time line, and stills where it is worst."""

import base64
import io
from html import escape
from types import MappingProxyType

from PIL import Image

from skeleton2stage.motion.motion import FPS
from skeleton2stage.pages.explained_motion import ExplainedFault, ExplainedMotion
from skeleton2stage.pages.page_frame import bar, framed
from skeleton2stage.pages.painted_body import BodyPainter
from skeleton2stage.pages.time_line import time_line

N_STILLS = 3
_UNITS = MappingProxyType({"deg": "°", "cm2": "cm²", "m/s3": "m/s³", "N m": "N·m"})
_APART_S = 0.4


def motion_page(explained: ExplainedMotion, painter: BodyPainter, index: str | None = None) -> str:
    """Return the page as HTML, pictures within it; `index` is the address of the folder's page, if there is one."""
    shown = worst_moments(explained)
    back = f'<p><a href="{escape(index, quote=True)}">all motions</a></p>' if index else ""
    content = (
        f"{back}<h1>{escape(explained.name)}</h1>"
        f'<p class="note">{explained.motion.duration_s:.1f} s, {len(explained.motion)} frames</p>'
        f'<p class="summary">{escape(explained.summary)}</p>{_figures(explained)}'
        f"<h2>When</h2>{time_line(explained, [fault.peak_s for fault in shown])}"
        f"{_stills(explained, shown, painter)}{_axes(explained)}{_faults(explained)}"
    )
    return framed(f"Verdict: {explained.name}", content)


def worst_moments(explained: ExplainedMotion, most: int = N_STILLS) -> list[ExplainedFault]:
    """Return the costliest faults whose worst moments are apart, by time."""
    chosen: list[ExplainedFault] = []
    for fault in explained.faults:
        if len(chosen) < most and all(abs(fault.peak_s - other.peak_s) >= _APART_S for other in chosen):
            chosen.append(fault)
    return sorted(chosen, key=lambda fault: fault.peak_s)


def quantity(value: float, unit: str) -> str:
    """Return a value with its unit as people write them: three figures, thousands apart."""
    number = f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
    return f"{number} {_UNITS.get(unit, unit)}"


def _figures(explained: ExplainedMotion) -> str:
    figures = {"soundness of the axes": f"{explained.soundness:.3f}"}
    figures |= {name.replace("_", " "): f"{value:.3g}" for name, value in explained.figures.items()}
    cells = [
        f'<div><span>{escape(name)}</span><span class="score">{value}</span></div>' for name, value in figures.items()
    ]
    return f'<div class="figures">{"".join(cells)}</div>'


def _stills(explained: ExplainedMotion, shown: list[ExplainedFault], painter: BodyPainter) -> str:
    if not shown:
        return ""
    pictures = []
    for fault in shown:
        frame = min(round(fault.peak_s * FPS), len(explained.motion) - 1)
        still = painter.still(
            explained.motion, frame, explained.parts[frame], float(explained.whole[frame]), explained.floor_m
        )
        pictures.append(
            f'<figure><img alt="the body at {fault.peak_s:.1f} s" src="data:image/png;base64,{_png(still)}">'
            f"<figcaption>{fault.peak_s:.1f} s: {escape(fault.sentence)}</figcaption></figure>"
        )
    note = "Red: the parts at fault. Amber: the body as a whole, which nothing could move or hold like this."
    return f'<h2>Where it is worst</h2><p class="note">{note}</p><div class="stills">{"".join(pictures)}</div>'


def _axes(explained: ExplainedMotion) -> str:
    rows = [
        f'<tr><td>{escape(axis.name.replace("_", " "))}</td><td class="text">{escape(axis.group)}</td>'
        f"<td>{axis.score:.3f}</td><td class='text'>{bar(axis.score)}</td>"
        f"<td>{escape(quantity(axis.worst, axis.unit))}</td>"
        f"<td>{100 * float((axis.frames > 0).mean()):.0f} %</td></tr>"
        for axis in explained.axes
    ]
    head = (
        '<tr><th>axis</th><th class="text">of</th><th>score</th><th class="text"></th><th>worst</th>'
        "<th>frames at fault</th></tr>"
    )
    return f"<h2>Axes</h2><table><thead>{head}</thead><tbody>{''.join(rows)}</tbody></table>"


def _faults(explained: ExplainedMotion) -> str:
    items = [f"<li>{escape(fault.sentence)}</li>" for fault in explained.faults]
    return f"<h2>All that was found</h2><ol>{''.join(items)}</ol>" if items else ""


def _png(image: Image.Image) -> str:
    stream = io.BytesIO()
    image.quantize(192).save(stream, format="PNG", optimize=True)
    return base64.b64encode(stream.getvalue()).decode("ascii")
