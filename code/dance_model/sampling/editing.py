"""Editing: parts of a dance are given, the model makes the rest.

In every denoising step the given part replaces its prediction, as in EDGE (section 3.4) and diffusion inpainting at
large. Replacing alone leaves jumps where the given part ends in time, since the rest is free to begin elsewhere. So
the frames beside a given stretch are bent to go on from it at its own speed, and less and less so over half a second.
"""

from dataclasses import dataclass, replace

import numpy as np
import roma
import torch

from dance_model.diffusion.ddim import RefineX0
from dance_model.diffusion.diffusion_model import DanceModel
from dance_model.diffusion.long import overlapping_windows
from dance_model.diffusion.schedule import DDIMStep
from skeleton2stage.errors import UserError
from skeleton2stage.motion.motion import Motion
from skeleton2stage.motion.motion_layout import MotionLayout, encode
from skeleton2stage.motion.rotations import rot6d_to_rotmat, rotmat_to_rot6d
from skeleton2stage.motion.skeleton import N_JOINTS

FADE_FRAMES = 15
SHORT_GAP_FRAMES = 3  # too few for a speed of their own: a straight line from one given frame to the next


@dataclass(frozen=True, eq=False)
class Constraint:
    """What is given of a dance, from its first frame on.

    motion: T frames, z up, 30 a second; where nothing is kept its values do not matter.
    joints: [T, 24] bool, whether each joint's rotation is kept. translation: [T] bool, whether the pelvis' place is.
    """

    motion: Motion
    joints: np.ndarray
    translation: np.ndarray

    def __post_init__(self) -> None:
        frames = len(self.motion)
        if self.joints.shape != (frames, N_JOINTS) or self.translation.shape != (frames,):
            raise UserError(
                f"a constraint of {frames} frames needs masks [{frames}, {N_JOINTS}] of joints and [{frames}] of the "
                f"translation, not {list(self.joints.shape)} and {list(self.translation.shape)}"
            )
        if not (self.joints.any() or self.translation.any()):
            raise UserError("the constraint keeps nothing: say which frames and joints it holds")

    def __len__(self) -> int:
        return len(self.motion)

    @property
    def origin_m(self) -> np.ndarray:
        """Where on the floor the dance begins, [3] m: a model knows dances around the origin."""
        held = np.flatnonzero(self.translation)
        start = self.motion.translation[held[0]] if len(held) else np.zeros(3)
        return np.array([start[0], start[1], 0.0], dtype=np.float32)


@dataclass(frozen=True, eq=False)
class GivenWindows:
    """A constraint as a model's windows: values [N, T, D] (scaled) and what of them is kept, [N, T, D] bool."""

    values: torch.Tensor
    kept: torch.Tensor

    @staticmethod
    def concatenate(parts: "list[GivenWindows]") -> "GivenWindows":
        """Return the windows of several dances in one batch."""
        return GivenWindows(torch.cat([part.values for part in parts]), torch.cat([part.kept for part in parts]))


def given_windows(constraint: Constraint, model: DanceModel, n_windows: int) -> GivenWindows:
    """Return a constraint in the first N windows of a dance, each half a window after the last.

    Raises UserError where the dance ends before the constraint does.
    """
    window = model.denoiser.config.window_frames
    covered = window + (n_windows - 1) * (window // 2)
    if len(constraint) > covered:
        raise UserError(
            f"the constraint lasts {len(constraint)} frames and the dance {covered}: cut it, or dance for longer"
        )
    vectors, kept = _features(constraint, model.layout)
    scaled = model.scaler.to("cpu").normalise(vectors).clamp(-model.scaler.bound, model.scaler.bound)
    rest = covered - len(constraint)
    scaled = torch.cat((scaled, scaled.new_zeros(rest, scaled.shape[1])))
    kept = torch.cat((kept, kept.new_zeros(rest, kept.shape[1])))
    return GivenWindows(*(overlapping_windows(part, window).to(model.device) for part in (scaled, kept)))


def _features(constraint: Constraint, layout: MotionLayout) -> tuple[torch.Tensor, torch.Tensor]:
    """Return motion vectors [T, D] in metres around the origin, and which of their features are kept."""
    motion = constraint.motion.shifted(-constraint.origin_m)
    vectors = encode(torch.from_numpy(motion.poses), torch.from_numpy(motion.translation), layout)
    kept = torch.zeros(vectors.shape, dtype=torch.bool)
    kept[:, layout.translation] = torch.from_numpy(constraint.translation)[:, None]
    kept[:, layout.rot6d] = torch.from_numpy(constraint.joints).repeat_interleave(6, dim=1)
    whole = torch.from_numpy(constraint.translation & constraint.joints.all(axis=1))
    kept[:, layout.contacts] = whole[:, None]
    return vectors, kept


def imputation(given: GivenWindows, model: DanceModel) -> RefineX0:
    """Return what puts the given part into predictions [N, T, D] and bends the frames beside it to go on from it."""
    layout, scaler = model.layout, model.scaler.to(given.kept.device)
    places = Joins.of(given.kept[..., layout.translation])
    turns = Joins.of(given.kept[..., layout.rot6d][..., ::6])

    def refine(x0: torch.Tensor, step: DDIMStep) -> torch.Tensor:
        del step  # the same in every one
        vectors = scaler.unnormalise(torch.where(given.kept, given.values, x0))
        rotmat = rot6d_to_rotmat(vectors[..., layout.rot6d].unflatten(-1, (N_JOINTS, 6)))
        vectors[..., layout.translation] = bent_positions(vectors[..., layout.translation], places)
        vectors[..., layout.rot6d] = rotmat_to_rot6d(bent_rotations(rotmat, turns)).flatten(-2)
        return torch.where(given.kept, given.values, scaler.normalise(vectors).clamp(-scaler.bound, scaler.bound))

    return refine


@dataclass(frozen=True, eq=False)
class Bend:
    """The joins that frames are bent to meet: each frame's own, and how far it follows it, [N, T, C] each.

    joins: the kept frame of it. place, speed: the share of what is missed there in place, and in speed (in frames).
    """

    joins: torch.Tensor
    place: torch.Tensor
    speed: torch.Tensor

    def of_vectors(self) -> "Bend":
        """Return the same for channels that are vectors [N, T, C, 3]."""
        return Bend(self.joins[..., None].expand(-1, -1, -1, 3), self.place[..., None], self.speed[..., None])


@dataclass(frozen=True, eq=False)
class Joins:
    """Where kept frames of C channels end: how what follows them, and what leads to them, is bent.

    short: [N, T, C] bool, where a gap is too short to bend; progress: how far through its gap each frame is.
    """

    forwards: Bend
    backwards: Bend
    short: torch.Tensor
    progress: torch.Tensor

    @classmethod
    def of(cls, kept: torch.Tensor) -> "Joins":
        """Return those of channels that are kept in some frames, [N, T, C] bool."""
        n_frames = kept.shape[1]
        frames = torch.arange(n_frames, device=kept.device)[:, None].expand_as(kept)
        before = torch.where(kept, frames, -1).cummax(dim=1).values
        after = torch.where(kept, frames, n_frames).flip(1).cummin(dim=1).values.flip(1)
        some_before, some_after = before >= 0, after < n_frames
        between = some_before & some_after
        length = torch.where(between, after - before - 2, FADE_FRAMES).clamp(1, FADE_FRAMES)
        return cls(
            _bend(before.clamp(min=0), frames - before - 1, length, some_before),
            _bend(after.clamp(max=n_frames - 1), after - frames - 1, length, some_after),
            between & (after - before - 1 <= SHORT_GAP_FRAMES),
            (frames - before) / (after - before).clamp(min=1),
        )


def _bend(joins: torch.Tensor, distance: torch.Tensor, length: torch.Tensor, there: torch.Tensor) -> Bend:
    """Return the bend by cubic Hermite polynomials that end at rest: one of value 1, one of slope 1 at distance 0."""
    progress = (distance / length).clamp(0.0, 1.0)
    place = (1.0 - progress).square() * (1.0 + 2.0 * progress)
    speed = length * progress * (1.0 - progress).square()
    return Bend(joins, place * there, speed * there)


def bent_positions(positions: torch.Tensor, joins: Joins) -> torch.Tensor:
    """Return positions [N, T, C], the kept ones in their place, with the others bent to meet them."""
    bent = positions + _carried(*_missed(positions), joins.forwards)
    bent = bent + _carried(*(missed.flip(1) for missed in _missed(positions.flip(1))), joins.backwards)
    ends = (positions.gather(1, bend.joins) for bend in (joins.forwards, joins.backwards))
    return torch.where(joins.short, torch.lerp(*ends, joins.progress), bent)


def bent_rotations(rotmat: torch.Tensor, joins: Joins) -> torch.Tensor:
    """Return rotations [N, T, J, 3, 3], the kept ones in their place, with the others bent to meet them.

    By turns about axes in the parent's frame, so that even a half turn is gone round and not cut across.
    """
    turn = sum(
        _carried(*missed, bend.of_vectors())
        for missed, bend in (
            (_missed_turns(rotmat), joins.forwards),
            ((missed.flip(1) for missed in _missed_turns(rotmat.flip(1))), joins.backwards),
        )
    )
    bent = roma.rotvec_to_rotmat(turn) @ rotmat
    start, end = (_gathered(rotmat, bend.joins) for bend in (joins.forwards, joins.backwards))
    across = roma.rotmat_to_rotvec(end @ start.transpose(-1, -2)) * joins.progress[..., None]
    return torch.where(joins.short[..., None, None], roma.rotvec_to_rotmat(across) @ start, bent)


def _carried(place: torch.Tensor, speed: torch.Tensor, bend: Bend) -> torch.Tensor:
    """Return what to add to each frame for what is missed at its join."""
    return bend.place * place.gather(1, bend.joins) + bend.speed * speed.gather(1, bend.joins)


def _gathered(rotmat: torch.Tensor, frames: torch.Tensor) -> torch.Tensor:
    return rotmat.gather(1, frames[..., None, None].expand_as(rotmat))


def _missed(positions: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return what the next frame misses of going on from each at the same speed: its place, and its own speed.

    Of positions [N, T, C], per frame.
    """
    arriving, leaving, leaving_next = _three(positions.diff(dim=1))
    return arriving - leaving, arriving - leaving_next


def _missed_turns(rotmat: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the same of rotations [N, T, J, 3, 3], as rotation vectors [N, T, J, 3]."""
    turns = roma.rotmat_to_rotvec(rotmat[:, 1:] @ rotmat[:, :-1].transpose(-1, -2))
    arriving, leaving, leaving_next = _three(turns)
    place = roma.rotvec_to_rotmat(arriving) @ roma.rotvec_to_rotmat(-leaving)
    return roma.rotmat_to_rotvec(place), arriving - leaving_next


def _three(steps: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return the step that leads to each of T frames, the one from it and the next, of T - 1 steps; 0 where none."""
    none = torch.zeros_like(steps[:, :1])
    padded = torch.cat((none, steps, none, none), dim=1)
    return padded[:, :-2], padded[:, 1:-1], padded[:, 2:]


def placed(motion: Motion, constraint: Constraint) -> Motion:
    """Return a dance made around the origin where its constraint is, the kept values exactly as given."""
    moved = motion.shifted(constraint.origin_m)
    frames = min(len(motion), len(constraint))
    poses, translation = moved.poses.copy(), moved.translation.copy()
    joints, root = constraint.joints[:frames], constraint.translation[:frames]
    poses[:frames][joints] = constraint.motion.poses[:frames][joints]
    translation[:frames][root] = constraint.motion.translation[:frames][root]
    return replace(moved, poses=poses, translation=translation)
