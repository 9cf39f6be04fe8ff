"""The viewer: controls, keys, time line and song around a scene, and the loop that moves it."""

import threading
import time
from collections.abc import Callable, Sequence

import numpy as np
import viser

from skeleton2stage.render.camera import facing_rad, view_axes
from skeleton2stage.render.soundtrack import Soundtrack
from skeleton2stage.view.browser_bridge import (
    head_order,
    hide_field,
    keep_keys,
    order,
    song_html,
    song_order,
    within_canvas,
    write_number,
)
from skeleton2stage.view.dancers import Dancer
from skeleton2stage.view.first_view import Canvas, first_view
from skeleton2stage.view.moment_table import moment_table
from skeleton2stage.view.playback import SPEEDS, Playback
from skeleton2stage.view.timeline import HEAD_ID, SURFACE_ID, height_px, share_of, timeline_html
from skeleton2stage.view.view_scene import LAYOUTS, SPACING_M, ViewScene

TICK_S = 1 / 30
HEAD_EVERY_S = 0.1  # how often the time line and the fields follow while dances play
# The page: the panel of the time line, what is over the drawing in it, and the panel of the controls beside it.
TIMELINE_WIDTH_PX, MARGIN_PX, PANEL_HEAD_PX, CONTROLS_WIDTH_PX = 860, 12, 46, 324
PHONE_WIDTH_PX, PHONE_COVERED = 576, 0.6  # where viser puts all controls on a sheet over this much of the height
_FRONT_TURN_RAD, _SLIDER_STEP_S = 0.35, 0.01
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
        self._azimuth_rad = facing_rad(dancers[0].motion) + _FRONT_TURN_RAD + np.pi
        self._scene = ViewScene(self._server, dancers, view_axes(self._azimuth_rad, 0.0)[1])
        self._shown_frame, self._head_moved_s, self._middle_w = -1, 0.0, None
        self._add_controls(layout)
        self._add_timeline(soundtrack)
        self._add_keys()
        self._relay()
        self._server.on_client_connect(self._place_camera)

    @property
    def address(self) -> str:
        """Where to open it."""
        return f"http://{self._server.get_host()}:{self._server.get_port()}"

    def _add_controls(self, layout: str) -> None:
        gui = self._server.gui
        self._play = gui.add_button("play", icon=viser.Icon.PLAYER_PLAY)
        self._play.on_click(lambda _: self.toggle())
        last_s = (self._playback.n_frames - 1) / self._playback.fps
        self._time = gui.add_slider("time, s", 0.0, max(round(last_s, 2), _SLIDER_STEP_S), _SLIDER_STEP_S, 0.0)
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
        with panel.add_tab("time line"):
            # Nobody sees this field: a click on the drawing types its time into it, and so comes here.
            self._jump = gui.add_number("go to, s", 0.0, min=0.0, max=self._playback.duration_s, step=0.001)
            self._jump.on_update(lambda event: self.seek(self._jump.value) if event.client else None)
            field = self._jump._impl.uuid  # the element's id in the page, for which viser has no name
            self._click = write_number(field, "time_s")
            self._timeline = gui.add_html("")
            self._orders = [gui.add_html("") for _ in range(2)]  # to the time line, to the song
            beside_px = CONTROLS_WIDTH_PX + 2 * MARGIN_PX
            gui.add_html(hide_field(field) + within_canvas(SURFACE_ID, beside_px) + order(keep_keys()))
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

    def _place_camera(self, client: viser.ClientHandle) -> None:
        """Have a browser that opens see all who dance, over its time line; its view is reset to that too."""
        camera = client.camera
        with self._lock:
            n_shown = max(1, sum(box.value for box in self._shown))
            middle = self._scene.middle(self._playback.frame) * [1.0, 1.0, 0.0]
            row_m = SPACING_M * (n_shown - 1) * (self._layout.value == LAYOUTS[0])
        covered_px = PANEL_HEAD_PX + height_px(n_shown) + MARGIN_PX
        if camera.image_width < PHONE_WIDTH_PX:
            covered_px = PHONE_COVERED * camera.image_height
        canvas = Canvas(camera.image_width, camera.image_height, covered_px, camera.fov)
        position, target = first_view(canvas, row_m, self._azimuth_rad)
        for place in (self._server.initial_camera, camera):
            place.position, place.look_at = middle + position, middle + target

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
            playback = self._playback
            self._timeline.content = timeline_html(
                self._dancers, self._scene.shown, playback.duration_s, playback.fps, self._click
            )
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
            share = share_of(playback.frame / playback.fps, playback.duration_s)
            self._orders[0].content = order(head_order(HEAD_ID, share, playback.time_s))
            self._time.value = playback.frame / playback.fps
            self._figures.content = moment_table(self._dancers, self._scene.shown, playback.frame, playback.fps)

    def _move_cameras(self) -> None:
        """Move every browser's camera as the dancers moved, so that whoever turned it keeps their view."""
        middle = self._scene.middle(self._playback.frame) * [1.0, 1.0, 0.0]
        if self._middle_w is not None and self._follow.value:
            for client in self._server.get_clients().values():
                with client.atomic():
                    client.camera.position = client.camera.position + middle - self._middle_w
        self._middle_w = middle

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
