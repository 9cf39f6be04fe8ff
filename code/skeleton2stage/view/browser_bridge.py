"""What viser has no word for, said in the page's own: a song that plays in step, a drawing one can click.

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

from skeleton2stage.music.audio import read_audio
from skeleton2stage.render.video import Soundtrack

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


def song_html(soundtrack: Soundtrack, duration_s: float) -> str:
    """Return the element of a song's part of so many seconds; raises UserError where it cannot be read."""
    audio, rate_hz = read_audio(soundtrack.path)
    start = int(soundtrack.start_s * rate_hz)
    part = audio[start : start + int(duration_s * rate_hz) + 1]
    content = base64.b64encode(_mp3(part if len(part) else np.zeros(1, np.float32), rate_hz)).decode()
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


def head_order(head_id: str, x: float, time_s: float) -> str:
    """Return JavaScript that moves an SVG line to a place, and keeps a song that plays in step with the pictures."""
    moved = "".join(f"h.setAttribute('{end}',{x:.1f});" for end in ("x1", "x2"))
    song = f"const a=document.getElementById('{SONG_ID}');"
    apart = f"a&&!a.paused&&Math.abs(a.currentTime-{time_s:.3f})>{MAX_DRIFT_S}"
    return (
        f"const h=document.getElementById('{head_id}'); if(h){{{moved}}} {song} if({apart}) a.currentTime={time_s:.3f};"
    )
