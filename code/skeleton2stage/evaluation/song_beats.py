"""The songs that motions are danced to, by their names, and the songs' beats."""

import sys
from pathlib import Path

import numpy as np
from tqdm import tqdm

from skeleton2stage.errors import UserError
from skeleton2stage.music.audio import COMMON_SUFFIXES, read_audio
from skeleton2stage.music.cache import cached_beats
from skeleton2stage.music.song_names import song_of, songs_in


def song_beats(folder: Path, motions: list[str]) -> dict[str, np.ndarray]:
    """Return motion -> beats (frames at 60 fps) of its song (`song_of`), for those that have one.

    Motions without one are named on stderr, as are songs that cannot be read.
    """
    songs = songs_in(folder)
    if not songs:
        raise UserError(f"no songs ({', '.join(COMMON_SUFFIXES)}) in {folder}")
    beats = {}
    for name in tqdm(motions, desc="beats of the music", unit="song", leave=False, disable=None):
        try:
            song = song_of(Path(name).stem, songs)
            if song is None:
                raise UserError(f"no song in {folder} has its name")
            beats[name] = cached_beats(*read_audio(song))
        except UserError as error:
            print(f"no bas for {name}: {error}", file=sys.stderr)
    return beats
