"""Dances moved, as little as it takes, to where their bodies do not pass through themselves."""

from dataclasses import dataclass

import torch

from skeleton2stage.body.spheres import BodySpheres, close_pairs
from skeleton2stage.motion import skeleton
from skeleton2stage.motion.rotations import rot6d_to_rotmat, rotmat_to_rot6d
from skeleton2stage.motion.skeleton import N_JOINTS
from skeleton2stage.settings import setting

PELVIS = 0
FEET = (7, 8, 10, 11)  # ankles and toes
LEGS = (1, 2, 4, 5, *FEET)
ENDS = (10, 11, 22, 23)  # toes and fingers, which no dance turns


@dataclass(frozen=True)
class DisplacementConfig:
    """How dances are moved apart from themselves.

    The energy of a posed frame is the sum over pairs of spheres of (lack of distance / margin_m)^2 and, weighted, of
    squares of the displacement of its 144 rotation features, in the dance model's scale.
    """

    margin_m: float = setting(
        "distance that spheres of parts that are not neighbours should keep, m; less where they are nearer at rest",
        default=0.02, minimum=0,
    )
    steps: int = setting("steps of Adam", default=25, minimum=0)
    step_size: float = setting("their length, in the dance model's scale", default=0.02, above=0)
    pull: float = setting("weight of the squared displacement", default=1.0, minimum=0)
    smoothness: float = setting(
        "weight of its squared change from one posed frame to the next", default=20.0, minimum=0
    )
    feet: float = setting(
        "weight of the squared change of ankles' and toes' displacement in the world from one posed frame to the next, "
        "and of its vertical part, 1/m^2; 0 holds the legs as they are instead",
        default=1e5, minimum=0,
    )
    every: int = setting(
        "every so many frames are posed, and the displacement is interpolated in between", default=3, minimum=1
    )
    reach_m: float = setting(
        "pairs that lack less than minus this distance at the beginning are not followed, m", default=0.03, minimum=0
    )


def displacement(
    rot6d: torch.Tensor, scale: torch.Tensor, spheres: BodySpheres, config: DisplacementConfig
) -> torch.Tensor:
    """Return what to add to 6D rotations [N, T, 24, 6], which need not be orthonormal, so that parts come apart.

    scale: [24, 6], of the model's features over these. Pelvis, toes and fingers keep their rotations.
    """
    frames = posed_frames(rot6d.shape[1], config.every).to(rot6d.device)
    energy = _Energy(rot6d[:, frames], scale, spheres, config)
    scaled = torch.zeros_like(energy.rot6d, requires_grad=True)
    optimiser = torch.optim.Adam([scaled], lr=config.step_size, betas=(0.9, 0.95))
    with torch.enable_grad():
        for _ in range(config.steps):
            optimiser.zero_grad(set_to_none=True)
            energy(scaled).backward()
            scaled.grad *= energy.free
            optimiser.step()
    between = interpolation(frames, rot6d.shape[1]).to(rot6d.dtype)
    return torch.einsum("tk,nkjc->ntjc", between, scaled.detach() / scale)


class _Energy:
    """The energy of displacing posed frames, summed over all; what does not change is worked out once."""

    def __init__(
        self, rot6d: torch.Tensor, scale: torch.Tensor, spheres: BodySpheres, config: DisplacementConfig
    ) -> None:
        self.rot6d, self.scale, self.spheres, self.config = rot6d, scale, spheres, config
        with torch.no_grad():
            joints, rotations = self._pose(rot6d)
            centers = spheres.placed(rotations, joints).flatten(0, 1)
        self.feet = joints[..., FEET, :]
        frames, pairs = close_pairs(spheres, centers, config.margin_m + config.reach_m)
        first, second = spheres.pairs[pairs].unbind(1)
        margins = spheres.rest_gaps[pairs].clamp(max=config.margin_m)
        self.distances = margins + spheres.radii[first] + spheres.radii[second]
        self.first, self.second = (frames * len(spheres) + sphere for sphere in (first, second))
        self.free = torch.ones(N_JOINTS, 1, device=rot6d.device)
        self.free[[PELVIS, *ENDS] if config.feet > 0 else [PELVIS, *ENDS, *LEGS]] = 0.0

    def __call__(self, scaled: torch.Tensor) -> torch.Tensor:
        """Return the energy of a displacement [N, K, 24, 6] in the model's scale."""
        config = self.config
        joints, rotations = self._pose(self.rot6d + scaled / self.scale)
        energy = self._overlap(self.spheres.placed(rotations, joints).flatten(0, 2))
        energy = energy + config.pull * scaled.square().sum()
        energy = energy + config.smoothness * scaled.diff(dim=1).square().sum()
        shift = joints[..., FEET, :] - self.feet
        return energy + config.feet * (shift.diff(dim=1).square().sum() + shift[..., 2].square().sum())

    def _overlap(self, centers: torch.Tensor) -> torch.Tensor:
        lines = centers.index_select(0, self.first) - centers.index_select(0, self.second)
        distances = lines.square().sum(dim=-1).clamp(min=1e-8).sqrt()
        return ((self.distances - distances).clamp(min=0.0) / self.config.margin_m).square().sum()

    def _pose(self, rot6d: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        rotmat = rot6d_to_rotmat(rot6d)
        origin = torch.zeros_like(rotmat[..., 0, 0, :])
        return skeleton.forward_kinematics_rotmat(rotmat, origin, self.spheres.bone_offsets)


def posed_frames(n_frames: int, every: int) -> torch.Tensor:
    """Return which of n frames are posed, [K]: every so many, and the last."""
    frames = torch.arange(0, n_frames, every)
    return frames if frames[-1] == n_frames - 1 else torch.cat((frames, torch.tensor([n_frames - 1])))


def interpolation(frames: torch.Tensor, n_frames: int) -> torch.Tensor:
    """Return the matrix [T, K] that interpolates linearly between frames [K], the first being 0, the last T - 1."""
    if len(frames) == 1:
        return torch.ones(n_frames, 1, device=frames.device)
    every = torch.arange(n_frames, device=frames.device)
    right = torch.searchsorted(frames, every).clamp(min=1)
    share = (every - frames[right - 1]) / (frames[right] - frames[right - 1])
    matrix = torch.zeros(n_frames, len(frames), device=frames.device)
    matrix[every, right - 1], matrix[every, right] = 1.0 - share, share
    return matrix


def livelier(rot6d: torch.Tensor, share: torch.Tensor) -> torch.Tensor:
    """Return 6D rotations [N, T, 24, 6] that change `share` [N] times as much from frame to frame, mean over joints.

    Only what is above the hips swings wider about its own mean over the dance, so that feet and pelvis stay.
    """
    upper = torch.ones(N_JOINTS, dtype=torch.bool, device=rot6d.device)
    upper[[PELVIS, *LEGS]] = False
    changes = rot6d.diff(dim=1).abs().sum(dim=(1, 3))
    wider = 1.0 + (share - 1.0) * changes.sum(dim=1) / changes[:, upper].sum(dim=1).clamp(min=1e-9)
    mean = rot6d.mean(dim=1, keepdim=True)
    return torch.where(upper[:, None], mean + wider[:, None, None, None] * (rot6d - mean), rot6d)


def liveliness(rot6d: torch.Tensor) -> torch.Tensor:
    """Return the mean absolute change of rotations [N, T, 24, 6] from frame to frame, [N], as mot_mag takes it."""
    orthonormal = rotmat_to_rot6d(rot6d_to_rotmat(rot6d))
    return orthonormal.diff(dim=1).abs().mean(dim=(1, 2, 3))


def keep_lively(rot6d: torch.Tensor, moved: torch.Tensor, share: torch.Tensor) -> torch.Tensor:
    """Return moved dances [N, T, 24, 6] that change `share` [N] times as much from frame to frame as rot6d do."""
    return livelier(moved, share * liveliness(rot6d) / liveliness(moved).clamp(min=1e-9))
