"""The viewer's keys: what each does, told to the page once and to the reader in words."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import viser

if TYPE_CHECKING:
    from skeleton2stage.view.viewer import Viewer

KEYS = (
    "space: play or pause · J, L: a frame back, on · shift+J, shift+L: a second · home, end · U, I: slower, faster · "
    "O: overlaid or side by side · P: penetration · C: contacts · F: follow · N, B: next, previous penetration · "
    "1, 2, 3, 4: from the front, the side, behind, above"
)
# Where the camera goes: its turn from straight in front of the dancer, and its sight above the horizon, rad.
VIEWS = {
    "1": ("from the front", 0.0, -0.2), "2": ("from the side", np.pi / 2, -0.2),
    "3": ("from behind", np.pi, -0.2), "4": ("from above", 0.0, -1.3),
}


@dataclass(frozen=True)
class _Key:
    label: str
    key: str
    action: Callable[[viser.ClientHandle], None]
    modifier: str | None = None


def add_key_commands(gui: viser.GuiApi, viewer: "Viewer", second: int) -> None:
    """Add every key of a viewer; second: how many frames that is."""
    keys = [
        _Key("play or pause", "space", lambda _: viewer.toggle()),
        _Key("a frame back", "J", lambda _: viewer.step(-1)), _Key("a frame on", "L", lambda _: viewer.step(1)),
        _Key("a second back", "J", lambda _: viewer.step(-second), "shift"),
        _Key("a second on", "L", lambda _: viewer.step(second), "shift"),
        _Key("the beginning", "home", lambda _: viewer.seek(0.0)),
        _Key("the end", "end", lambda _: viewer.seek(np.inf)),
        _Key("slower", "U", lambda _: viewer.faster(-1)), _Key("faster", "I", lambda _: viewer.faster(1)),
        _Key("overlaid or side by side", "O", lambda _: viewer.other_layout()),
        _Key("penetration", "P", lambda _: viewer.switch("penetration")),
        _Key("contacts", "C", lambda _: viewer.switch("contacts")),
        _Key("camera follows", "F", lambda _: viewer.switch("follow")),
        _Key("next penetration", "N", lambda _: viewer.next_penetration(1)),
        _Key("previous penetration", "B", lambda _: viewer.next_penetration(-1)),
    ]
    for key, (label, turn_rad, elevation_rad) in VIEWS.items():
        keys.append(_Key(label, key, lambda client, view=(turn_rad, elevation_rad): viewer.look(client, *view)))
    for one in keys:
        command = gui.add_command(one.label, hotkey=one.key, modifier=one.modifier)
        command.on_trigger(lambda event, action=one.action: action(event.client))
