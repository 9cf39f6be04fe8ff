"""Motion files of any format to a checked library: `python -m skeleton2stage.motion.convert source=... out=...`."""

from pathlib import Path

from skeleton2stage.command_help import help_text, help_wanted
from skeleton2stage.config import load_config, to_dataclass
from skeleton2stage.errors import run_main
from skeleton2stage.motion.convert.conversion_jobs import clips_by_source, forget_moved, is_done, make_jobs
from skeleton2stage.motion.convert.convert_all import convert_all
from skeleton2stage.motion.convert.convert_config import ConvertConfig
from skeleton2stage.motion.library import Clip, read_library
from skeleton2stage.one_writer import only_writer

USAGE = "python -m skeleton2stage.motion.convert source=FILE_OR_DIR out=DIR [clips=FILE.json] [key=value ...]"
EXIT_BAD_FILES = 1


def main(arguments: list[str]) -> int:
    """Convert every file that the library does not have yet; return 1 where the disk failed some, where none is
    accepted, or where strict and some are rejected.
    """
    if help_wanted(arguments):
        print(help_text(USAGE, "convert", arguments))
        return 0
    config = to_dataclass(load_config("convert", arguments), ConvertConfig)
    with only_writer(config.out):
        return convert(config)


def convert(config: ConvertConfig) -> int:
    """Convert what is left, and return the exit status."""
    library = read_library(config.out)
    jobs = make_jobs(config, library)
    forget_moved(config.out, library, jobs)
    known = clips_by_source(library)
    todo = [job for job in jobs if not is_done(job, known.get(str(job.source.resolve()), []))]
    if len(todo) < len(jobs):
        print(f"{len(jobs) - len(todo)} of {len(jobs)} files are in {config.out} already")
    skipped, n_failed = convert_all(todo, config, library)
    known = clips_by_source(library)
    clips = [clip for job in jobs for clip in known.get(str(job.source.resolve()), [])]
    print(report(clips, skipped, config.out))
    accepted = [clip.accepted for clip in clips]
    return EXIT_BAD_FILES if n_failed or not any(accepted) or (config.strict and not all(accepted)) else 0


def report(clips: list[Clip], skipped: list[str], out: Path) -> str:
    """Return the closing words: how much was converted, and each rejected clip with its reason."""
    accepted = [clip for clip in clips if clip.accepted]
    rejected = [f"  {clip.file}: {clip.reason}" for clip in clips if not clip.accepted]
    minutes = sum(clip.seconds for clip in accepted) / 60
    lines = [f"{len(accepted)} of {len(clips)} files converted into {out}, {minutes:.1f} minutes"]
    if skipped:
        lines.append(f"{len(skipped)} skipped, holding no motion, such as {skipped[0]}")
    if rejected:
        lines.append(f"{len(rejected)} rejected:")
    return "\n".join([*lines, *rejected])


if __name__ == "__main__":
    run_main(main)
