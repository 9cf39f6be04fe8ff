"""The physical verdict on anybody's motions: `python -m skeleton2stage.physics.score motions=DIR out=FILE.json`."""

from typing import Any

from skeleton2stage import paths
from skeleton2stage.command_help import help_text, help_wanted
from skeleton2stage.config import load_config, to_dataclass
from skeleton2stage.errors import UserError, run_main
from skeleton2stage.files import write_stamped_json
from skeleton2stage.motion.folder import read_folder
from skeleton2stage.motion.motion import Motion
from skeleton2stage.pages.write_pages import page_addresses, write_pages
from skeleton2stage.physics.axes.read_axes import MIN_FRAMES
from skeleton2stage.physics.imitation.reference_motions import check_motion
from skeleton2stage.physics.score.axis_verdict import ClipReadings, axis_content, explained, read_clips
from skeleton2stage.physics.score.make_scorer import make_scorer
from skeleton2stage.physics.score.performances import check_save, score_clips, windows
from skeleton2stage.physics.score.score_config import ScoreConfig
from skeleton2stage.physics.score.verdict import COLUMNS, verdict, verdict_table

USAGE = "python -m skeleton2stage.physics.score motions=DIR out=FILE.json [save=DIR] [report=DIR] [key=value ...]"
EXIT_BAD_FILES = 1


def main(arguments: list[str]) -> int:
    """Score a folder; return 1 where some of its files could not be read, the others being scored."""
    if help_wanted(arguments):
        print(help_text(USAGE, "score", arguments))
        return 0
    config = to_dataclass(load_config("score", arguments), ScoreConfig)
    _check(config)
    body = config.body_choice()
    scorer = make_scorer(
        config.policy, config.simulator, body, config.max_worlds, config.wrench_scale,
        show_progress=True, options=config.simulator_options,
    )

    def check(motion: Motion) -> None:
        check_motion(motion)
        body.check(motion)

    motions, n_bad = read_folder(config.motions, config.format, check)
    clips = motions if config.window_s is None else windows(motions, config.window_s)
    check_save(config, list(motions), list(clips))
    if config.report is not None:
        page_addresses(list(clips))
    scores = score_clips(scorer, clips, config.save)
    readings = read_clips(body, clips)
    setup = {"policy": paths.shown(config.policy), "simulator": config.simulator, "wrench_scale": scorer.wrench_scale}
    content = verdict(clips, scores, setup, {name: axis_content(readings[name]) for name in readings})
    write_stamped_json(config.out, content)
    print(f"{verdict_table(content)}\nwritten to {config.out}")
    if config.report is not None:
        _write_report(config, clips, content, readings)
    return EXIT_BAD_FILES if n_bad else 0


def _write_report(
    config: ScoreConfig, clips: dict[str, Motion], content: dict[str, Any], readings: dict[str, ClipReadings]
) -> None:
    """Write a page for each clip and one for all, and say where."""
    if not readings:
        raise UserError(f"no page in report={config.report}: every motion is shorter than {MIN_FRAMES} frames")
    columns = [column.name for column in COLUMNS]
    pages = [
        explained(name, clips[name], {c: content["per_motion"][name][c] for c in columns}, readings[name])
        for name in readings
    ]
    print(f"explained in {write_pages(config.report, pages)}")


def _check(config: ScoreConfig) -> None:
    if config.out.suffix != ".json":
        raise UserError(f"out={config.out} must name a .json file")


if __name__ == "__main__":
    run_main(main)
