"""Music in, dance files out: what sampling, evaluation of checkpoints and previews share."""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from tqdm import tqdm

from dance_model.dance_music import DanceMusic, MusicSource
from dance_model.dance_policy import DancePolicy
from dance_model.diffusion.ddim import RefineX0, SamplingConfig
from dance_model.diffusion.diffusion_model import DanceModel
from dance_model.diffusion.schedule import DDIMStep
from dance_model.diffusion_policy import DiffusionPolicy
from dance_model.sampling.editing import Constraint, GivenWindows, given_windows, imputation, placed
from dance_model.sampling.fgd_guidance import FORMS, NONE, fgd_guidance
from dance_model.sampling.projection import Projection, projection
from skeleton2stage.errors import UserError, unknown_name
from skeleton2stage.motion.foot_lock import foot_lock
from skeleton2stage.motion.formats.write_motion import write_motion
from skeleton2stage.motion.heading_flips import smoothed_flips
from skeleton2stage.motion.motion import Motion
from skeleton2stage.music.kinds import WIDTHS

MAX_WINDOWS = 56  # windows denoised together: eight dances of 20 s


@dataclass(frozen=True)
class Written:
    """Dances by name with their files, and how many pieces of music could not be used."""

    motions: dict[str, Motion]
    n_bad: int


@dataclass(frozen=True)
class Refinements:
    """What is done to dances besides sampling them, in this order.

    projection: the last predictions are performed in the simulator. fgd_guidance: none, metric or published, see
    there. smooth_flips: whether flips of the heading become turns, where no part is given. foot_lock: whether touching
    feet are held afterwards. keep: a part that is given, the same in every dance.
    """

    fgd_guidance: str = NONE
    foot_lock: bool = False
    keep: Constraint | None = None
    projection: Projection | None = None
    smooth_flips: bool = False

    def __post_init__(self) -> None:
        if self.fgd_guidance not in FORMS:
            raise unknown_name("fgd_guidance", self.fgd_guidance, list(FORMS))
        if self.foot_lock and self.keep is not None:
            raise UserError("foot_lock=true moves the whole dance, also what keep= holds: leave one of them out")
        if self.projection is not None and self.keep is not None:
            raise UserError("project= has the whole dance performed, also what keep= holds: leave one of them out")


PLAIN = Refinements()


def dance(
    policy: DancePolicy, music: Sequence[DanceMusic], seed: int, refinements: Refinements = PLAIN
) -> list[Motion]:
    """Return one dance for each piece of music, sampled together.

    Raises UserError for refinements that the policy's family cannot have.
    """
    generator = torch.Generator(policy.device).manual_seed(seed)
    pieces = [piece.windows for piece in music]
    check_refinements(policy, refinements)
    if isinstance(policy, DiffusionPolicy):
        refine = _refine_x0(policy.model, [len(windows) for windows in pieces], policy.sampling, refinements)
        batches = policy.long_dances(pieces, generator, refine)
    else:
        batches = policy.long_dances(pieces, generator)
    dances = [batch.motions()[0].slice(0, piece.n_frames) for batch, piece in zip(batches, music, strict=True)]
    if refinements.keep is not None:
        return [placed(motion, refinements.keep) for motion in dances]
    if refinements.smooth_flips:
        dances = [smoothed_flips(motion) for motion in dances]
    return [foot_lock(motion) for motion in dances] if refinements.foot_lock else dances


def check_refinements(policy: DancePolicy, refinements: Refinements) -> None:
    """Raise UserError for refinements that a policy's family cannot have."""
    if isinstance(policy, DiffusionPolicy):
        return
    asked = {
        "fgd_guidance": refinements.fgd_guidance != NONE, "keep": refinements.keep is not None,
        "project": refinements.projection is not None, "foot_lock": refinements.foot_lock,
    }
    for name, wanted in asked.items():
        if wanted:
            reason = "predicts no contacts" if name == "foot_lock" else "has no denoising steps in which that is done"
            raise UserError(f"{name}= is for diffusion models, and family '{policy.family}' {reason}: leave it out")


def _refine_x0(
    model: DanceModel, counts: Sequence[int], sampling: SamplingConfig, refinements: Refinements
) -> RefineX0 | None:
    """Return what changes predictions of all dances' windows, `counts` of each; what is given has the last word."""
    chain: list[RefineX0] = []
    if refinements.projection is not None:
        chain.append(projection(refinements.projection, model, sampling.steps(), counts))
    if refinements.fgd_guidance != NONE:
        chain.append(fgd_guidance(model, refinements.fgd_guidance, counts))
    if refinements.keep is not None:
        given = [given_windows(refinements.keep, model, count) for count in counts]
        chain.append(imputation(GivenWindows.concatenate(given), model))
    if not chain:
        return None

    def refine(x0: torch.Tensor, step: DDIMStep) -> torch.Tensor:
        for change in chain:
            x0 = change(x0, step)
        return x0

    return refine


def write_dances(
    policy: DancePolicy,
    sources: Sequence[MusicSource],
    folder: Path,
    seed: int,
    refinements: Refinements = PLAIN,
    samples_per_song: int = 1,
) -> Written:
    """Write folder/NAME.pkl for each piece of music, each file whole or not at all.

    Several samples of a song are NAME_1.pkl, NAME_2.pkl and so on. Music that cannot be used is named on stderr;
    raises UserError where none can, the one reason where it is only one.
    """
    motions: dict[str, Motion] = {}
    problems: list[UserError] = []
    if samples_per_song < 1:
        raise UserError(f"samples_per_song must be at least 1, not {samples_per_song}")
    with tqdm(total=len(sources) * samples_per_song, desc="dancing", unit="dance", disable=None) as progress:
        for index, batch in enumerate(_batches(policy, sources, problems, samples_per_song)):
            dances = dance(policy, batch, seed + index, refinements)
            for piece, motion in zip(batch, dances, strict=True):
                write_motion(folder / f"{piece.name}.pkl", motion)
                motions[f"{piece.name}.pkl"] = motion
            progress.update(len(batch))
    if not motions:
        raise problems[0] if len(problems) == 1 else UserError(f"none of the {len(problems)} pieces could be used")
    return Written(motions, len(problems))


def _batches(
    policy: DancePolicy, sources: Sequence[MusicSource], problems: list[UserError], samples_per_song: int
) -> Iterator[list[DanceMusic]]:
    """Yield pieces of music in batches of at most MAX_WINDOWS windows; collect and name what cannot be read."""
    batch: list[DanceMusic] = []
    for source in sources:
        try:
            piece = source.read(policy.music)
            check_fits(piece, policy)
        except UserError as error:
            problems.append(error)
            if len(sources) > 1:
                print(f"left out {source.path.name}: {error}", file=sys.stderr)
            continue
        for number in range(1, samples_per_song + 1):
            if batch and sum(len(other.windows) for other in batch) + len(piece.windows) > MAX_WINDOWS:
                yield batch
                batch = []
            batch.append(piece if samples_per_song == 1 else replace(piece, name=f"{piece.name}_{number}"))
    if batch:
        yield batch


def check_fits(music: DanceMusic, policy: DancePolicy) -> None:
    """Raise UserError where a piece's windows are not what the model was trained on."""
    expected = (policy.window_frames, WIDTHS[policy.music])
    if tuple(music.windows.shape[1:]) != expected:
        frames, width = music.windows.shape[1:]
        raise UserError(
            f"'{music.name}' gives windows of {frames} frames x {width} features where this model takes "
            f"{expected[0]} x {expected[1]} ({policy.music}): give features of that kind"
        )
