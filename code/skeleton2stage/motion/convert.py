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

USAGE = "python -m skeleton2stage.motion.convert source=FILE_OR_DIR out=DIR [format=auto] [trims=FILE.json]"
EXIT_SOME_FAILED = 1


@dataclass(frozen=True)
class ConvertConfig:
    """The keys of configs/convert.yaml, which explains them."""

    source: Path
    out: Path
    format: str
    trims: Path | None


def main(arguments: list[str]) -> int:
    """Convert every file; return 1 where some failed, the others being converted all the same."""
    if help_wanted(arguments):
        print(help_text(USAGE, "convert"))
        return 0
    config = to_dataclass(load_config("convert", arguments), ConvertConfig)
    check_format(config.format)
    files = motion_files(config.source)
    targets = output_paths(config.source, files, config.out)
    keep_s = read_trims(config.trims) if config.trims else {}
    converted, failures = 0, 0
    for file, target in zip(tqdm(files, desc="converting", unit="file"), targets, strict=True):
        try:
            found = trimmed(read_motion_file(file, config.format), keep_s.get(file.stem, (0.0, None)))
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


def read_trims(path: Path) -> dict[str, tuple[float, float | None]]:
    """Return what to keep of clips, (start, end) in seconds by file stem, from the "keep_s" of a JSON file."""
    content = read_json(path)
    table = content.get("keep_s") if isinstance(content, dict) else None
    if not isinstance(table, dict):
        raise UserError(f'{path} has no table "keep_s" of clip name to [start, end] in seconds')
    for name, span in table.items():
        if not (isinstance(span, list) and len(span) == 2 and isinstance(span[0], int | float)):
            raise UserError(f"{path}: '{name}' must be [start, end] in seconds, null for the clip's end")
    return {name: (float(start), None if end is None else float(end)) for name, (start, end) in table.items()}


def trimmed(found: MotionFile, keep_s: tuple[float, float | None]) -> MotionFile:
    """Return a file's motion cut to (start, end) seconds."""
    start_s, end_s = keep_s
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
