"""Music to dance to, as the windows of features a dance model takes: from songs, tracks or cached features."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from dance_model.diffusion.long import n_windows, overlapping_windows
from skeleton2stage.arrays import read_npy
from skeleton2stage.errors import UserError
from skeleton2stage.folder_walk import files_in, is_hidden, of_kinds
from skeleton2stage.motion.motion import FPS
from skeleton2stage.music.audio import COMMON_SUFFIXES, MIN_DURATION_S, audio_in, require_duration
from skeleton2stage.music.kinds import BASELINE
from skeleton2stage.music.slicing import SAMPLING_STRIDE_S, WINDOW_S
from skeleton2stage.music.songs import Song, load_song, windows
from skeleton2stage.music.tracks import Track, load_tracks

FEATURE_SUFFIX = ".npy"
TRACKS_SUFFIX = ".json"
WINDOW_FRAMES = round(WINDOW_S * FPS)
# Beats are tracked over this much more than is danced to: a tracker misplaces those of the last seconds that it hears.
BEATS_MARGIN_S = 5.0
STRIDE_FRAMES = round(SAMPLING_STRIDE_S * FPS)  # half a window, as n_windows and overlapping_windows have it


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
    """A piece of music yet to be read: `load` takes the kind of features that audio is to be turned into."""

    path: Path
    load: Callable[[str], DanceMusic]

    def read(self, kind: str = BASELINE) -> DanceMusic:
        """Return the piece, its features of this kind (see kinds.KINDS) where they are made here.

        Features that come from files are what they are. Raises UserError where the music cannot be used.
        """
        return self.load(kind)


def music_sources(source: Path, seconds: float | None) -> list[MusicSource]:
    """Return the music in a place, sorted by name, each to be read for dances of at most `seconds`, None: whole.

    The place is a song; a folder of songs; a file of percussion tracks (.json); a folder of cached features,
    one .npy a dance; or, as EDGE lays them out, a folder of folders SONG/*.npy of 5 s slices 2.5 s apart, one
    folder a dance. Features are preferred where a folder has both. Raises UserError where there is none of these.
    """
    if seconds is not None and seconds < MIN_DURATION_S:
        raise UserError(f"a dance lasts at least {MIN_DURATION_S:g} s: seconds={seconds:g} is too short")
    if source.suffix == TRACKS_SUFFIX:
        return [_track_source(track, seconds) for track in load_tracks(source)]
    if source.is_file():
        return [_source(source, seconds)]
    if not source.is_dir():
        raise UserError(f"{source} does not exist: give a song, a folder of songs, or one of cached features")
    files = sorted(path for path in source.iterdir() if not is_hidden(path))
    for found in (
        [path for path in files if path.is_dir() and _slices_in(path)],
        [path for path in files if path.suffix == FEATURE_SUFFIX],
        audio_in(source),
    ):
        if found:
            _check_names(found)
            return [_source(path, seconds) for path in found]
    songs = ", ".join(COMMON_SUFFIXES)
    raise UserError(f"{source} holds neither songs ({songs}) nor music features ({FEATURE_SUFFIX})")


def _check_names(found: list[Path]) -> None:
    """Raise UserError where two pieces would give dances of one name, as song.wav beside song.mp3 does."""
    by_name = {_name(path): path for path in found}
    for path in found:
        if by_name[_name(path)] != path:
            raise UserError(f"{path} and {by_name[_name(path)].name} have the same name: rename or remove one of them")


def _name(path: Path) -> str:
    return path.name if path.is_dir() else path.stem


def _source(path: Path, seconds: float | None) -> MusicSource:
    if path.is_dir():
        return MusicSource(path, lambda _: read_slices(path, seconds))
    if path.suffix == FEATURE_SUFFIX:
        return MusicSource(path, lambda _: read_features(path, seconds))
    return MusicSource(path, lambda kind: heard(load_song(path), seconds, kind))


def _track_source(track: Track, seconds: float | None) -> MusicSource:
    return MusicSource(Path(track.name), lambda kind: heard(track.song(), seconds, kind))


def heard(song: Song, seconds: float | None, kind: str = BASELINE) -> DanceMusic:
    """Return a song's beginning as features of a kind, each window extracted by itself as EDGE does.

    A song shorter than `seconds` gives the whole windows that it has. With None the dance lasts as long as the
    song, whose last window is filled up with silence. A song under 5 s raises UserError.
    """
    require_duration(song.audio, song.sample_rate_hz, MIN_DURATION_S, song.path or Path(song.name))
    if seconds is None:
        n_frames = int(len(song.audio) * FPS // song.sample_rate_hz)
        song = song.lasting(_covering_s(n_frames))
    else:
        n_frames = round(seconds * FPS)
        song = song.cut(_covering_s(n_frames) + BEATS_MARGIN_S)
    pieces = windows(song, kind=kind, at_most=n_windows(n_frames, WINDOW_FRAMES))
    return _dance_music(song.name, torch.from_numpy(pieces), n_frames)


def _covering_s(n_frames: int) -> float:
    """Return how long the windows that cover a dance of n_frames are together, s."""
    return WINDOW_S + SAMPLING_STRIDE_S * (n_windows(n_frames, WINDOW_FRAMES) - 1)


def read_features(path: Path, seconds: float | None) -> DanceMusic:
    """Return the beginning of a file of features [T, F], T at least 150; all of it where `seconds` is None."""
    features = _load(path)[: _frames(seconds)]
    return DanceMusic(path.stem, overlapping_windows(features, WINDOW_FRAMES), len(features))


def read_slices(folder: Path, seconds: float | None) -> DanceMusic:
    """Return the first slices [150, F] of a song's folder, or all of them, in the order of their numbers."""
    n_frames = _frames(seconds)
    wanted = None if n_frames is None else n_windows(n_frames, WINDOW_FRAMES)
    files = sorted(_slices_in(folder), key=_number_of)[:wanted]
    slices = [_load(path)[:WINDOW_FRAMES] for path in files]
    if len({piece.shape[1] for piece in slices}) > 1:
        raise UserError(f"the slices in {folder} have different numbers of features")
    return _dance_music(folder.name, torch.stack(slices), n_frames)


def _slices_in(folder: Path) -> list[Path]:
    return of_kinds(files_in(folder, below=False), [FEATURE_SUFFIX])


def _frames(seconds: float | None) -> int | None:
    return None if seconds is None else round(seconds * FPS)


def _dance_music(name: str, pieces: torch.Tensor, n_frames: int | None) -> DanceMusic:
    """Return windows [N, 150, F] for a dance of n_frames, None or too many: of as many as they cover."""
    covered = WINDOW_FRAMES + (len(pieces) - 1) * STRIDE_FRAMES
    return DanceMusic(name, pieces, covered if n_frames is None else min(n_frames, covered))


def _number_of(path: Path) -> tuple[int, str]:
    """Order slice10 after slice9."""
    numbers = re.findall(r"\d+", path.stem)
    return int(numbers[-1]) if numbers else 0, path.stem


def _load(path: Path) -> torch.Tensor:
    """Return features [T, F] of an .npy file."""
    features = read_npy(path)
    if not isinstance(features, np.ndarray):
        raise UserError(f"{path} holds a {type(features).__name__} where an array of features was expected")
    if features.ndim != 2 or len(features) < WINDOW_FRAMES:
        raise UserError(
            f"{path} holds an array {list(features.shape)} where features [T, F] of at least {WINDOW_FRAMES} frames "
            "were expected"
        )
    if not np.issubdtype(features.dtype, np.number) or not np.isfinite(features).all():
        raise UserError(f"{path} holds values that are not finite numbers: make it again from its song")
    return torch.from_numpy(features.astype(np.float32))
