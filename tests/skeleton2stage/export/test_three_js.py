"""A .glb in three.js, in headless Chromium. Needs playwright, a Chromium, and `npm install three` in a folder:
S2S_NODE_MODULES=FOLDER/node_modules python -m pytest -m slow tests/skeleton2stage/export/test_three_js.py
"""

import functools
import os
import shutil
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
import torch

from headless_browser import open_page
from lively_motion import lively_motion
from skeleton2stage.body.body_model import load_body
from skeleton2stage.export.skinned_glb import write_glb
from skeleton2stage.motion import skeleton

VERTICES = [0, 1234, 4321, 6889]


class QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture
def address(tmp_path):
    modules = Path(os.environ.get("S2S_NODE_MODULES", ""))
    if not (modules / "three").is_dir():
        pytest.skip("no three.js: npm install three, and name its node_modules in S2S_NODE_MODULES")
    (tmp_path / "node_modules").symlink_to(modules)
    shutil.copy(Path(__file__).with_name("three_page.html"), tmp_path)
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(QuietHandler, directory=str(tmp_path)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/three_page.html"
    server.shutdown()


@pytest.mark.slow
def test_three_js_has_bones_and_skin_where_the_body_has_them(address, tmp_path):
    motion, body = lively_motion(40), load_body("open")
    write_glb(tmp_path / "dance.glb", motion, body, "dance", "vibe_ace")
    skin = body.vertices(torch.from_numpy(motion.poses), torch.from_numpy(motion.translation)).numpy()
    with open_page(address) as (page, errors):
        page.wait_for_function("window.clip")
        assert page.evaluate("clip") == {"name": "vibe_ace", "duration": pytest.approx(39 / 30, abs=1e-5)}
        for frame in (0, 20, 39):
            found = page.evaluate("([time, vertices]) => pose(time, vertices)", [frame / 30, VERTICES])
            bones = np.array([found["bones"][name] for name in skeleton.joint_names()])
            np.testing.assert_allclose(bones[:, [0, 2, 1]] * [1, -1, 1], motion.joints()[frame], atol=1e-4)
            points = np.array(found["points"])
            np.testing.assert_allclose(points[:, [0, 2, 1]] * [1, -1, 1], skin[frame, VERTICES], atol=1e-4)
        assert not errors
