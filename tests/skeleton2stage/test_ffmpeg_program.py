import errno
import os
import subprocess

import imageio_ffmpeg
import pytest

from skeleton2stage.errors import UserError
from skeleton2stage.ffmpeg_program import ffmpeg_program
from skeleton2stage.music import ffmpeg_audio
from skeleton2stage.music.audio import read_audio


def test_it_is_one_that_runs():
    assert subprocess.run([ffmpeg_program(), "-version"], capture_output=True, check=True).stdout.startswith(b"ffmpeg")


def none_there():
    raise RuntimeError("No ffmpeg exe could be found.")


@pytest.mark.parametrize(("found", "said"), [
    (none_there, "^there is no ffmpeg: pip install"),
    (lambda: "/no/such/ffmpeg", "^/no/such/ffmpeg cannot be run as ffmpeg: pip install"),
    (lambda: __file__, "cannot be run as ffmpeg"),
])
def test_where_there_is_none_it_is_a_sentence(tmp_path, monkeypatch, found, said):
    monkeypatch.setattr(imageio_ffmpeg, "get_ffmpeg_exe", found)
    with pytest.raises(UserError, match=said):
        ffmpeg_program()
    (tmp_path / "song.m4a").write_bytes(b"what only ffmpeg reads")
    with pytest.raises(UserError, match=r"cannot read .*song\.m4a as audio \(.*ffmpeg.*IMAGEIO_FFMPEG_EXE\)"):
        read_audio(tmp_path / "song.m4a")


def test_a_full_folder_of_temporary_files_is_not_the_songs_fault(tmp_path, monkeypatch):
    program = tmp_path / "full_ffmpeg"
    program.write_text(f"#!/bin/sh\necho 'Error writing trailer: {os.strerror(errno.ENOSPC)}' >&2\nexit 1\n")
    program.chmod(0o755)
    monkeypatch.setattr(ffmpeg_audio, "ffmpeg_program", lambda: str(program))
    (tmp_path / "song.m4a").write_bytes(b"what only ffmpeg reads")
    with pytest.raises(OSError) as error:
        read_audio(tmp_path / "song.m4a")
    assert error.value.errno == errno.ENOSPC
