"""Metrics of any folder of motion files, whoever made them: `python -m rl_finetune.evaluate`."""

import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tqdm import tqdm

from skeleton2stage import paths
from skeleton2stage.config import help_text, help_wanted, load_config, to_dataclass
from skeleton2stage.errors import UserError, run_main
from skeleton2stage.files import write_text
from skeleton2stage.metrics.beat_alignment import bas
from skeleton2stage.metrics.clip import MAX_FRAMES, Clip, check_motion, clip_of
from skeleton2stage.metrics.table import (
    METRICS,
    Evaluation,
    clip_metrics,
    comparison_table,
    evaluation_table,
    read_metrics,
    write_evaluation,
)
from skeleton2stage.motion.folder import read_folder
from skeleton2stage.motion.motion import Motion
from skeleton2stage.music.audio import AUDIO_SUFFIXES, read_audio
from skeleton2stage.music.beats import FPS as BEAT_FPS
from skeleton2stage.music.beats import kinetic_beats, music_beats
from skeleton2stage.physics.factory import make_scorer
from skeleton2stage.physics.scoring import DanceScorer
from skeleton2stage.physics.simulator_options import SimulatorOptions

USAGE = "python -m rl_finetune.evaluate motions=DIR out=FILE.json [key=value ...]"
EXIT_BAD_FILES = 1
SHIPPED, NONE = "demo", "none"


@dataclass(frozen=True)
class EvaluateConfig:
    """The keys of configs/evaluate.yaml, which explains them."""

    motions: Path | None
    out: Path
    compare: tuple[Path, ...]
    labels: tuple[str, ...]
    music: Path | None
    format: str
    policy: str
    simulator: str
    simulator_options: SimulatorOptions
    body: str


@dataclass(frozen=True)
class Judge:
    """The scorer of physical metrics, or why there is none."""

    scorer: DanceScorer | None
    reason: str = "no imitation policy was given"


def main(arguments: list[str]) -> int:
    """Evaluate a folder; return 1 where some of its files could not be read, the others being evaluated."""
    if help_wanted(arguments):
        print(help_text(USAGE, "evaluate"))
        return 0
    config = to_dataclass(load_config("evaluate", arguments), EvaluateConfig)
    if config.compare:
        return compare(config.compare, config.labels, config.out)
    if config.motions is None:
        raise UserError("give motions=DIR to measure, or compare=[A.json,B.json] to set side by side (see --help)")
    if config.out.suffix != ".json":
        raise UserError(f"out={config.out} must name a .json file")
    judge = load_judge(config.policy, config.simulator, config.body, config.simulator_options)
    motions, n_bad = read_folder(config.motions, config.format, check_motion)
    beats = None if config.music is None else song_beats(config.music, list(motions))
    evaluation = evaluate_motions(motions, judge, beats)
    write_evaluation(config.out, evaluation)
    print(f"{evaluation_table(evaluation)}\nwritten to {config.out} and {config.out.with_suffix('.md').name}")
    return EXIT_BAD_FILES if n_bad else 0


def compare(tables: tuple[Path, ...], labels: tuple[str, ...], out: Path) -> int:
    """Write and print several metrics.json side by side, changes against the first, as Markdown."""
    names = labels or tuple(str(table.parent.name or table) for table in tables)
    if len(names) != len(tables) or len(set(names)) != len(names):
        raise UserError(f"compare names {len(tables)} files: give as many different labels, not {', '.join(names)}")
    table = comparison_table({name: read_metrics(file) for name, file in zip(names, tables, strict=True)})
    write_text(out, table)
    print(table)
    return 0


def load_judge(policy: str, simulator: str, body: str, options: SimulatorOptions | None = None) -> Judge:
    """Return the judge with a policy's checkpoint, `demo` for the shipped one, `none` for no physics.

    Only the shipped policy may be missing; raises UserError where one that was named is.
    """
    if policy == NONE:
        return Judge(None, "policy=none")
    if policy != SHIPPED:
        return Judge(make_scorer(Path(policy).expanduser(), simulator, body, options=options))
    checkpoint = paths.demo_checkpoints() / "imitation_policy.safetensors"
    if not checkpoint.exists():
        return Judge(None, f"no shipped imitation policy in {_shown(checkpoint.parent)}")
    return Judge(make_scorer(checkpoint, simulator, body, options=options))


def songs_in(folder: Path) -> dict[str, Path]:
    """Return the songs of a folder by name; raise UserError where it is not one."""
    if not folder.is_dir():
        raise UserError(f"{folder} is not a folder of songs")
    return {path.stem: path for path in sorted(folder.iterdir()) if path.suffix.lower() in AUDIO_SUFFIXES}


def song_beats(folder: Path, motions: list[str]) -> dict[str, np.ndarray]:
    """Return motion -> beats (frames at 60 fps) of the song that has its name, for those that have one.

    Motions without one are named on stderr, as are songs that cannot be read.
    """
    songs = songs_in(folder)
    if not songs:
        raise UserError(f"no songs ({', '.join(AUDIO_SUFFIXES)}) in {folder}")
    beats = {}
    for name in tqdm(motions, desc="beats of the music", unit="song", leave=False, disable=None):
        try:
            if Path(name).stem not in songs:
                raise UserError(f"no song of that name in {folder}")
            beats[name] = music_beats(*read_audio(songs[Path(name).stem]))
        except UserError as error:
            print(f"no bas for {name}: {error}", file=sys.stderr)
    return beats


def evaluate_motions(
    motions: dict[str, Motion], judge: Judge = Judge(None), beats: dict[str, np.ndarray] | None = None
) -> Evaluation:
    """Return the metrics of motions by name (30 fps, z up), of the first 600 frames of each.

    judge: for `success_rate` and `imitation`. beats: motion -> beats of its music (60 fps), for `bas`.
    """
    clips = {name: clip_of(motion) for name, motion in motions.items()}
    per_motion = {name: clip_metrics(clip) for name, clip in clips.items()}
    skipped = {}
    if judge.scorer is None:
        skipped |= dict.fromkeys(("success_rate", "imitation"), judge.reason)
    else:
        _add_scores(per_motion, motions, judge.scorer)
    alignment = {} if beats is None else _alignment(clips, beats)
    for name, value in alignment.items():
        per_motion[name]["bas"] = value
    if not alignment:
        skipped["bas"] = "no music was given" if beats is None else "no motion has a song with beats"
    for metric in METRICS:
        if metric.of_clip and not any(metric.name in values for values in per_motion.values()):
            skipped[metric.name] = "it has no finite value for any of the motions"
    return Evaluation({name: len(clip) for name, clip in clips.items()}, per_motion, skipped=skipped)


def _add_scores(per_motion: dict[str, dict[str, float]], motions: dict[str, Motion], scorer: DanceScorer) -> None:
    scores = scorer.score([motion.slice(0, MAX_FRAMES) for motion in motions.values()])
    verdicts = zip(motions, scores.success.tolist(), scores.imitation.tolist(), strict=True)
    for name, success, imitation in verdicts:
        per_motion[name] |= {"success_rate": float(success), "imitation": imitation}


def _alignment(clips: dict[str, Clip], beats: dict[str, np.ndarray]) -> dict[str, float]:
    """Return each motion's beat alignment, over the part of its song that it lasts."""
    values = {}
    for name, song in beats.items():
        clip = clips[name]
        heard = song[song < len(clip) * BEAT_FPS / 30]
        if len(heard):
            values[name] = bas(heard, kinetic_beats(clip.joints_w.numpy()))
    return values


def _shown(path: Path) -> str:
    """Return a path relative to the repository where it lies in it."""
    return str(path.relative_to(paths.REPOSITORY)) if path.is_relative_to(paths.REPOSITORY) else str(path)


if __name__ == "__main__":
    run_main(main)
