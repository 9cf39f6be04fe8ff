"""Requests to end that come while a compiled module starts, whose own code may abort the process on an exception."""

import os
import signal
import subprocess
import sys

import pytest

from skeleton2stage import paths

# It sends itself a signal where soxr's compiled part, as it starts, has Python's enum make a type.
STARTS = """
import os, signal, sys, time
from importlib.machinery import ExtensionFileLoader
import numpy

def ask(frame, event, value):
    if event == "call" and frame.f_code.co_filename.endswith("enum.py"):
        while frame and frame.f_code is not ExtensionFileLoader.exec_module.__code__:
            frame = frame.f_back
        if frame:
            sys.setprofile(None)
            os.kill(os.getpid(), signal.{sent})

def main(arguments):
    sys.setprofile(ask)
    import soxr
    assert sys.getprofile() is None
    print("started", flush=True)
    time.sleep({longest_s})

{run}
"""
RUN = "from skeleton2stage.errors import run_main; run_main(main)"
# what runs in the background of a shell, as these tests may, ignores SIGINT
OBEYING = "import signal\nsignal.signal(signal.SIGINT, signal.default_int_handler)\n"


def run(folder, before, run, sent, longest_s=20):
    package = folder / "starts"
    package.mkdir()
    (package / "__init__.py").write_text(before)
    (package / "__main__.py").write_text(STARTS.format(run=run, sent=sent, longest_s=longest_s))
    return subprocess.run(
        [sys.executable, "-m", "starts"], capture_output=True, text=True, check=False, timeout=120,
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(folder), str(paths.REPOSITORY / "code")])},
    )


@pytest.mark.parametrize(("sent", "status"), [("SIGINT", 130), ("SIGTERM", 143)])
def test_a_request_waits_until_it_has_started(tmp_path, sent, status):
    done = run(tmp_path, OBEYING, RUN, sent)
    assert (done.returncode, done.stderr) == (status, "stopped\n")


def test_so_does_one_that_comes_while_a_program_imports_its_libraries(tmp_path):
    done = run(tmp_path, OBEYING + "import skeleton2stage", "main([])", "SIGINT")
    assert (done.returncode, done.stderr) == (-signal.SIGINT, "stopped\n")


def test_what_ignores_interruptions_goes_on_ignoring_them(tmp_path):
    done = run(tmp_path, OBEYING.replace("default_int_handler", "SIG_IGN"), RUN, "SIGINT", longest_s=0.1)
    assert (done.returncode, done.stdout, done.stderr) == (0, "started\n", "")
