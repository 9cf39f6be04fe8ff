"""The viewer in headless Chromium. Needs viser, playwright and a Chromium."""

import socket
import threading
import time

import numpy as np
import pytest

from headless_browser import open_page
from skeleton2stage.music.audio import write_wav
from skeleton2stage.render.soundtrack import Soundtrack
from skeleton2stage.view import timeline

PATIENCE_S = 180  # WebGL in software, on cores that others may use


@pytest.fixture
def viewer(dancer, tmp_path):
    pytest.importorskip("viser")
    from skeleton2stage.view.viewer import Viewer

    write_wav(tmp_path / "song.wav", np.zeros(22050, np.float32), 22050)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    viewer = Viewer([dancer, dancer], Soundtrack(tmp_path / "song.wav"), "127.0.0.1", port, "side by side", 30)
    done = threading.Event()
    loop = threading.Thread(target=viewer.run, args=(done.is_set,), daemon=True)
    loop.start()
    yield viewer
    done.set()
    loop.join()
    viewer.close()


def wait_until(true, page):
    end = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < end, "it did not come to it"
        page.wait_for_timeout(100)


@pytest.mark.slow
def test_keys_clicks_and_song_move_what_is_shown(viewer):
    playback = viewer._playback
    with open_page(viewer.address) as (page, errors):
        page.wait_for_selector(f"#{timeline.SURFACE_ID}", timeout=60_000)
        page.wait_for_timeout(3000)
        box = page.locator(f"#{timeline.SURFACE_ID}").bounding_box()
        share = (timeline.LEFT + 0.8 * (timeline.WIDTH - timeline.LEFT)) / timeline.WIDTH
        page.mouse.click(box["x"] + share * box["width"], box["y"] + 8)
        wait_until(lambda: abs(playback.time_s - 0.8) < 0.02, page)
        wait_until(lambda: abs(page.evaluate("document.getElementById('s2s-song').currentTime") - 0.8) < 0.03, page)
        frame = playback.frame
        page.keyboard.press("j")
        wait_until(lambda: playback.frame == frame - 1, page)
        page.keyboard.press("Home")
        wait_until(lambda: playback.frame == 0, page)
        page.keyboard.press("n")
        wait_until(lambda: playback.frame == 20, page)  # where the legs begin to cross
        page.keyboard.press("o")
        wait_until(lambda: viewer._layout.value == "overlaid", page)
        page.keyboard.press("u")
        wait_until(lambda: playback.speed == 0.5, page)
        page.keyboard.press("Space")
        wait_until(lambda: playback.playing, page)
        wait_until(lambda: page.evaluate("!document.getElementById('s2s-song').paused"), page)
        assert page.evaluate("document.getElementById('s2s-song').playbackRate") == 0.5
        page.keyboard.press("Space")
        wait_until(lambda: not playback.playing, page)
        assert not errors


@pytest.mark.slow
def test_penetration_is_red_in_the_picture(viewer):
    from io import BytesIO

    from PIL import Image

    def red_pixels(page):
        shot = Image.open(BytesIO(page.screenshot(timeout=1000 * PATIENCE_S)))
        picture = np.asarray(shot.convert("RGB")).astype(int)[:350, :600]
        return int(((picture[..., 0] > 90) & (picture[..., 0] > 4 * picture[..., 1:].max(axis=2))).sum())

    with open_page(viewer.address) as (page, errors):
        page.wait_for_selector(f"#{timeline.SURFACE_ID}", timeout=60_000)
        viewer.seek(0.9)
        wait_until(lambda: red_pixels(page) > 20, page)
        viewer._penetration.value = False
        wait_until(lambda: red_pixels(page) == 0, page)
        assert not errors
