"""The viewer: controls, keys, time line and song around a scene, and the loop that moves it."""

import threading
import time
from collections.abc import Callable, Sequence

import numpy as np
import viser

from skeleton2stage.render.camera import facing_rad, view_axes
from skeleton2stage.render.video import Soundtrack
from skeleton2stage.view.browser_bridge import head_order, order, song_html, song_order, write_number
from skeleton2stage.view.dancers import Dancer
from skeleton2stage.view.playback import SPEEDS, Playback
from skeleton2stage.view.timeline import HEAD_ID, head_x, timeline_svg
from skeleton2stage.view.view_scene import LAYOUTS, ViewScene

TICK_S = 1 / 30
HEAD_EVERY_S = 0.1  # how often the time line and the fields follow while dances play
CAMERA_DISTANCE_M, CAMERA_HEIGHT_M, LOOK_AT_HEIGHT_M = 2.6, 1.3, 0.65
TIMELINE_WIDTH_PX, MARGIN_PX = 860, 12
_FRONT_TURN_RAD = 0.35
KEYS = (
    "space: play or pause · J, L: a frame back, on · shift+J, shift+L: a second · home, end · U, I: slower, faster · "
    "O: overlaid or side by side · P: penetration · C: contacts · F: follow · N, B: next, previous penetration"
)


class Viewer:
    """A server that shows dances to any number of browsers, all the same moment of them."""

    def __init__(
        self, dancers: Sequence[Dancer], soundtrack: Soundtrack | None, host: str, port: int, layout: str, fps: float
    ) -> None:
        """Start it; `address` says where. Several dances are shown by `layout`, one of LAYOUTS."""
        duration_s = max(len(dancer) for dancer in dancers) / fps
        self._dancers, self._playback, self._lock = dancers, Playback(duration_s, fps), threading.RLock()
        self._server = viser.ViserServer(host=host, port=port, label="Skeleton2Stage", verbose=False)
        azimuth_rad = facing_rad(dancers[0].motion) + _FRONT_TURN_RAD + np.pi
        self._forward_w, right_w, _ = view_axes(azimuth_rad, 0.0)
        self._scene = ViewScene(self._server, dancers, right_w)
        self._shown_frame, self._head_moved_s, self._middle_w = -1, 0.0, None
        self._add_controls(layout)
        self._add_timeline(soundtrack)
        self._add_keys()
        self._place_camera()
        self._relay()

    @property
    def address(self) -> str:
        """Where to open it."""
        return f"http://{self._server.get_host()}:{self._server.get_port()}"

    def _add_controls(self, layout: str) -> None:
        gui = self._server.gui
        self._play = gui.add_button("play", icon=viser.Icon.PLAYER_PLAY)
        self._play.on_click(lambda _: self.toggle())
        last_s = (self._playback.n_frames - 1) / self._playback.fps
        self._time = gui.add_slider("time, s", 0.0, max(last_s, 1e-3), 1 / self._playback.fps, 0.0)
        self._time.on_update(lambda event: self.seek(self._time.value) if event.client else None)
        self._speed = gui.add_dropdown("speed", tuple(f"{speed:g}" for speed in SPEEDS), initial_value="1")
        self._speed.on_update(lambda _: self._change(self._take_speed))
        self._layout = gui.add_dropdown("dances", LAYOUTS, initial_value=layout, visible=len(self._dancers) > 1)
        self._layout.on_update(lambda _: self._relay())
        self._penetration = gui.add_checkbox("penetration red", True)
        self._contacts = gui.add_checkbox("foot contacts", True)
        self._follow = gui.add_checkbox("camera follows", True)
        for box in (self._penetration, self._contacts):
            box.on_update(lambda _: self._relay())
        n_skins = sum(dancer.pairs is not None for dancer in self._dancers)
        with gui.add_folder("dances shown", visible=len(self._dancers) > 1):
            # Performances are there to be asked for: at first they would only be in the way.
            at_first = [dancer.pairs is not None or n_skins == 0 for dancer in self._dancers]
            labels = [dancer.label for dancer in self._dancers]
            self._shown = [gui.add_checkbox(*parts) for parts in zip(labels, at_first, strict=True)]
        for box in self._shown:
            box.on_update(lambda _: self._relay())
        self._figures = gui.add_markdown("")
        with gui.add_folder("keys", expand_by_default=False):
            gui.add_markdown(KEYS)

    def _add_timeline(self, soundtrack: Soundtrack | None) -> None:
        gui = self._server.gui
        panel = gui.add_panel()
        with panel.add_tab("time line: click to go there"):
            self._jump = gui.add_number("go to, s", 0.0, min=0.0, max=self._playback.duration_s, step=0.001)
            self._jump.on_update(lambda event: self.seek(self._jump.value) if event.client else None)
            field = self._jump._impl.uuid  # the element's id in the page, for which viser has no name
            click = write_number(field, "time_s")
            gui.add_html(timeline_svg(self._dancers, self._playback.duration_s, self._playback.fps, click))
            self._orders = [gui.add_html("") for _ in range(2)]  # to the time line, to the song
            self._song = soundtrack is not None
            if soundtrack:
                gui.add_html(song_html(soundtrack, self._playback.duration_s))
        gui.main_panel.dock_right()
        panel.float(x=MARGIN_PX, y=-MARGIN_PX, width=TIMELINE_WIDTH_PX)

    def _add_keys(self) -> None:
        second = round(self._playback.fps)
        commands: tuple[tuple[str, str, str | None, Callable[[], None]], ...] = (
            ("play or pause", "space", None, self.toggle),
            ("a frame back", "J", None, lambda: self.step(-1)), ("a frame on", "L", None, lambda: self.step(1)),
            ("a second back", "J", "shift", lambda: self.step(-second)),
            ("a second on", "L", "shift", lambda: self.step(second)),
            ("the beginning", "home", None, lambda: self.seek(0.0)),
            ("the end", "end", None, lambda: self.seek(self._playback.duration_s)),
            ("slower", "U", None, lambda: self._faster(-1)), ("faster", "I", None, lambda: self._faster(1)),
            ("overlaid or side by side", "O", None, self._other_layout),
            ("penetration", "P", None, lambda: _toggle(self._penetration)),
            ("contacts", "C", None, lambda: _toggle(self._contacts)),
            ("camera follows", "F", None, lambda: _toggle(self._follow)),
            ("next penetration", "N", None, lambda: self._next_penetration(1)),
            ("previous penetration", "B", None, lambda: self._next_penetration(-1)),
        )
        for label, key, modifier, action in commands:
            command = self._server.gui.add_command(label, hotkey=key, modifier=modifier)
            command.on_trigger(lambda _, action=action: action())

    def _place_camera(self) -> None:
        middle = self._scene.middle(0) * [1.0, 1.0, 0.0]
        width = 0.55 * (sum(box.value for box in self._shown) - 1) * (self._layout.value == LAYOUTS[0])
        camera = self._server.initial_camera
        camera.position = middle - (CAMERA_DISTANCE_M + width) * self._forward_w + [0.0, 0.0, CAMERA_HEIGHT_M]
        camera.look_at = middle + [0.0, 0.0, LOOK_AT_HEIGHT_M]

    def toggle(self) -> None:
        """Play, or pause."""
        def change() -> None:
            if self._playback.playing:
                self._playback.pause()
            else:
                self._playback.play(time.perf_counter())

        self._change(change)

    def seek(self, time_s: float) -> None:
        """Show a moment, and go on from there if the dances play."""
        self._change(lambda: self._playback.seek(time_s))

    def step(self, n_frames: int) -> None:
        """Pause, and show the frame so many on."""
        self._change(lambda: self._playback.step(n_frames))

    def _change(self, change: Callable[[], None]) -> None:
        """Change the playback and tell the page: picture, fields, song."""
        with self._lock:
            change()
            playback = self._playback
            self._play.label = "pause" if playback.playing else "play"
            self._play.icon = viser.Icon.PLAYER_PAUSE if playback.playing else viser.Icon.PLAYER_PLAY
            if self._song:
                self._orders[1].content = order(song_order(playback.time_s, playback.playing, playback.speed))
            self._show(force=True)

    def _take_speed(self) -> None:
        self._playback.speed = float(self._speed.value)

    def _faster(self, places: int) -> None:
        self._change(lambda: self._playback.change_speed(places))
        self._speed.value = f"{self._playback.speed:g}"

    def _other_layout(self) -> None:
        self._layout.value = LAYOUTS[1 - LAYOUTS.index(self._layout.value)]

    def _next_penetration(self, direction: int) -> None:
        """Go to where the next stretch of frames begins in which any dance shown passes through itself."""
        pierced = np.zeros(self._playback.n_frames, dtype=bool)
        for dancer, box in zip(self._dancers, self._shown, strict=True):
            if box.value and dancer.pairs is not None:
                pierced[: len(dancer)] |= dancer.pairs > 0
        starts = np.flatnonzero(np.diff(pierced.astype(int), prepend=0) > 0)
        ahead = starts[starts > self._playback.frame] if direction > 0 else starts[starts < self._playback.frame][::-1]
        if len(ahead):
            self.seek(ahead[0] / self._playback.fps)

    def _relay(self) -> None:
        """Show what the boxes say."""
        with self._lock:
            self._scene.shown = [box.value for box in self._shown]
            self._scene.penetration, self._scene.contacts = self._penetration.value, self._contacts.value
            self._scene.lay_out(self._layout.value)
            self._middle_w = None
            self._show(force=True)

    def _show(self, force: bool = False) -> None:
        playback, now_s = self._playback, time.perf_counter()
        if playback.frame != self._shown_frame or force:
            self._scene.show(playback.frame)
            self._shown_frame = playback.frame
            self._move_cameras()
        if force or now_s - self._head_moved_s > HEAD_EVERY_S:
            self._head_moved_s = now_s
            x = head_x(playback.frame / playback.fps, playback.duration_s)
            self._orders[0].content = order(head_order(HEAD_ID, x, playback.time_s))
            self._time.value = playback.frame / playback.fps
            self._figures.content = self._figures_text()

    def _move_cameras(self) -> None:
        """Move every browser's camera as the dancers moved, so that whoever turned it keeps their view."""
        middle = self._scene.middle(self._playback.frame) * [1.0, 1.0, 0.0]
        if self._middle_w is not None and self._follow.value:
            for client in self._server.get_clients().values():
                with client.atomic():
                    client.camera.position = client.camera.position + middle - self._middle_w
        self._middle_w = middle

    def _figures_text(self) -> str:
        rows = ["| | pairs | reward |", "| --- | ---: | ---: |"]
        for dancer in self._dancers:
            own = min(self._playback.frame, len(dancer) - 1)
            pairs = "" if dancer.pairs is None else f"{dancer.pairs[own]}"
            rows.append(f"| {dancer.label} | {pairs} | {'' if dancer.score is None else f'{dancer.score[own]:.2f}'} |")
        return "\n".join(rows)

    def run(self, until: Callable[[], bool] = lambda: False) -> None:
        """Move the dances with the clock until told otherwise."""
        while not until():
            began_s = time.perf_counter()
            with self._lock:
                again = self._playback.tick(began_s)
                if again and self._song:
                    self._orders[1].content = order(song_order(self._playback.time_s, True, self._playback.speed))
                self._show()
            time.sleep(max(0.0, TICK_S - (time.perf_counter() - began_s)))

    def close(self) -> None:
        """Stop serving."""
        self._server.stop()


def _toggle(box: viser.GuiCheckboxHandle) -> None:
    box.value = not box.value
