"""Music to dance to, as the windows of features a dance model takes: from songs, tracks or cached features."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch

from rl_finetune.dance_model.long import music_windows, n_windows
from skeleton2stage.errors import UserError
from skeleton2stage.motion.motion import FPS
from skeleton2stage.music.audio import AUDIO_SUFFIXES, MIN_DURATION_S
from skeleton2stage.music.slicing import SAMPLING_STRIDE_S, WINDOW_S
from skeleton2stage.music.songs import Song, load_song, windows
from skeleton2stage.music.tracks import Track, load_tracks

FEATURE_SUFFIX = ".npy"
TRACKS_SUFFIX = ".json"
WINDOW_FRAMES = round(WINDOW_S * FPS)
STRIDE_FRAMES = round(SAMPLING_STRIDE_S * FPS)  # half a window, as n_windows and music_windows have it


@dataclass(frozen=True)
class DanceMusic:
    """What one dance is danced to.

    name: the song's, which the dance's file takes over. windows: [N, 150, F] features at 30 fps, each window
    half a window after the last. n_frames: length of the dance, at most what the windows cover.
    """

    name: str
    windows: torch.Tensor
    n_frames: int


@dataclass(frozen=True)
class MusicSource:
    """A piece of music yet to be read: `read` raises UserError where it cannot be used."""

    path: Path
    read: Callable[[], DanceMusic]


def music_sources(source: Path, seconds: float) -> list[MusicSource]:
    """Return the music in a place, sorted by name, each to be read for dances of at most `seconds`.

    The place is a song; a folder of songs; a file of percussion tracks (.json); a folder of cached features,
    one .npy a dance; or, as EDGE lays them out, a folder of folders SONG/*.npy of 5 s slices 2.5 s apart, one
    folder a dance. Features are preferred where a folder has both. Raises UserError where there is none of these.
    """
    if seconds < MIN_DURATION_S:
        raise UserError(f"a dance lasts at least {MIN_DURATION_S:g} s: seconds={seconds:g} is too short")
    if source.suffix == TRACKS_SUFFIX:
        return [MusicSource(Path(track.name), partial(read_track, track, seconds)) for track in load_tracks(source)]
    if source.is_file():
        return [_source(source, seconds)]
    if not source.is_dir():
        raise UserError(f"{source} does not exist: give a song, a folder of songs, or one of cached features")
    files = sorted(source.iterdir())
    for found in (
        [path for path in files if path.is_dir() and any(path.glob(f"*{FEATURE_SUFFIX}"))],
        [path for path in files if path.suffix == FEATURE_SUFFIX],
        [path for path in files if path.suffix.lower() in AUDIO_SUFFIXES],
    ):
        if found:
            _check_names(found)
            return [_source(path, seconds) for path in found]
    raise UserError(f"{source} holds neither songs ({', '.join(AUDIO_SUFFIXES)}) nor music features ({FEATURE_SUFFIX})")


def _check_names(found: list[Path]) -> None:
    """Raise UserError where two pieces would give dances of one name, as song.wav beside song.mp3 does."""
    by_name = {_name(path): path for path in found}
    for path in found:
        if by_name[_name(path)] != path:
            raise UserError(f"{path} and {by_name[_name(path)].name} have the same name: rename or remove one of them")


def _name(path: Path) -> str:
    return path.name if path.is_dir() else path.stem


def _source(path: Path, seconds: float) -> MusicSource:
    if path.is_dir():
        return MusicSource(path, partial(read_slices, path, seconds))
    if path.suffix == FEATURE_SUFFIX:
        return MusicSource(path, partial(read_features, path, seconds))
    return MusicSource(path, partial(read_song, path, seconds))


def read_song(path: Path, seconds: float) -> DanceMusic:
    """Return a song's beginning as baseline features, each window extracted by itself as EDGE does.

    A song shorter than `seconds` gives the whole windows that it has; one under 5 s raises UserError.
    """
    return _heard(load_song(path), path, seconds)


def read_track(track: Track, seconds: float) -> DanceMusic:
    """Return a percussion track's beginning as baseline features, like a song's."""
    return _heard(track.song(), Path(track.name), seconds)


def _heard(song: Song, path: Path, seconds: float) -> DanceMusic:
    heard_s = WINDOW_S + SAMPLING_STRIDE_S * (n_windows(round(seconds * FPS), WINDOW_FRAMES) - 1)
    return _dance_music(path, torch.from_numpy(windows(song.cut(heard_s))), seconds)


def read_features(path: Path, seconds: float) -> DanceMusic:
    """Return the beginning of a file of features [T, F], T at least 150."""
    features = _load(path)[: round(seconds * FPS)]
    return DanceMusic(path.stem, music_windows(features, WINDOW_FRAMES), len(features))


def read_slices(folder: Path, seconds: float) -> DanceMusic:
    """Return the first slices [150, F] of a song's folder, in the order of their numbers."""
    files = sorted(folder.glob(f"*{FEATURE_SUFFIX}"), key=_number_of)[: n_windows(round(seconds * FPS), WINDOW_FRAMES)]
    slices = [_load(path)[:WINDOW_FRAMES] for path in files]
    if len({piece.shape[1] for piece in slices}) > 1:
        raise UserError(f"the slices in {folder} have different numbers of features")
    return _dance_music(folder, torch.stack(slices), seconds)


def _dance_music(path: Path, pieces: torch.Tensor, seconds: float) -> DanceMusic:
    covered = WINDOW_FRAMES + (len(pieces) - 1) * STRIDE_FRAMES
    return DanceMusic(_name(path), pieces, min(round(seconds * FPS), covered))


def _number_of(path: Path) -> tuple[int, str]:
    """Order slice10 after slice9."""
    numbers = re.findall(r"\d+", path.stem)
    return int(numbers[-1]) if numbers else 0, path.stem


def _load(path: Path) -> torch.Tensor:
    """Return features [T, F] of an .npy file."""
    try:
        features = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise UserError(f"{path} is damaged or no array of numbers ({error}): make it again") from None
    if features.ndim != 2 or len(features) < WINDOW_FRAMES:
        raise UserError(
            f"{path} holds an array {list(features.shape)} where features [T, F] of at least {WINDOW_FRAMES} frames "
            "were expected"
        )
    if not np.issubdtype(features.dtype, np.number) or not np.isfinite(features).all():
        raise UserError(f"{path} holds values that are not finite numbers: make it again from its song")
    return torch.from_numpy(features.astype(np.float32))
