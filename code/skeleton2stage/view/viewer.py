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
from skeleton2stage.view.first_view import ELEVATION_RAD, FRONT_TURN_RAD, Canvas, first_view
from skeleton2stage.view.key_commands import KEYS, add_key_commands
from skeleton2stage.view.moment_table import moment_table
from skeleton2stage.view.playback import SPEEDS, Playback
from skeleton2stage.view.timeline import HEAD_ID, SURFACE_ID, height_px, share_of, timeline_html
from skeleton2stage.view.view_scene import LAYOUTS, SPACING_M, ViewScene

TICK_S = 1 / 30
HEAD_EVERY_S = 0.1  # how often the time line and the fields follow while dances play
# The page: the panel of the time line, what is over the drawing in it, and the panel of the controls beside it.
TIMELINE_WIDTH_PX, MARGIN_PX, PANEL_HEAD_PX, CONTROLS_WIDTH_PX = 860, 12, 46, 324
PHONE_WIDTH_PX, PHONE_COVERED = 576, 0.6  # where viser puts all controls on a sheet over this much of the height
_SLIDER_STEP_S, _TOLD_S = 0.01, 8.0


class Viewer:
    """A server that shows dances to any number of browsers, all the same moment of them."""

    def __init__(self, host: str, port: int, fps: float, names: Sequence[str] = ()) -> None:
        """Start it; `address` says where. names: of dances that can be asked for in place of those shown."""
        self._fps, self._names, self._wanted, self._lock = fps, tuple(names), None, threading.RLock()
        self._dancers: Sequence[Dancer] = ()
        self._server = viser.ViserServer(host=host, port=port, label="Skeleton2Stage", verbose=False)
        self._server.on_client_connect(self._place_camera)

    def show(
        self, dancers: Sequence[Dancer], soundtrack: Soundtrack | None, layout: str | None = None, name: str = ""
    ) -> None:
        """Show dances in place of those shown, if any, several by `layout`, one of LAYOUTS, or as the last ones."""
        with self._lock:
            layout = layout or self._layout.value
            if self._dancers:
                self._scene.leave()
            self._server.gui.reset()
            self._dancers, self._playback = dancers, Playback(max(map(len, dancers)) / self._fps, self._fps)
            self._facing_rad = facing_rad(dancers[0].motion)
            self._view_rad = FRONT_TURN_RAD, ELEVATION_RAD
            self._scene = ViewScene(self._server, dancers, self._right_w())
            self._shown_frame, self._head_moved_s, self._middle_w = -1, 0.0, None
            self._add_controls(layout, name)
            self._add_timeline(soundtrack)
            add_key_commands(self._server.gui, self, round(self._fps))
            self._relay()
        for client in self._server.get_clients().values():
            self._place_camera(client)

    @property
    def address(self) -> str:
        """Where to open it."""
        return f"http://{self._server.get_host()}:{self._server.get_port()}"

    def _add_controls(self, layout: str, name: str) -> None:
        gui = self._server.gui
        if len(self._names) > 1:
            self._choice = gui.add_dropdown("dance", self._names, initial_value=name)
            self._choice.on_update(lambda event: self._want(self._choice.value) if event.client else None)
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

    def _place_camera(self, client: viser.ClientHandle) -> None:
        """Have a browser that opens see all who dance, over its time line; its view is reset to that too."""
        camera = client.camera
        with self._lock:
            if not self._dancers:
                return
            n_shown = max(1, sum(box.value for box in self._shown))
            middle = self._scene.middle(self._playback.frame) * [1.0, 1.0, 0.0]
            row_m = SPACING_M * (n_shown - 1) * (self._layout.value == LAYOUTS[0])
        covered_px = PANEL_HEAD_PX + height_px(n_shown) + MARGIN_PX
        if camera.image_width < PHONE_WIDTH_PX:
            covered_px = PHONE_COVERED * camera.image_height
        canvas = Canvas(camera.image_width, camera.image_height, covered_px, camera.fov)
        turn_rad, elevation_rad = self._view_rad
        position, target = first_view(canvas, row_m, self._facing_rad + np.pi + turn_rad, elevation_rad)
        for place in (self._server.initial_camera, camera):
            place.position, place.look_at = middle + position, middle + target

    def _right_w(self) -> np.ndarray:
        return view_axes(self._facing_rad + np.pi + self._view_rad[0], 0.0)[1]

    def look(self, client: viser.ClientHandle, turn_rad: float, elevation_rad: float) -> None:
        """Have a browser see all from a side, by a turn from straight in front; a row turns, so that nobody hides."""
        with self._lock:
            self._view_rad = turn_rad, elevation_rad
            self._scene.right_w = self._right_w()
            self._relay()
        self._place_camera(client)

    def _want(self, name: str) -> None:
        self._wanted = name

    def tell(self, title: str, sentence: str = "") -> None:
        """Tell every browser something for a while."""
        for client in self._server.get_clients().values():
            client.add_notification(title, sentence, auto_close_seconds=_TOLD_S)

    def keep(self, name: str) -> None:
        """Say that the dances of a name are shown still, though others were asked for."""
        self._choice.value = name

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

    def faster(self, places: int) -> None:
        """Play at the next faster (1) or slower (-1) speed."""
        self._change(lambda: self._playback.change_speed(places))
        self._speed.value = f"{self._playback.speed:g}"

    def switch(self, what: str) -> None:
        """Switch what is shown on or off: penetration, contacts, or whether the camera follows ("follow")."""
        box = {"penetration": self._penetration, "contacts": self._contacts, "follow": self._follow}[what]
        box.value = not box.value

    def other_layout(self) -> None:
        """Show dances side by side that are overlaid, and the other way round."""
        self._layout.value = LAYOUTS[1 - LAYOUTS.index(self._layout.value)]

    def next_penetration(self, direction: int) -> None:
        """Go to where the next stretch of frames (-1: the previous) begins in which any dance passes through itself."""
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

    def run(self, until: Callable[[], bool] = lambda: False) -> str | None:
        """Move the dances with the clock until told otherwise (None), or until others are wanted: return their name."""
        while not until():
            wanted, self._wanted = self._wanted, None
            if wanted is not None:
                return wanted
            began_s = time.perf_counter()
            with self._lock:
                again = self._playback.tick(began_s)
                if again and self._song:
                    self._orders[1].content = order(song_order(self._playback.time_s, True, self._playback.speed))
                self._show()
            time.sleep(max(0.0, TICK_S - (time.perf_counter() - began_s)))
        return None

    def close(self) -> None:
        """Stop serving."""
        self._server.stop()
