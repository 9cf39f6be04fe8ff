"""Music in, dance files out: what sampling, evaluation of checkpoints and previews share."""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm

from rl_finetune.dance_model.ddim import SamplingConfig, generator_for
from rl_finetune.dance_model.long import sample_long, stitch
from rl_finetune.dance_model.model import MUSIC_KINDS, DanceModel
from rl_finetune.dance_music import DanceMusic, MusicSource
from skeleton2stage.errors import UserError
from skeleton2stage.motion.formats import write_motion
from skeleton2stage.motion.motion import Motion

MAX_WINDOWS = 56  # windows denoised together: eight dances of 20 s


@dataclass(frozen=True)
class Written:
    """Dances by name with their files, and how many pieces of music could not be used."""

    motions: dict[str, Motion]
    n_bad: int


def dance(model: DanceModel, music: Sequence[DanceMusic], sampling: SamplingConfig, seed: int) -> list[Motion]:
    """Return one dance for each piece of music, sampled together."""
    generator = generator_for(model.denoiser, seed)
    windows = sample_long(model.denoiser, [piece.windows for piece in music], generator, sampling)
    return [
        stitch(model.scaler.unnormalise(own.float()), model.layout, piece.n_frames)
        for own, piece in zip(windows, music, strict=True)
    ]


def write_dances(
    model: DanceModel, sources: Sequence[MusicSource], folder: Path, sampling: SamplingConfig, seed: int
) -> Written:
    """Write folder/NAME.pkl for each piece of music, each file whole or not at all.

    Music that cannot be used is named on stderr; raises UserError where none can, the one reason where it is
    only one.
    """
    motions: dict[str, Motion] = {}
    problems: list[UserError] = []
    with tqdm(total=len(sources), desc="dancing", unit="dance", disable=None) as progress:
        for index, batch in enumerate(_batches(model, sources, problems)):
            dances = dance(model, batch, sampling, seed + index)
            for piece, motion in zip(batch, dances, strict=True):
                write_motion(folder / f"{piece.name}.pkl", motion)
                motions[f"{piece.name}.pkl"] = motion
            progress.update(len(batch))
    if not motions:
        raise problems[0] if len(problems) == 1 else UserError(f"none of the {len(problems)} pieces could be used")
    return Written(motions, len(problems))


def _batches(
    model: DanceModel, sources: Sequence[MusicSource], problems: list[UserError]
) -> Iterator[list[DanceMusic]]:
    """Yield pieces of music in batches of at most MAX_WINDOWS windows; collect and name what cannot be read."""
    batch: list[DanceMusic] = []
    for source in sources:
        try:
            piece = source.read()
            check_fits(piece, model)
        except UserError as error:
            problems.append(error)
            if len(sources) > 1:
                print(f"left out {source.path.name}: {error}", file=sys.stderr)
            continue
        if batch and sum(len(other.windows) for other in batch) + len(piece.windows) > MAX_WINDOWS:
            yield batch
            batch = []
        batch.append(piece)
    if batch:
        yield batch


def check_fits(music: DanceMusic, model: DanceModel) -> None:
    """Raise UserError where a piece's windows are not what the model was trained on."""
    expected = (model.denoiser.config.window_frames, MUSIC_KINDS[model.music])
    if tuple(music.windows.shape[1:]) != expected:
        frames, width = music.windows.shape[1:]
        raise UserError(
            f"'{music.name}' gives windows of {frames} frames x {width} features where this model takes "
            f"{expected[0]} x {expected[1]} ({model.music}): give features of that kind"
        )
