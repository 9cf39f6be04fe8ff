"""Preparing training windows: motions with their songs, or with percussion made from their own beats."""

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from dance_model.training.window_config import WindowConfig
from dance_model.training.windows import DanceWindows, load_windows, made_from
from skeleton2stage.errors import UserError
from skeleton2stage.motion import motion_layout as layouts
from skeleton2stage.motion.clip_windows import window_starts
from skeleton2stage.motion.formats.file_listing import by_stem, motion_files
from skeleton2stage.motion.formats.read_motion import read_motion
from skeleton2stage.motion.motion import FPS, Motion
from skeleton2stage.motion.motion_curve import MotionCurve
from skeleton2stage.music.audio import read_audio
from skeleton2stage.music.groove import MAX_BPM, MIN_BPM, groove_from_motion
from skeleton2stage.music.on_beat import even, movement_times
from skeleton2stage.music.percussion import SAMPLE_RATE_HZ, synthesise
from skeleton2stage.music.slicing import WINDOW_S
from skeleton2stage.music.song_names import song_of, songs_in
from skeleton2stage.music.window_features import window_features

WINDOW_FRAMES = round(WINDOW_S * FPS)
# Cost of uneven beats against falling on the dancer's own: at this one the dance runs an eighth faster or slower from
# beat to beat (standard deviation, 24 salsa and other dances of CMU).
STEADINESS = 8.0


def dance_windows(data: Path, config: WindowConfig) -> DanceWindows:
    """Return the windows of a folder of motions, or those already prepared in an npz.

    A folder's windows are kept beside it and made again when a file or the configuration changes.
    """
    if data.is_file():
        return load_windows(data)
    motions, songs = find_files(data)
    inputs = _description(motions, songs, config)
    cached = cache_file(data)
    if made_from(cached) == inputs:
        return load_windows(cached)
    windows = prepare(motions, songs, config)
    windows.save(cached, inputs)
    return windows  # not what the file has by now: another training may keep windows of its own there


def cache_file(folder: Path) -> Path:
    """Return where a folder's windows are kept: beside it, so that it holds nothing but motions and songs."""
    folder = folder.resolve()
    return folder.with_name(f"{folder.name}_windows.npz")


def find_files(folder: Path) -> tuple[dict[str, Path], dict[str, Path]]:
    """Return the motion files and the audio files anywhere in a folder, by stem.

    Raises UserError where there are no motions, or two motions or two songs of one stem.
    """
    return by_stem(motion_files(folder)), songs_in(folder, below=True)


def _description(motions: dict[str, Path], songs: dict[str, Path], config: WindowConfig) -> str:
    files = {
        str(path.name): [path.stat().st_size, path.stat().st_mtime_ns] for path in (*motions.values(), *songs.values())
    }
    return json.dumps({"config": asdict(config), "files": files}, sort_keys=True)


def prepare(motions: dict[str, Path], songs: dict[str, Path], config: WindowConfig) -> DanceWindows:
    """Cut all motions of at least 5 s into windows with their music."""
    layout = layouts.layout_named(config.layout)
    frames, starts, clips, music, names = [], [], [], [], []
    n_frames = 0
    for number, (stem, path) in enumerate(tqdm(sorted(motions.items()), desc="windows")):
        motion = read_motion(path)
        if len(motion) < WINDOW_FRAMES:
            continue
        for dance, audio, rate_hz in danced(motion, song_of(stem, songs), config, config.seed * 100_003 + number):
            own = window_starts(len(dance), WINDOW_FRAMES, round(config.stride_s * FPS))
            heard = window_features(audio, rate_hz, stem, config.music, WINDOW_S, config.stride_s, len(own))
            if not len(heard):
                continue
            starts.append(own[: len(heard)] + n_frames)
            clips.append(np.full(len(heard), len(names)))
            music.append(heard)
            frames.append(clip_vectors(dance, layout))
            n_frames += len(dance)
        if clips and clips[-1][0] == len(names):
            names.append(stem)
    if not names:
        raise UserError(f"none of the {len(motions)} motions lasts {WINDOW_S:g} s, the length of a window")
    arrays = (np.concatenate(frames), np.concatenate(starts), np.concatenate(clips), np.concatenate(music))
    return DanceWindows(*map(torch.from_numpy, arrays), tuple(names))


def clip_vectors(motion: Motion, layout: layouts.MotionLayout) -> np.ndarray:
    """Return a clip's motion vectors [T, D] float32."""
    poses, translation = torch.from_numpy(motion.poses), torch.from_numpy(motion.translation)
    return layouts.encode(poses, translation, layout).numpy()


def danced(
    motion: Motion, song: Path | None, config: WindowConfig, seed: int
) -> Iterator[tuple[Motion, np.ndarray, int]]:
    """Yield a clip with its song: motion, samples, rate in Hz. Without a song: each rendition's version and percussion.

    A song is cut at the end of the clip, which began with it. Percussion is even, each rendition's of its own tempo,
    pattern and timbre, and the movement is brought onto its beats.
    """
    if song is not None:
        audio, rate_hz = read_audio(song)
        yield motion, audio[: round(motion.duration_s * rate_hz)], rate_hz
        return
    joints, curve = motion.joints(), MotionCurve(motion)
    times_s = np.arange(len(motion)) / motion.fps
    for rendition, bpm in enumerate(tempo_ranges(config.renditions)):
        dancer = groove_from_motion(joints, motion.fps, bpm=bpm, steadiness=STEADINESS)
        version = curve.at(motion.fps * movement_times(dancer, times_s, config.accent))
        audio = synthesise(even(dancer), motion.duration_s, seed * config.renditions + rendition)
        yield version, audio, SAMPLE_RATE_HZ


def tempo_ranges(count: int) -> list[tuple[float, float]]:
    """Return `count` ranges of tempo, beats a minute, that part 80 to 140 in equal proportions.

    A dancer's beats alone would give every clip about the tempo it fits best, and a model that has never heard another:
    salsa came out at 80 to 95.
    """
    bounds = np.geomspace(MIN_BPM, MAX_BPM, count + 1).tolist()
    return list(zip(bounds[:-1], bounds[1:], strict=True))
