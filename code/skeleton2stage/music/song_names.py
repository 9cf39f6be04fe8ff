"""Which song a dance is danced to, told by the names that the field gives to dances.

| a dance | its song |
| --- | --- |
| SONG, or SONG_1 to SONG_4 of several samples | SONG |
| test_SONG, 100_SONG, test_0_SONG: EDGE's | SONG |
| gBR_sBM_cAll_d04_mBR0_ch01: AIST++'s | mBR0 |
| SONG.json: Bailando's SONG.json.npy | SONG |

and any of these together: test_gBR_sBM_cAll_d04_mBR0_ch01_2 is danced to mBR0.
"""

import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path

from skeleton2stage.errors import UserError
from skeleton2stage.folder_walk import by_unique_stem
from skeleton2stage.music.audio import audio_in

# Each takes something off a dance's name by which its song's is nearer.
_SHORTENED = (
    re.compile(r"^(?P<song>.+)\.(?:json|npy|npz|pkl|pt|bvh|wav|mp3)$", re.IGNORECASE),
    re.compile(r"^(?:test|train|val)_(?P<song>.+)$", re.IGNORECASE),
    re.compile(r"^\d+_(?P<song>.*[^\d_].*)$"),
    re.compile(r"^(?P<song>.+?)[ _-]+(?:sample|seed|take)?[ _-]?\d+$", re.IGNORECASE),
    re.compile(r"^(?P<song>.+?) ?\(\d+\)$"),
    re.compile(r"^g[A-Z]{2}_s[A-Z]{2}_c(?:All|\d+)_d\d+_(?P<song>m[A-Z]{2}\d+)_ch\d+$"),
)


def songs_in(folder: Path, below: bool = False) -> dict[str, Path]:
    """Return the songs of a folder by name, if wanted those of the folders below it too.

    Raises UserError where it is not a folder, or two songs have one name.
    """
    if not folder.is_dir():
        raise UserError(f"{folder} is not a folder of songs")
    return by_unique_stem(audio_in(folder, below), "songs")


def song_of(stem: str, songs: dict[str, Path]) -> Path | None:
    """Return the song of a dance, of its file's name without suffix; None where no song is named so.

    Of several songs that the name could mean it is the one of which the least is taken off. Letters with accents
    are the same however a file system writes them.
    """
    known = {_composed(name): path for name, path in songs.items()}
    return next((known[name] for name in song_names(_composed(stem)) if name in known), None)


def song_names(stem: str) -> Iterator[str]:
    """Yield the names that the song of a dance may have, the dance's own first."""
    waiting, seen = [stem], {stem}
    while waiting:
        name = waiting.pop(0)
        yield name
        for pattern in _SHORTENED:
            found = pattern.match(name)
            if found and found["song"] not in seen:
                seen.add(found["song"])
                waiting.append(found["song"])


def _composed(name: str) -> str:
    return unicodedata.normalize("NFC", name)
