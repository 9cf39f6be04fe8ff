"""What viser has no word for, said in the page's own: a song that plays in step, a drawing one can click, keys.

viser shows HTML with its event attributes. A song is an <audio> element that is sent once; orders to it, and to the
line of the moment shown, are attributes of an empty picture, which runs them when it is loaded. A click writes its
time into one of viser's number fields, as a person would, and so comes back to Python.
"""

import base64
import io
import itertools
import json
from html import escape

import numpy as np
import soundfile

from skeleton2stage.render.soundtrack import Soundtrack, part_of

SONG_ID = "s2s-song"
MAX_DRIFT_S = 0.3
_EMPTY_PICTURE = "data:image/gif;base64,R0lGODlhAQABAAAAACH5BAEKAAEALAAAAAABAAEAAAICTAEAOw=="
_NUMBERS = itertools.count()


def order(javascript: str) -> str:
    """Return HTML that runs JavaScript once when it is shown; no two are the same, so that each is."""
    script = f"/* {next(_NUMBERS)} */ {javascript}"
    return f'<img src="{_EMPTY_PICTURE}" style="display:none" onload="{escape(script)}">'


def write_number(field_id: str, javascript_value: str) -> str:
    """Return JavaScript that types a value into the number field of an id."""
    return (
        f"const field=document.getElementById({json.dumps(field_id)});"
        "Object.getOwnPropertyDescriptor(HTMLInputElement.prototype,'value').set"
        f".call(field,({javascript_value}).toFixed(3)); field.dispatchEvent(new Event('input',{{bubbles:true}}));"
        "setTimeout(()=>document.activeElement.blur(),0);"  # or keys would be typed into it
    )


def hide_field(field_id: str) -> str:
    """Return HTML that takes a field off the page, with its label, into which JavaScript can write all the same."""
    return f'<style>div:has(> .mantine-Flex-root [id="{field_id}"]){{display:none}}</style>'


def within_canvas(element_id: str, beside_px: float) -> str:
    """Return HTML by which the floating panel of an element leaves so much of a window of any width uncovered."""
    return f"<style>[data-floating-window]:has(#{element_id}){{max-width:calc(100vw - {beside_px:g}px)}}</style>"


def keep_keys() -> str:
    """Return JavaScript, to be run once a page, by which keys stay the viewer's after a click on one of its controls.

    A box, button or list keeps the focus that the click gave it, and takes the next key for itself. What is reached by
    the keyboard keeps it, and so does a field that is typed into, until Enter.
    """
    return (
        "if(!window.s2sKeys){window.s2sKeys=true; const release=()=>setTimeout(()=>document.activeElement.blur(),0);"
        "document.addEventListener('click',e=>{if(e.detail>0&&(e.target.closest('[role=option]')"
        "||document.activeElement.matches('button,input[type=checkbox]')))release();});"
        "document.addEventListener('keydown',e=>{if(e.key==='Enter'&&e.target.matches('input'))release();});}"
    )


def song_html(soundtrack: Soundtrack, duration_s: float) -> str:
    """Return the element of a song's part of so many seconds, silence after its end; raises UserError as `part_of`.

    It is never over before the dances are: a song that is, begins again when it is told to play.
    """
    audio, rate_hz = part_of(soundtrack, duration_s)
    audio = np.pad(audio, (0, max(0, int(duration_s * rate_hz) + 1 - len(audio))))
    content = base64.b64encode(_mp3(audio, rate_hz)).decode()
    return f'<audio id="{SONG_ID}" preload="auto" src="data:audio/mpeg;base64,{content}"></audio>'


def _mp3(audio: np.ndarray, rate_hz: int) -> bytes:
    buffer = io.BytesIO()
    soundfile.write(buffer, audio, rate_hz, format="MP3", subtype="MPEG_LAYER_III")
    return buffer.getvalue()


def song_order(time_s: float, playing: bool, speed: float) -> str:
    """Return JavaScript that has the song play from a time at a speed, or rest there."""
    at = f"a.currentTime=Math.min({time_s:.3f},a.duration||{time_s:.3f}); a.playbackRate={speed:g};"
    action = "a.play().catch(()=>{});" if playing else "a.pause();"
    return f"const a=document.getElementById('{SONG_ID}'); if(a){{ {at} {action} }}"


def head_order(head_id: str, share: float, time_s: float) -> str:
    """Return JavaScript that moves an upright SVG line to a share of its drawing's width, and keeps a song in step."""
    moved = "".join(f"h.setAttribute('{end}','{100 * share:.2f}%');" for end in ("x1", "x2"))
    song = f"const a=document.getElementById('{SONG_ID}');"
    apart = f"a&&!a.paused&&Math.abs(a.currentTime-{time_s:.3f})>{MAX_DRIFT_S}"
    return (
        f"const h=document.getElementById('{head_id}'); if(h){{{moved}}} {song} if({apart}) a.currentTime={time_s:.3f};"
    )
