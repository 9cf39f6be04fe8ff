"""Audio that only ffmpeg reads, decoded by the one that comes with the package imageio-ffmpeg."""

import errno
import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from skeleton2stage.errors import UserError
from skeleton2stage.ffmpeg_program import ffmpeg_program
from skeleton2stage.limits import MOST_SAMPLES

_MOST_BYTES = 4 * MOST_SAMPLES  # of float32: what a small file may decode to before it is given up


@contextmanager
def decoded_as_wav(path: Path) -> Iterator[Path]:
    """Yield a temporary WAV, float32 at the file's own rate and channels, of the first audio track of a file.

    Raises UserError with ffmpeg's reason where it holds no audio that can be decoded, and OSError where the folder of
    temporary files takes no more.
    """
    with tempfile.TemporaryDirectory(prefix="skeleton2stage_") as folder:
        wav = Path(folder) / "decoded.wav"
        # "file:" and the whitelist keep names and playlists from being taken for addresses.
        command = [ffmpeg_program(), "-nostdin", "-v", "error", "-protocol_whitelist", "file",
                   "-i", f"file:{path.resolve()}", "-map", "0:a:0", "-c:a", "pcm_f32le", "-rf64", "auto",
                   "-fs", str(_MOST_BYTES), str(wav)]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False)
        if done.returncode != 0 or not wav.is_file():
            said = done.stderr.decode("utf-8", "replace")
            for refused in (errno.ENOSPC, errno.EDQUOT):
                if os.strerror(refused).lower() in said.lower():
                    raise OSError(refused, os.strerror(refused), tempfile.gettempdir())
            raise UserError(_reason(said))
        if wav.stat().st_size >= _MOST_BYTES:
            raise UserError("it decodes to more sound than a song has: cut it into parts")
        yield wav


def _reason(said: str) -> str:
    """Return ffmpeg's complaint in a few words, of the lines that it wrote."""
    if "matches no streams" in said:
        return "it holds no audio"
    lines = [line.rsplit("] ", 1)[-1].strip() for line in said.splitlines() if line.strip()]
    return (lines[-1].rsplit(": ", 1)[-1] if lines else "ffmpeg does not know it").rstrip(".").lower()
