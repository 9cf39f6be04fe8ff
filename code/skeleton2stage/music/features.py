"""A folder of music features to be used again: `python -m skeleton2stage.music.features music=DIR out=DIR kind=KIND`.

Its layout is that of EDGE's `--cache_features`: OUT/SONG/SONG_slice0.npy and so on, one each 2.5 s, of 5 s, [150, F].
Whatever takes music takes such a folder, without songs and without the extractor.
"""

import re
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tqdm import tqdm

from skeleton2stage.command_help import help_text, help_wanted
from skeleton2stage.config import load_config, to_dataclass
from skeleton2stage.errors import UserError, run_main
from skeleton2stage.files import atomic_path, read_json, write_json
from skeleton2stage.folder_walk import by_unique_stem
from skeleton2stage.music.audio import COMMON_SUFFIXES, audio_in
from skeleton2stage.music.kinds import KINDS, SONG_BEATS
from skeleton2stage.music.songs import load_song, windows
from skeleton2stage.settings import output_setting, setting

USAGE = "python -m skeleton2stage.music.features music=FILE_OR_DIR out=DIR [kind=KIND]"
EXIT_BAD_FILES = 1
LIST_NAME = "features.json"


@dataclass(frozen=True, kw_only=True)
class FeaturesConfig:
    """A folder of music features to be used again, in EDGE's layout."""

    music: Path = setting("a song of 5 s or longer, or a folder of songs")
    out: Path = output_setting(
        "folder they go to, as SONG/SONG_slice0.npy and so on; give it as music= wherever music is taken"
    )
    kind: str = setting(
        "baseline (EDGE's 35), song_beats (the same with the whole song's beats; the shipped model's), jukebox (4800)",
        default=SONG_BEATS, choices=KINDS,
    )
    seconds: float | None = setting(
        "only the slices of the song's first seconds; null: of the whole song", default=None, above=0
    )


def main(arguments: list[str]) -> int:
    """Write the features of a song, or of each song of a folder; return 1 where some could not be used."""
    if help_wanted(arguments):
        print(help_text(USAGE, "features", arguments))
        return 0
    config = to_dataclass(load_config("features", arguments), FeaturesConfig)
    songs = songs_of(config.music)
    check_out(config.out, config.kind)
    problems: list[UserError] = []
    for path in tqdm(songs, desc=f"{config.kind} features", unit="song", disable=None):
        try:
            n_slices = write_features(path, config.out, config.kind, config.seconds)
        except UserError as error:
            problems.append(error)
            if len(songs) > 1:
                print(f"left out {path.name}: {error}", file=sys.stderr)
            continue
        note_song(config.out, config.kind, path, n_slices)
    if len(problems) == len(songs):
        raise problems[0] if len(songs) == 1 else UserError(f"none of the {len(songs)} songs could be used")
    print(f"{config.kind} features of {len(songs) - len(problems)} songs are in {config.out}")
    return EXIT_BAD_FILES if problems else 0


def songs_of(source: Path) -> list[Path]:
    """Return a song, or the songs of a folder; raise UserError for none, or two of one name."""
    if not source.is_dir():
        return [source]
    songs = by_unique_stem(audio_in(source), "songs")
    if not songs:
        raise UserError(f"{source} holds no songs ({', '.join(COMMON_SUFFIXES)})")
    return list(songs.values())


def check_out(folder: Path, kind: str) -> None:
    """Raise UserError where a folder holds features of another kind, or is none."""
    if folder.exists() and not folder.is_dir():
        raise UserError(f"out={folder} is a file where a folder for the features was expected")
    other = _list_of(folder).get("kind", kind)
    if other != kind:
        raise UserError(f"{folder} holds {other} features: give another folder for {kind} ones")


def write_features(song: Path, folder: Path, kind: str, seconds: float | None) -> int:
    """Write folder/SONG/SONG_sliceN.npy, each whole or not at all, and return how many there are.

    Slices of an earlier, longer version of the song are removed. Raises UserError where the song cannot be used.
    """
    heard = load_song(song)
    slices = windows(heard if seconds is None else heard.cut(max(seconds, 5.0)), kind=kind)
    own = folder / heard.name
    for number, features in enumerate(slices):
        with atomic_path(own / f"{heard.name}_slice{number}.npy") as temporary, temporary.open("wb") as file:
            np.save(file, features, allow_pickle=False)
    for path in own.iterdir():
        found = re.fullmatch(r"_slice(\d+)\.npy", path.name.removeprefix(heard.name))
        if found and int(found[1]) >= len(slices):
            path.unlink()
    return len(slices)


def note_song(folder: Path, kind: str, song: Path, n_slices: int) -> None:
    """Add a song to the list of what a folder holds."""
    songs = _list_of(folder).get("songs", {}) | {song.stem: {"file": song.name, "slices": n_slices}}
    write_json(folder / LIST_NAME, {"kind": kind, "songs": dict(sorted(songs.items()))})


def _list_of(folder: Path) -> dict:
    path = folder / LIST_NAME
    content = read_json(path) if path.is_file() else {}
    if not isinstance(content, dict) or not isinstance(content.get("songs", {}), dict):
        raise UserError(f"{path} is no list of features that this program wrote: give another folder, or remove it")
    return content


if __name__ == "__main__":
    run_main(main)
