"""The ffmpeg that writes videos and decodes what other libraries cannot."""

import shutil

import imageio_ffmpeg

from skeleton2stage.errors import UserError


def ffmpeg_program() -> str:
    """Return the ffmpeg that comes with imageio-ffmpeg, or the one that IMAGEIO_FFMPEG_EXE names.

    Raises UserError where there is none that can be run.
    """
    try:
        program = imageio_ffmpeg.get_ffmpeg_exe()
    except RuntimeError:
        program = None
    if program is None or shutil.which(program) is None:
        missing = f"{program} cannot be run as ffmpeg" if program else "there is no ffmpeg"
        raise UserError(
            f"{missing}: pip install --force-reinstall imageio-ffmpeg, or name one in IMAGEIO_FFMPEG_EXE"
        )
    return program
