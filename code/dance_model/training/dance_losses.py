"""EDGE's training losses: reconstruction, velocity, joint positions and foot contact consistency.

Tseng et al., EDGE (CVPR 2023), eqs. 2 to 6; the weights are those of its released training code.
"""

from dataclasses import dataclass
from typing import NamedTuple

import torch

from dance_model.training.joint_positions import KinematicTree, joint_positions
from skeleton2stage.motion.motion_layout import MotionLayout
from skeleton2stage.motion.rotations import rot6d_to_rotmat
from skeleton2stage.motion.scaler import MinMaxScaler
from skeleton2stage.motion.skeleton import N_JOINTS
from skeleton2stage.settings import check_own_settings, setting

FK_SPACES = ("normalised", "metric")
CONTACT_THRESHOLD = 0.95
FOOT_JOINTS = (7, 8, 10, 11)


@dataclass(frozen=True)
class LossConfig:
    """Weights of the terms, and the space of the two that need joints.

    snr_clip and snr_floor are gamma and f of `time_weights`.
    """

    reconstruction: float = setting("of the whole vector", default=0.636, minimum=0)
    velocity: float = setting("of its frame-to-frame differences, contacts left out", default=2.964, minimum=0)
    joints: float = setting("of joint positions", default=0.646, minimum=0)
    foot: float = setting("of foot movement where the model predicts contact", default=10.942, minimum=0)
    fk_space: str = setting(
        "joints of the scaled values (normalised), as in EDGE's code, whose weights expect it, or of metres and "
        "orthonormal rotations (metric)",
        default="normalised", choices=FK_SPACES,
    )
    snr_clip: float = setting(
        "weigh denoising times by snr_floor + min(signal-to-noise ratio, this); 0: all alike, as EDGE",
        default=0.0, minimum=0,
    )
    snr_floor: float = setting(
        "weight that the noisiest times keep; 1 / data_std^2 goes with a preconditioned denoiser",
        default=0.0, minimum=0,
    )

    def __post_init__(self) -> None:
        check_own_settings(self)


class DanceLosses(NamedTuple):
    """The unweighted terms, each a scalar tensor averaged over the batch."""

    reconstruction: torch.Tensor
    velocity: torch.Tensor
    joints: torch.Tensor
    foot: torch.Tensor

    def total(self, config: LossConfig) -> torch.Tensor:
        """Return the weighted sum."""
        weights = (config.reconstruction, config.velocity, config.joints, config.foot)
        return sum(weight * term for weight, term in zip(weights, self, strict=True))


def time_weights(alphas_cumprod: torch.Tensor, snr_clip: float, snr_floor: float = 0.0) -> torch.Tensor:
    """Return the weight of each denoising time, [1000], of mean 1, for abar [1000].

    f + min(SNR, gamma) with SNR = abar / (1 - abar). With f = 0 it is min-SNR weighting (Hang et al., ICCV 2023);
    with f = 1 / d^2, d the data's deviation, it is that of Karras et al. (2022), lambda = 1 / c_out^2, cut off at
    gamma. All ones where gamma is 0.
    """
    if snr_clip == 0:
        return torch.ones_like(alphas_cumprod)
    weights = snr_floor + (alphas_cumprod / (1.0 - alphas_cumprod)).clamp(max=snr_clip)
    return weights / weights.mean()


def dance_losses(
    predicted: torch.Tensor,
    target: torch.Tensor,
    weights: torch.Tensor,
    layout: MotionLayout,
    scaler: MinMaxScaler,
    fk_space: str,
    tree: KinematicTree,
    contact_joints: tuple[int, ...] = FOOT_JOINTS,
) -> DanceLosses:
    """Return the losses of predicted clean motions [B, T, D] against the target's, both normalised.

    Windows count in the first three terms by their weights [B]; the foot term has none, as in EDGE's code. It is of
    `contact_joints`, the first or all of those that the layout has contacts of.
    """
    if predicted.shape != target.shape or predicted.shape[-1] != layout.width:
        raise ValueError(f"expected two [B, T, {layout.width}], got {predicted.shape} and {target.shape}")
    posed, posed_target = predicted, target
    if fk_space == "metric":
        posed, posed_target = _in_metres(predicted, scaler), _in_metres(target, scaler)
    joints = vector_joints(posed, layout, tree)
    joints_error = (joints - vector_joints(posed_target, layout, tree)).square().mean(dim=(1, 2, 3))
    return DanceLosses(
        (weights * (predicted - target).square().mean(dim=(1, 2))).mean(),
        (weights * velocity_error(predicted, target, layout)).mean(),
        (weights * joints_error).mean(),
        foot_loss(joints, posed[..., layout.contacts][..., : len(contact_joints)], contact_joints),
    )


def _in_metres(scaled: torch.Tensor, scaler: MinMaxScaler) -> torch.Tensor:
    """Unscale without the clip, which would stop the gradient outside [-1, 1]."""
    return (scaled - scaler.minimum) / scaler.scale


def vector_joints(vectors: torch.Tensor, layout: MotionLayout, tree: KinematicTree) -> torch.Tensor:
    """Return joint positions [B, T, 24, 3] of motion vectors [B, T, D]."""
    rotmat = rot6d_to_rotmat(vectors[..., layout.rot6d].unflatten(-1, (N_JOINTS, 6)))
    return joint_positions(rotmat, vectors[..., layout.translation], tree)


def velocity_error(predicted: torch.Tensor, target: torch.Tensor, layout: MotionLayout) -> torch.Tensor:
    """Return the mean squared error of frame-to-frame differences, contacts left out (eq. 5), [B]."""
    error = (predicted - target).diff(dim=1)
    return torch.cat([error[..., part] for part in layout.body], dim=-1).square().mean(dim=(1, 2))


def foot_loss(
    joints: torch.Tensor, contacts: torch.Tensor, contact_joints: tuple[int, ...] = FOOT_JOINTS
) -> torch.Tensor:
    """Return the mean squared foot movement a frame where the model itself predicts contact (eq. 6).

    joints: [B, T, 24, 3]; contacts: [B, T, C] of `contact_joints`, ankles and toes. The mean runs over all frames,
    feet and axes, untouched ones and the last frame counting as zero.
    """
    feet = torch.stack([joints[:, :, joint] for joint in contact_joints], dim=2)
    touching = contacts[:, :-1, :, None] > CONTACT_THRESHOLD
    return (feet.diff(dim=1) * touching).square().sum() / feet.numel()
