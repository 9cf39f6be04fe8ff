"""The viewer in headless Chromium. Needs viser, playwright and a Chromium."""

import socket
import threading
import time
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import pytest

from headless_browser import open_page
from lively_motion import lively_motion
from skeleton2stage.music.audio import write_wav
from skeleton2stage.render.figures import make_figure
from skeleton2stage.render.soundtrack import Soundtrack
from skeleton2stage.view import timeline
from skeleton2stage.view.dancers import make_dancer

PATIENCE_S = 180  # WebGL in software, on cores that others may use


@contextmanager
def served(dancers, song):
    """A viewer of dances that runs."""
    pytest.importorskip("viser")
    from skeleton2stage.view.viewer import Viewer

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    viewer = Viewer("127.0.0.1", port, 30, ["first", "second"])
    viewer.show(dancers, Soundtrack(song), "side by side", "first")
    done = threading.Event()

    def run():
        while not done.is_set():
            name = viewer.run(done.is_set)
            if name == "first":
                viewer.tell("first cannot be shown", "it is damaged")
                viewer.keep("second")
            elif name:
                viewer.show(dancers[:1], None, name=name)

    loop = threading.Thread(target=run, daemon=True)
    loop.start()
    yield viewer
    done.set()
    loop.join()
    viewer.close()


@pytest.fixture
def song(tmp_path):
    """A second of silence."""
    write_wav(tmp_path / "song.wav", np.zeros(22050, np.float32), 22050)
    return tmp_path / "song.wav"


@pytest.fixture
def viewer(dancer, song):
    with served([dancer, dancer], song) as running:
        yield running


@pytest.fixture
def four(dancer, song):
    """Dances of a second, a frame, four seconds and half a second; the song is over after the first."""
    sticks = make_figure("sticks", "open")
    made = [make_dancer(f"{n_frames} frames", sticks, lively_motion(n_frames)) for n_frames in (1, 120, 15)]
    others = [replace(other, pairs=np.zeros(len(other), dtype=int)) for other in made]  # no performances, which wait
    with served([dancer, *others], song) as running:
        yield running


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
        page.mouse.click(box["x"] + 0.8 * box["width"], box["y"] + 8)
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


def pose_shown(viewer, number):
    """Where the bones of a dancer are in the scene, [24, 3] m."""
    return np.array([bone.position for bone in viewer._scene._skins[number].bones])


@pytest.mark.slow
def test_dances_that_end_earlier_stand_in_their_last_pose_while_others_go_on(four):
    playback = four._playback
    with open_page(four.address) as (page, errors):
        page.wait_for_selector(f"#{timeline.SURFACE_ID}", timeout=60_000)
        page.wait_for_timeout(2000)
        four.seek(0.9)
        page.keyboard.press("Space")
        wait_until(lambda: 1.2 < playback.time_s < 4, page)
        page.keyboard.press("Space")
        wait_until(lambda: not playback.playing, page)
        for number in (0, 1, 3):
            np.testing.assert_allclose(pose_shown(four, number), four._dancers[number].bone_positions[-1], atol=1e-5)
        np.testing.assert_allclose(pose_shown(four, 2), four._dancers[2].bone_positions[playback.frame], atol=1e-5)
        page.get_by_text("15 frames (ended)").first.wait_for()
        song = "document.getElementById('s2s-song')"
        wait_until(lambda: abs(page.evaluate(f"{song}.currentTime") - playback.time_s) < 0.05, page)  # in its silence
        four.seek(3.9)
        page.keyboard.press("Space")
        wait_until(lambda: playback.time_s < 3, page)  # all begin again, and the song with them
        wait_until(lambda: page.evaluate(f"{song}.currentTime") < 3, page)
        assert playback.playing and not errors


@pytest.mark.slow
def test_four_time_lines_leave_the_dancers_and_the_controls_free(four):
    panel = "document.querySelector('[data-floating-window]').getBoundingClientRect()"
    controls = "document.querySelector('[data-dock-region]').getBoundingClientRect()"
    with open_page(four.address, 1280, 720) as (page, errors):
        for width, height in ((1280, 720), (800, 600)):
            page.set_viewport_size({"width": width, "height": height})
            page.wait_for_selector(f"#{timeline.SURFACE_ID}", timeout=60_000)
            fits = f"{panel}.right<={controls}.left && {panel}.top>{0.6 * height} && {panel}.bottom<={height}"
            wait_until(lambda: page.evaluate(fits), page)  # noqa: B023 - called before the next round
            assert page.locator(f"#{timeline.SURFACE_ID}").bounding_box()["width"] > 250
        assert not page.get_by_label("go to, s").first.is_visible()
        assert not errors


@pytest.mark.slow
def test_keys_are_the_viewers_after_clicks_on_its_controls(four):
    with open_page(four.address, 1280, 720) as (page, errors):
        page.wait_for_selector(f"#{timeline.SURFACE_ID}", timeout=60_000)
        page.wait_for_timeout(3000)
        page.get_by_label("15 frames").first.click()
        wait_until(lambda: not four._scene.shown[3], page)
        wait_until(lambda: page.locator(f"#{timeline.SURFACE_ID}").bounding_box()["height"] < 120, page)  # three rows
        page.keyboard.press("End")
        wait_until(lambda: four._playback.frame == 119, page)
        page.get_by_role("button", name="play").first.click()
        wait_until(lambda: four._playback.playing, page)
        page.keyboard.press("Space")
        wait_until(lambda: not four._playback.playing, page)
        page.wait_for_timeout(500)
        assert not four._playback.playing  # nor was the button pressed by the same key
        page.get_by_label("speed").first.click()
        page.get_by_role("option", name="0.5", exact=True).click()
        wait_until(lambda: four._playback.speed == 0.5, page)
        page.wait_for_timeout(1000)
        page.keyboard.press("i")
        wait_until(lambda: four._playback.speed == 1, page)
        assert not errors


@pytest.mark.slow
def test_the_page_asks_for_other_dances_and_looks_from_other_sides(four):
    with open_page(four.address, 1280, 720) as (page, errors):
        page.wait_for_selector(f"#{timeline.SURFACE_ID}", timeout=60_000)
        page.wait_for_timeout(3000)
        (camera,) = [client.camera for client in four._server.get_clients().values()]
        beginning = camera.position
        page.keyboard.press("4")
        wait_until(lambda: camera.position[2] > beginning[2] + 1, page)
        page.keyboard.press("o")
        wait_until(lambda: four._layout.value == "overlaid", page)
        page.get_by_label("dance", exact=True).first.click()
        page.get_by_role("option", name="second").click()
        wait_until(lambda: len(four._dancers) == 1, page)
        wait_until(lambda: page.evaluate("document.getElementById('s2s-song') === null"), page)
        wait_until(lambda: page.locator(f"#{timeline.SURFACE_ID}").bounding_box()["height"] < 60, page)
        assert four._layout.value == "overlaid"
        page.wait_for_timeout(1000)
        page.keyboard.press("End")
        wait_until(lambda: four._playback.frame == 29, page)
        page.get_by_label("dance", exact=True).first.click()
        page.get_by_role("option", name="first").click()
        page.get_by_text("first cannot be shown").first.wait_for()
        wait_until(lambda: page.get_by_label("dance", exact=True).first.input_value() == "second", page)
        assert not errors
