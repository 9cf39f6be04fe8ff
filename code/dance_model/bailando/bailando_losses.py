"""What the VQ-VAE and the GPT are trained to, and how far a VQ-VAE is off in millimetres.

Bailando (Siyao et al., CVPR 2022), eqs. 1 to 3: absolute errors of the body, of its velocity and of its acceleration,
and the commitment to codes. Added here: absolute errors of joints in space, as Bailando++ offers, and of the path.
"""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch.nn import functional

from dance_model.bailando.body_features import HEIGHT, about_z, path_of
from dance_model.bailando.gpt import Logits
from dance_model.bailando.vqvae import Body
from dance_model.training.joint_positions import joint_positions, kinematic_tree
from skeleton2stage.motion.rotations import rot6d_to_rotmat


@dataclass(frozen=True)
class LossWeights:
    """Weights of the terms of `VqVaeLosses`; body, velocity, acceleration and commitment are Bailando's."""

    body: float = 1.0
    velocity: float = 1.0
    acceleration: float = 1.0
    root: float = 0.5
    path: float = 0.1
    joints: float = 5.0
    commitment: float = 0.02


class VqVaeLosses(NamedTuple):
    """The unweighted terms, scalars: mean absolute errors, and the mean square of the commitment.

    body, velocity, acceleration: of the rotations' numbers and of their first and second differences by frame.
    root: of its speeds, height and turn and of their differences (m, m/s, rad/s). path: of place (m) and heading (rad).
    joints: of joints' places seen from the heading, and of their differences (m).
    """

    body: torch.Tensor
    velocity: torch.Tensor
    acceleration: torch.Tensor
    root: torch.Tensor
    path: torch.Tensor
    joints: torch.Tensor
    commitment: torch.Tensor

    def total(self, weights: LossWeights) -> torch.Tensor:
        """Return the weighted sum."""
        return sum(getattr(weights, name) * term for name, term in self._asdict().items())


def vqvae_losses(made: Body, target: Body, commitment: torch.Tensor) -> VqVaeLosses:
    """Return the losses of bodies made against those wanted, both [B, T, ...] in the form "rotations"."""
    places, wanted = joints_of(made), joints_of(target)
    (yaw, place), (wanted_yaw, wanted_place) = path_of(made.root), path_of(target.root)
    return VqVaeLosses(
        body=functional.l1_loss(made.joints, target.joints),
        velocity=_difference_loss(made.joints, target.joints, 1),
        acceleration=_difference_loss(made.joints, target.joints, 2),
        root=functional.l1_loss(made.root, target.root) + _difference_loss(made.root, target.root, 1),
        path=functional.l1_loss(yaw, wanted_yaw) + functional.l1_loss(place, wanted_place),
        joints=functional.l1_loss(places, wanted) + _difference_loss(places, wanted, 1),
        commitment=commitment,
    )


def gpt_loss(logits: Logits, codes: torch.Tensor) -> torch.Tensor:
    """Return the cross-entropy of codes [B, S, 2], nats for the pair, mean over moments (Bailando, eq. 8)."""
    upper, lower = (
        functional.cross_entropy(half.flatten(0, 1), codes[..., i].flatten()) for i, half in enumerate(logits)
    )
    return upper + lower


def joints_of(body: Body) -> torch.Tensor:
    """Return joints [B, T, 24, 3] m as seen from where the body is and faces; heights are those over the floor."""
    above = functional.pad(body.root[..., HEIGHT : HEIGHT + 1], (2, 0))
    return joint_positions(rot6d_to_rotmat(body.joints), above, kinematic_tree(body.root.device))


@torch.no_grad()
def reconstruction_figures(made: Body, target: Body) -> dict[str, float]:
    """Return mean distances of joints, mm: of poses, seen from the body, and of dances from where they began."""
    pose, wanted = joints_of(made), joints_of(target)
    in_place = [_along(joints, body.root) for joints, body in ((pose, made), (wanted, target))]
    return {
        "pose_mm": 1e3 * float((pose - wanted).norm(dim=-1).mean()),
        "dance_mm": 1e3 * float((in_place[0] - in_place[1]).norm(dim=-1).mean()),
    }


def code_use(codes: torch.Tensor, n_codes: int) -> dict[str, float]:
    """Return by half of the body the share of codes that occur in codes [..., 2], and their perplexity."""
    figures = {}
    for half, name in enumerate(("upper", "lower")):
        share = torch.bincount(codes[..., half].flatten(), minlength=n_codes).double()
        share = share / share.sum()
        figures[f"{name}_used"] = float((share > 0).double().mean())
        figures[f"{name}_perplexity"] = float(torch.special.entr(share).sum().exp())
    return figures


def _along(joints: torch.Tensor, root: torch.Tensor) -> torch.Tensor:
    """Return joints [B, T, 24, 3] turned and moved along the path."""
    yaw, place = path_of(root)
    turned = (about_z(yaw)[:, :, None] @ joints[..., None]).squeeze(-1)
    return turned + functional.pad(place, (0, 1))[:, :, None]


def _difference_loss(made: torch.Tensor, target: torch.Tensor, order: int) -> torch.Tensor:
    return functional.l1_loss(made.diff(n=order, dim=1), target.diff(n=order, dim=1))
