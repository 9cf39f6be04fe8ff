"""The songs that motions are danced to, by their names, and the songs' beats."""

import re
import sys
from pathlib import Path

import numpy as np
from tqdm import tqdm

from skeleton2stage.errors import UserError
from skeleton2stage.music.audio import AUDIO_SUFFIXES, audio_in, read_audio
from skeleton2stage.music.cache import cached_beats


def songs_in(folder: Path) -> dict[str, Path]:
    """Return the songs of a folder by name; raise UserError where it is not one."""
    if not folder.is_dir():
        raise UserError(f"{folder} is not a folder of songs")
    return {path.stem: path for path in audio_in(folder)}


def song_of(motion: str, songs: dict[str, Path]) -> Path | None:
    """Return the song of a motion file among songs by name: SONG.pkl's, or as one of several samples SONG_1.pkl's."""
    stem = Path(motion).stem
    return songs.get(stem) or songs.get(re.sub(r"_\d+$", "", stem))


def song_beats(folder: Path, motions: list[str]) -> dict[str, np.ndarray]:
    """Return motion -> beats (frames at 60 fps) of the song that has its name, for those that have one.

    Motions without one are named on stderr, as are songs that cannot be read.
    """
    songs = songs_in(folder)
    if not songs:
        raise UserError(f"no songs ({', '.join(AUDIO_SUFFIXES)}) in {folder}")
    beats = {}
    for name in tqdm(motions, desc="beats of the music", unit="song", leave=False, disable=None):
        try:
            song = song_of(name, songs)
            if song is None:
                raise UserError(f"no song of that name in {folder}")
            beats[name] = cached_beats(*read_audio(song))
        except UserError as error:
            print(f"no bas for {name}: {error}", file=sys.stderr)
    return beats
