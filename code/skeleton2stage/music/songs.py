"""Songs: audio with its name, and the feature windows that dances are conditioned on."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from skeleton2stage.errors import UserError
from skeleton2stage.folder_walk import by_unique_stem
from skeleton2stage.music import audio as audio_files
from skeleton2stage.music.baseline_features import aist_tempo_bpm
from skeleton2stage.music.beats import music_beats
from skeleton2stage.music.cache import cached_features
from skeleton2stage.music.kinds import BASELINE
from skeleton2stage.music.slicing import SAMPLING_STRIDE_S, WINDOW_S
from skeleton2stage.music.window_features import window_features


@dataclass(frozen=True, eq=False)
class Song:
    """A piece of music.

    name: file name without suffix, or a track's name.
    audio: mono float32 [N] at sample_rate_hz, the file's own rate: resampling belongs to the
        extractors, which do it slice by slice as EDGE does.
    path: the file it came from, None for a synthesised track.
    """

    name: str
    audio: np.ndarray
    sample_rate_hz: int
    path: Path | None = None

    def __post_init__(self) -> None:
        audio_files.check_mono(self.audio)

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return len(self.audio) / self.sample_rate_hz

    def features(self) -> np.ndarray:
        """Return features [T, 35] at 30 fps of the whole song at once; for conditioning use `windows`."""
        return cached_features(self.audio, self.sample_rate_hz, aist_tempo_bpm(self.name))

    def beats(self, n_frames: int | None = None) -> np.ndarray:
        """Return the beats as frames at 60 fps, those before `n_frames` only where it is given."""
        return music_beats(self.audio, self.sample_rate_hz, n_frames)

    def cut(self, seconds: float) -> "Song":
        """Return the first `seconds` of the song."""
        return replace(self, audio=self.audio[: int(seconds * self.sample_rate_hz)])

    def lasting(self, seconds: float) -> "Song":
        """Return the first `seconds` of the song, followed by silence where it ends before them."""
        missing = max(0, int(seconds * self.sample_rate_hz) - len(self.audio))
        return replace(self, audio=np.pad(self.cut(seconds).audio, (0, missing)))


def load_song(path: Path) -> Song:
    """Return the song in an audio file.

    Raises UserError, naming the file, where it is missing, damaged, or shorter than 5 s.
    """
    path = Path(path)
    samples, sample_rate_hz = audio_files.read_audio(path)
    audio_files.require_duration(samples, sample_rate_hz, audio_files.MIN_DURATION_S, path)
    return Song(path.stem, samples, sample_rate_hz, path)


def load_songs(source: Path) -> list[Song]:
    """Return the song of a file, or all songs of a folder (not its subfolders) in the order of their names.

    Raises UserError where there is none, two have one name, or any cannot be used.
    """
    source = Path(source)
    if not source.is_dir():
        return [load_song(source)]
    files = audio_files.audio_in(source)
    if not files:
        raise UserError(f"{source} holds no audio files ({', '.join(audio_files.COMMON_SUFFIXES)})")
    return [load_song(file) for file in by_unique_stem(files, "songs").values()]


def windows(
    song: Song,
    seconds: float = WINDOW_S,
    stride_s: float = SAMPLING_STRIDE_S,
    kind: str = BASELINE,
    at_most: int | None = None,
) -> np.ndarray:
    """Return features [S, 30 · seconds, F] of all windows of a song, one each `stride_s` seconds.

    at_most: how many windows are wanted, the first ones; beats are tracked over the whole song all the same.
    kind: of the features, one of kinds.KINDS; F is 35 or, for jukebox, 4800.
    As in EDGE each window's features are extracted from its own 5 s of audio, not cut out of the
    song's: decibel floors, tuning, onset and beat thresholds inside the extractor are the window's own; but for the
    beats of song_beats. Through the cache. Raises UserError where the song is shorter than one window, or the
    extractor is missing.
    """
    audio_files.require_duration(song.audio, song.sample_rate_hz, seconds, song.path or Path(song.name))
    return window_features(song.audio, song.sample_rate_hz, song.name, kind, seconds, stride_s, at_most)
