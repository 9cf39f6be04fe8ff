"""Which videos to make: from files and folders on the command line to a list of jobs."""

from dataclasses import dataclass
from pathlib import Path

from skeleton2stage.errors import UserError
from skeleton2stage.motion.formats.file_listing import by_stem, motion_files
from skeleton2stage.music import song_names
from skeleton2stage.render.clips import SHEET_SUFFIX
from skeleton2stage.render.look import MAX_PANELS
from skeleton2stage.render.moving_picture import MOVING_PICTURES

VIDEO_SUFFIX = ".mp4"
OUT_SUFFIXES = (VIDEO_SUFFIX, *MOVING_PICTURES, SHEET_SUFFIX)


@dataclass(frozen=True)
class Job:
    """One video: its motion files from left to right, their captions, the song, and where it goes."""

    motions: tuple[Path, ...]
    labels: tuple[str, ...]
    music: Path | None
    out: Path


def plan_jobs(motions: tuple[Path, ...], out: Path, labels: tuple[str, ...], music: Path | None) -> list[Job]:
    """Return the videos that the command line asks for; raise UserError where it does not make sense."""
    _check(motions, labels, music)
    rows = _rows(motions)
    captions = labels or _captions(motions)
    if _is_file(out) and len(rows) > 1:
        raise UserError(f"'out' is the single file {out}, but there are {len(rows)} videos to write: name a folder")
    jobs = [Job(row, captions, _song_of_any(music, row), _target(out, row[0])) for row in rows]
    if music and music.is_dir() and not any(job.music for job in jobs):
        raise UserError(f"{music} has no song named as a motion, such as {rows[0][0].stem}.wav: name the song itself")
    return jobs


def _check(motions: tuple[Path, ...], labels: tuple[str, ...], music: Path | None) -> None:
    if not 1 <= len(motions) <= MAX_PANELS:
        raise UserError(f"'motions' must name 1 to {MAX_PANELS} files or folders, not {len(motions)}")
    if labels and len(labels) != len(motions):
        raise UserError(f"'labels' has {len(labels)} captions for {len(motions)} panels: give one for each")
    for path in (*motions, *([music] if music else [])):
        if not path.exists():
            raise UserError(f"{path} does not exist")


def _rows(sources: tuple[Path, ...]) -> list[tuple[Path, ...]]:
    """Return the motions of each video: the files as given, or the files of one name in every folder."""
    folders = [source.is_dir() for source in sources]
    if not any(folders):
        return [sources]
    if not all(folders):
        raise UserError("'motions' mixes files and folders: give files only, or folders only")
    listings = [_motions_in(folder) for folder in sources]
    common = sorted(set(listings[0]).intersection(*listings[1:]))
    if not common:
        raise UserError(f"{' and '.join(map(str, sources))} have no motion file of the same name")
    return [tuple(listing[stem] for listing in listings) for stem in common]


def _motions_in(folder: Path) -> dict[str, Path]:
    return by_stem(motion_files(folder, below=False))


def _captions(sources: tuple[Path, ...]) -> tuple[str, ...]:
    """Return the names that tell sources apart; nothing for a single one."""
    return ("",) if len(sources) == 1 else distinct_names(sources)


def distinct_names(paths: tuple[Path, ...]) -> tuple[str, ...]:
    """Return the shortest names that tell paths apart.

    They are the files' names without ending, or those of the folders they lie in, of the folders of these, and so on;
    else the ends of the paths; else, as one path may be given twice, names with numbers.
    """
    parts = [(*path.resolve().parent.parts, path.stem) for path in paths]
    depth = max(map(len, parts))
    single = (tuple(part[-back] if back <= len(part) else "" for part in parts) for back in range(1, depth + 1))
    ends = (tuple("/".join(path.resolve().parts[-back:]) for path in paths) for back in range(1, depth + 1))
    numbered = tuple(f"{path.stem} ({number})" for number, path in enumerate(paths, 1))
    return next((names for names in (*single, *ends) if len({*names}) == len(names) and all(names)), numbered)


def _song_of_any(music: Path | None, row: tuple[Path, ...]) -> Path | None:
    """Return the song of the first motion of a row that has one: they are shown to the same."""
    return next((song for motion in row if (song := song_of(music, motion.stem))), None)


def song_of(music: Path | None, stem: str) -> Path | None:
    """Return the song itself, or the one of a folder that is named as a motion; None where there is none."""
    if music is None or music.is_file():
        return music
    return song_names.song_of(stem, song_names.songs_in(music))


def _target(out: Path, motion: Path) -> Path:
    return out if _is_file(out) else out / f"{motion.stem}{VIDEO_SUFFIX}"


def _is_file(out: Path) -> bool:
    return out.suffix.lower() in OUT_SUFFIXES and not out.is_dir()
