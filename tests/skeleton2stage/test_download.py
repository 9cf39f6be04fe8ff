"""Downloads from a server of this machine that cuts off, refuses and changes its mind as real ones do."""

import hashlib
import json
import os
import re
import subprocess
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from skeleton2stage import download, paths
from skeleton2stage.download import MANIFEST, main, read_manifest
from skeleton2stage.errors import UserError
from skeleton2stage.fetch import fetch, sha256_of

CONTENT = bytes(range(256)) * 4000
SHA256 = hashlib.sha256(CONTENT).hexdigest()


class Handler(BaseHTTPRequestHandler):
    """Serves CONTENT as the path says; the server notes the ranges that it is asked for."""

    def do_GET(self):
        asked = self.headers.get("Range")
        self.server.asked.append(asked)
        start = int(re.match(r"bytes=(\d+)-", asked)[1]) if asked and "no_ranges" not in self.path else 0
        if "missing" in self.path or ("busy" in self.path and len(self.server.asked) < 3):
            self.send_error(404 if "missing" in self.path else 503)
        elif start >= len(CONTENT):
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{len(CONTENT)}")
            self.send_header("Content-Length", "0")
            self.end_headers()
        else:
            self.send_part(start, CONTENT[start : start + 200_000] if "cut_off" in self.path else CONTENT[start:])

    def send_part(self, start, sent):
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(CONTENT) - 1}/{len(CONTENT)}")
        self.send_header("Content-Type", "text/html" if "page" in self.path else "application/octet-stream")
        self.send_header("Content-Length", str(len(CONTENT) - start))
        self.end_headers()
        self.wfile.write(sent)

    def log_message(self, *arguments):
        pass


@pytest.fixture
def server():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.asked = []
    Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def address(server, name):
    return f"http://127.0.0.1:{server.server_port}/{name}"


def get(server, name, path, sha256=SHA256):
    return fetch(address(server, name), path, sha256, pause_s=0.01)


def manifest(path, server, *names, sha256=SHA256):
    files = [{"name": name, "url": address(server, name), "sha256": sha256} for name in names]
    one = {"about": "a", "terms": "free", "into": "dances", "then": "next: look at FOLDER", "files": files}
    path.write_text(json.dumps({"data": {"dances": one}}))
    return path


def test_a_file_arrives_whole_under_its_name(server, tmp_path):
    assert get(server, "whole", tmp_path / "new" / "a.bin") == SHA256
    assert os.listdir(tmp_path / "new") == ["a.bin"]
    assert (tmp_path / "new" / "a.bin").read_bytes() == CONTENT


def test_a_connection_that_ends_early_is_gone_on_with(server, tmp_path):
    assert get(server, "cut_off", tmp_path / "a.bin") == SHA256
    assert server.asked == [None, *(f"bytes={start}-" for start in range(200_000, 1_024_000, 200_000))]


def test_a_later_call_goes_on_with_what_an_earlier_one_left(server, tmp_path):
    (tmp_path / ".a.bin.partial").write_bytes(CONTENT[:1000])
    get(server, "whole", tmp_path / "a.bin")
    assert server.asked == ["bytes=1000-"] and (tmp_path / "a.bin").read_bytes() == CONTENT


def test_what_was_whole_before_the_renaming_is_not_fetched_again(server, tmp_path):
    (tmp_path / ".a.bin.partial").write_bytes(CONTENT)
    assert get(server, "whole", tmp_path / "a.bin") == SHA256
    assert os.listdir(tmp_path) == ["a.bin"]


@pytest.mark.parametrize("left", [CONTENT[:1000], CONTENT + b"more"])
def test_a_server_without_ranges_and_a_partial_file_that_is_too_long_begin_anew(server, tmp_path, left):
    (tmp_path / ".a.bin.partial").write_bytes(left)
    get(server, "no_ranges" if len(left) == 1000 else "whole", tmp_path / "a.bin")
    assert (tmp_path / "a.bin").read_bytes() == CONTENT


def test_a_busy_server_is_asked_again(server, tmp_path):
    assert get(server, "busy", tmp_path / "a.bin") == SHA256
    assert len(server.asked) == 3


@pytest.mark.parametrize(("name", "sha256", "said"), [
    ("missing", SHA256, "answered 404 Not Found: give its new address"),
    ("page", SHA256, "answered with a web page: fetch the file in a browser and save it as .*a.bin"),
    ("whole", "0" * 64, f"came with the sha256 {SHA256} in place of 000"),
])
def test_what_is_wrong_is_one_sentence_and_nothing_is_left(server, tmp_path, name, sha256, said):
    with pytest.raises(UserError, match=said) as caught:
        get(server, name, tmp_path / "a.bin", sha256)
    assert "\n" not in str(caught.value) and os.listdir(tmp_path) == []


def test_without_network_it_is_said_and_what_had_arrived_stays(server, tmp_path):
    (tmp_path / ".a.bin.partial").write_bytes(CONTENT[:1000])
    server.shutdown()
    server.server_close()
    with pytest.raises(UserError, match="is the network there\\? Run it again to go on from 1000 bytes, or save"):
        get(server, "whole", tmp_path / "a.bin")
    assert os.listdir(tmp_path) == [".a.bin.partial"]


def test_a_set_is_fetched_once(server, tmp_path, capsys):
    given = ["data", "dances", f"out={tmp_path / 'out'}", f"manifest={manifest(tmp_path / 'm.json', server, 'a', 'b')}"]
    main(given)
    assert sorted(os.listdir(tmp_path / "out")) == ["a", "b"] and len(server.asked) == 2
    assert f"next: look at {tmp_path / 'out'}" in capsys.readouterr().out
    main(given)
    assert len(server.asked) == 2
    (tmp_path / "out" / "b").write_bytes(b"mine")
    with pytest.raises(UserError, match=r"b is there, with the sha256 .* move it away and run again"):
        main(given)
    assert (tmp_path / "out" / "b").read_bytes() == b"mine"


def test_a_file_without_a_known_checksum_is_held_to_its_first_one(server, tmp_path, capsys):
    given = ["data", "dances", f"out={tmp_path / 'out'}"]
    given.append(f"manifest={manifest(tmp_path / 'm.json', server, 'a', sha256=None)}")
    main(given)
    assert f"a: no checksum is known for it; it came as sha256 {SHA256}" in capsys.readouterr().err
    assert json.loads((tmp_path / "out" / "checksums.json").read_text()) == {"a": SHA256}
    (tmp_path / "out" / "a").write_bytes(b"changed")
    with pytest.raises(UserError, match="move it away"):
        main(given)


def test_without_a_set_they_are_listed_and_an_unknown_one_is_told(capsys):
    main(["data"])
    assert "cmu_dance: 24 dances of Carnegie Mellon" in capsys.readouterr().out
    with pytest.raises(UserError, match="'foo': choose one of cmu_dance, "):
        main(["data", "foo"])


@pytest.mark.parametrize(("change", "said"), [
    ({"name": "../a"}, "'../a' is no name of a file"), ({"name": ".a"}, "is no name of a file"),
    ({"url": "file:///etc/passwd"}, "is no address"), ({"size": 3}, "must have exactly name, url, sha256"),
])
def test_a_manifest_that_is_wrong_is_told(tmp_path, change, said):
    file = {"name": "a", "url": "http://b/a", "sha256": None} | change
    one = {"about": "a", "terms": "", "into": "", "then": "", "files": [file]}
    (tmp_path / "m.json").write_text(json.dumps({"model": {"one": one}}))
    with pytest.raises(UserError, match=said):
        read_manifest(tmp_path / "m.json", "model")
    with pytest.raises(UserError, match="has no 'data'"):
        read_manifest(tmp_path / "m.json", "data")


def test_the_manifest_that_ships_has_the_demos_mocap_and_songs_checked(shared_data):
    data = read_manifest(MANIFEST, "data")
    notes = json.loads((paths.REPOSITORY / "scripts" / "cmu_dance_clips.json").read_text())
    assert set(notes["fps"]) < {file.name.removesuffix(".bvh") for file in data["cmu_dance"].files}
    assert {file.name: file.sha256 for file in data["songs"].files} == {
        song.name: sha256_of(song) for song in (shared_data / "music").glob("*.ogg")
    }
    assert "edge" in read_manifest(MANIFEST, "model")


@pytest.mark.parametrize("kind", ["data", "model"])
def test_the_scripts_run_it(kind):
    script = paths.REPOSITORY / "scripts" / f"download_{kind}.sh"
    environment = os.environ | {"PYTHONPATH": str(paths.REPOSITORY / "code")}
    done = subprocess.run(["bash", script], capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stderr
    assert set(re.findall(r"^(\w+): ", done.stdout, re.MULTILINE)) == set(download.read_manifest(MANIFEST, kind))
