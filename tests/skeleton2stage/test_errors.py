"""What a person at the keyboard is told."""

import errno
import os
import subprocess
import sys

import pytest

from skeleton2stage import errors, paths

PROGRAM = "from skeleton2stage.errors import run_main\ndef main(arguments):\n    {}\nrun_main(main)\n"


def run(body, **environment):
    code = paths.REPOSITORY / "code"
    return subprocess.run(
        [sys.executable, "-c", PROGRAM.format(body)], capture_output=True,
        env=os.environ | {"PYTHONPATH": str(code)} | environment, check=False,
    )


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_any_output_can_be_written_anywhere(encoding):
    done = run("print('penetration \u2193 0.5')", PYTHONIOENCODING=encoding)
    assert done.returncode == 0 and b"penetration" in done.stdout and not done.stderr


@pytest.mark.parametrize(("body", "said"), [
    ("open('/proc/none/x')", "/proc/none/x: no such file or directory"),
    ("open('/proc/version/x')", "a file is where a folder is needed"),
    ("open('/', 'w')", "a folder is where a file is needed"),
    ("with open('/dev/full', 'w') as f: f.write('x')", "no space left on device: free some space and start again"),
])
def test_what_the_machine_refuses_is_a_sentence(body, said):
    done = run(body)
    lines = done.stderr.decode().splitlines()
    assert done.returncode == 2 and len(lines) == 1 and lines[0].startswith("error: ") and said in lines[0]


def test_a_reader_who_leaves_ends_a_program_quietly():
    program = PROGRAM.format("[print('line', i) for i in range(100000)]")
    command = f'"{sys.executable}" -c "$PROGRAM" | head -1; echo "${{PIPESTATUS[0]}}"'
    done = subprocess.run(
        ["bash", "-c", command], capture_output=True, check=False,
        env=os.environ | {"PROGRAM": program, "PYTHONPATH": str(paths.REPOSITORY / "code")},
    )
    assert done.stdout.decode().split() == ["line", "0", str(errors.EXIT_PIPE_CLOSED)] and not done.stderr


def test_every_refusal_names_its_place():
    error = OSError(errno.ENOSPC, "No space left on device", "/data/run/state.pt")
    assert errors.refusal(error).startswith("/data/run/state.pt: no space left on device: free some space")
    assert errors.refusal(OSError("odd")) == "odd"
