"""Any motion file to the written form: `python -m skeleton2stage.motion.convert source=... out=...`."""

from dataclasses import dataclass, replace
from pathlib import Path

from tqdm import tqdm

from skeleton2stage.config import help_text, help_wanted, load_config, to_dataclass
from skeleton2stage.errors import UserError, run_main
from skeleton2stage.files import read_json
from skeleton2stage.motion.formats import (
    MotionFile,
    NotAMotion,
    check_format,
    motion_files,
    read_motion_file,
    write_motion,
)

USAGE = "python -m skeleton2stage.motion.convert source=FILE_OR_DIR out=DIR [format=auto] [clips=FILE.json]"
EXIT_SOME_FAILED = 1


@dataclass(frozen=True)
class ConvertConfig:
    """The keys of configs/convert.yaml, which explains them."""

    source: Path
    out: Path
    format: str
    clips: Path | None


def main(arguments: list[str]) -> int:
    """Convert every file; return 1 where some failed, the others being converted all the same."""
    if help_wanted(arguments):
        print(help_text(USAGE, "convert"))
        return 0
    config = to_dataclass(load_config("convert", arguments), ConvertConfig)
    check_format(config.format)
    files = motion_files(config.source)
    targets = output_paths(config.source, files, config.out)
    notes = read_clip_notes(config.clips) if config.clips else {}
    converted, failures = 0, 0
    for file, target in zip(tqdm(files, desc="converting", unit="file"), targets, strict=True):
        try:
            note = notes.get(file.stem, ClipNote())
            found = trimmed(read_motion_file(file, config.format, note.fps), note)
            write_motion(target, found.motion)
            converted += 1
            tqdm.write(f"{file.name}: {describe(found)}")
        except NotAMotion as reason:
            tqdm.write(f"{file.name}: skipped: {reason}")
        except UserError as error:
            failures += 1
            tqdm.write(f"{file.name}: FAILED: {error}")
    print(f"{converted} of {len(files)} files converted into {config.out}")
    return EXIT_SOME_FAILED if failures else 0


def output_paths(source: Path, files: list[Path], out: Path) -> list[Path]:
    """Return where each file's motion is written: the same folders under `out`, so that no two collide.

    Raises UserError where a file would replace its own source, or two differ only by extension.
    """
    root = source if source.is_dir() else source.parent
    targets = [out / file.relative_to(root).with_suffix(".pkl") for file in files]
    for file, target in zip(files, targets, strict=True):
        if file.resolve() == target.resolve():
            raise UserError(f"out={out} is where {file.name} comes from: give another folder, so that it is kept")
        if targets.count(target) > 1:
            raise UserError(f"several files in {source} would become {target}: convert them one folder at a time")
    return targets


@dataclass(frozen=True)
class ClipNote:
    """What one must know of a clip besides its file.

    keep_s: the part to keep, (start, end) in seconds, None for its end. fps: its true frame rate, where the
    file's is wrong.
    """

    keep_s: tuple[float, float | None] = (0.0, None)
    fps: float | None = None


def read_clip_notes(path: Path) -> dict[str, ClipNote]:
    """Return the notes of a JSON file by file stem, from its tables "keep_s" and "fps", either of which may lack."""
    content = read_json(path)
    if not isinstance(content, dict) or not {"keep_s", "fps"} & set(content):
        raise UserError(f'{path} has neither a table "keep_s" (clip: [start, end] in seconds) nor "fps" (clip: rate)')
    keep, fps = content.get("keep_s", {}), content.get("fps", {})
    if not (isinstance(keep, dict) and isinstance(fps, dict)):
        raise UserError(f'{path}: "keep_s" and "fps" must be tables by clip name')
    for name, span in keep.items():
        if not (isinstance(span, list) and len(span) == 2 and isinstance(span[0], int | float)):
            raise UserError(f"{path}: '{name}' must be [start, end] in seconds, null for the clip's end")
    for name, rate in fps.items():
        if not isinstance(rate, int | float) or rate <= 0:
            raise UserError(f"{path}: the frame rate of '{name}' must be a number above 0, not {rate!r}")
    spans = {name: (float(start), None if end is None else float(end)) for name, (start, end) in keep.items()}
    return {name: ClipNote(spans.get(name, (0.0, None)), fps.get(name)) for name in {**keep, **fps}}


def trimmed(found: MotionFile, note: ClipNote) -> MotionFile:
    """Return a file's motion cut to the part to keep."""
    start_s, end_s = note.keep_s
    motion, fps = found.motion, found.motion.fps
    stop = len(motion) if end_s is None else round(end_s * fps)
    return replace(found, motion=motion.slice(round(start_s * fps), stop))


def describe(found: MotionFile) -> str:
    """Return one line on what was found in a file and how well it went over."""
    line = (
        f"{found.format}, {found.source_fps:g} fps, {found.up_axis} up, {found.source_frames} frames -> "
        f"{len(found.motion)} frames ({found.motion.duration_s:.1f} s)"
    )
    report = found.retargeting
    if report is None:
        return line
    return (
        f"{line}; scale {report.scale:.3f}, mean error of wrists and ankles {100 * report.mean_error_m:.1f} cm, "
        f"{report.bridged_frames} frames with glitches bridged"
    )


if __name__ == "__main__":
    run_main(main)
