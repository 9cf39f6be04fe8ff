"""Percussion tracks as a small JSON file of grooves: music that ships as numbers and is played on the spot.

Tracks made from mocap dancers can so be heard on a machine that has no mocap.
`python -m skeleton2stage.music.tracks source=… out=…` makes them from motions, and writes them as wav.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from skeleton2stage.command_help import help_text, help_wanted
from skeleton2stage.config import load_config, to_dataclass
from skeleton2stage.errors import UserError, run_main
from skeleton2stage.files import read_json, write_text
from skeleton2stage.motion.formats.file_listing import by_stem, motion_files
from skeleton2stage.motion.formats.read_motion import read_motion
from skeleton2stage.music.audio import MIN_DURATION_S, write_wav
from skeleton2stage.music.groove import Groove, groove_from_motion, steady_groove
from skeleton2stage.music.percussion import SAMPLE_RATE_HZ, find_pattern, synthesise
from skeleton2stage.music.songs import Song
from skeleton2stage.settings import output_setting, seed_setting, setting

USAGE = "python -m skeleton2stage.music.tracks [source=FILE_OR_DIR] out=FILE.json|DIR"
FORMAT = "skeleton2stage percussion tracks 1"


@dataclass(frozen=True)
class Track:
    """A groove with all that its synthesis needs: name, length in seconds, and the seed of its timbre."""

    name: str
    groove: Groove
    duration_s: float
    seed: int = 0

    def __post_init__(self) -> None:
        if not self.name or self.name != Path(self.name).name:
            raise UserError(f"a track's name must be a plain file name, not '{self.name}'")
        if not 0 < self.duration_s < 3600:
            raise UserError(f"track '{self.name}' must last over 0 s and under an hour, not {self.duration_s} s")
        if self.seed < 0:
            raise UserError(f"the seed of track '{self.name}' must not be negative, and is {self.seed}")
        if self.groove.pattern is not None:
            find_pattern(self.groove.pattern, self.groove.meter)

    def song(self) -> Song:
        """Return the synthesised song: the same samples every time."""
        return Song(self.name, synthesise(self.groove, self.duration_s, self.seed), SAMPLE_RATE_HZ)


def track_from_motion(name: str, joints: np.ndarray, fps: float = 30.0, seed: int = 0) -> Track:
    """Return a track as long as a dance, on the dancer's own beats; joints [T, 24, 3] m.

    Raises UserError, naming the dance, where the clip is too short to find its beats.
    """
    try:
        groove = groove_from_motion(joints, fps)
    except UserError as error:
        raise UserError(f"{name}: {error}") from None
    return Track(name, groove, len(joints) / fps, seed)


def save_tracks(path: Path, tracks: list[Track]) -> None:
    """Write tracks as JSON, atomically. Raises UserError where two have the same name."""
    _check_names(path, tracks)
    # A track a line: indented JSON would give each of some hundred beats its own.
    lines = ",\n".join(json.dumps(asdict(track), allow_nan=False) for track in tracks)
    write_text(path, f'{{"format": "{FORMAT}", "tracks": [\n{lines}\n]}}\n')


def load_tracks(path: Path) -> list[Track]:
    """Return the tracks of a JSON file; raise UserError, naming the file, for anything else in it."""
    content = read_json(path)
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise UserError(f"{path} is not a file of percussion tracks: its \"format\" must be '{FORMAT}'")
    try:
        tracks = [to_dataclass(entry, Track) for entry in content["tracks"]]
    except UserError as error:
        raise UserError(f"{path}: {error}") from None
    except (KeyError, TypeError, AttributeError, ValueError):
        raise UserError(f"{path} is damaged: each of its tracks needs the fields of a track") from None
    _check_names(path, tracks)
    return tracks


def write_wavs(tracks: list[Track], folder: Path) -> list[Path]:
    """Synthesise each track into folder/NAME.wav, and return the files."""
    files = [Path(folder) / f"{track.name}.wav" for track in tracks]
    for track, file in zip(tracks, files, strict=True):
        song = track.song()
        write_wav(file, song.audio, song.sample_rate_hz)
    return files


def _check_names(path: Path, tracks: list[Track]) -> None:
    names = [track.name for track in tracks]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise UserError(f"{path} has more than one track named {', '.join(twice)}: names must differ")


@dataclass(frozen=True, kw_only=True)
class TracksConfig:
    """Percussion tracks on the beats of dancers, of a file of tracks, or at steady tempi."""

    source: Path | None = setting("motion file or folder of them, or a .json file of tracks", default=None)
    out: Path = output_setting(
        "FILE.json for the tracks as numbers (a few hundred bytes each), or a folder for wavs"
    )
    bpm: tuple[float, ...] = setting(
        "steady tracks besides, one at each of these tempi (beats a minute)", default=(), above=0
    )
    seconds: float = setting("how long the steady ones last", default=10.0, above=0, below=3600)
    only: tuple[str, ...] = setting("names to take of the source; all where empty", default=())
    skip: tuple[str, ...] = setting("names of the source to leave out", default=())
    seed: int = seed_setting("of the first track's timbre and pattern; each next one has one more", default=0)

    def chooses(self, name: str) -> bool:
        """Return whether a track of this name is wanted."""
        return (not self.only or name in self.only) and name not in self.skip


def tracks_of(config: TracksConfig) -> list[Track]:
    """Return the tracks a configuration asks for: the source's, chosen by name, and those at steady tempi.

    Motions under 5 s are passed over. Raises UserError where none is left.
    """
    tracks = [] if config.source is None else _tracks_from(config.source, config)
    for number, bpm in enumerate(config.bpm, start=len(tracks)):
        groove = steady_groove(bpm, config.seconds)
        tracks.append(Track(f"steady_{bpm:g}bpm", groove, config.seconds, config.seed + number))
    if not tracks:
        raise UserError(f"no tracks: source needs motions of {MIN_DURATION_S:g} s or tracks, or bpm a tempo")
    return tracks


def _tracks_from(source: Path, config: TracksConfig) -> list[Track]:
    if source.suffix == ".json":
        return [track for track in load_tracks(source) if config.chooses(track.name)]
    files = by_stem([file for file in motion_files(source) if config.chooses(file.stem)])
    return [
        track_from_motion(name, motion.joints(), motion.fps, config.seed + number)
        for number, (name, motion) in enumerate((name, read_motion(file)) for name, file in files.items())
        if motion.duration_s >= MIN_DURATION_S
    ]


def main(arguments: list[str]) -> None:
    """Write tracks as one .json file, or as a folder of wavs."""
    if help_wanted(arguments):
        print(help_text(USAGE, "tracks", arguments))
        return
    config = to_dataclass(load_config("tracks", arguments), TracksConfig)
    tracks = tracks_of(config)
    if config.out.suffix == ".json":
        save_tracks(config.out, tracks)
    else:
        write_wavs(tracks, config.out)
    print(f"{len(tracks)} tracks, {sum(track.duration_s for track in tracks):.0f} s, in {config.out}")


if __name__ == "__main__":
    run_main(main)
