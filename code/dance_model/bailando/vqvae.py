"""The choreographic memory: a VQ-VAE of the upper and one of the lower body, which also leads the root.

Bailando (Siyao et al., CVPR 2022, sections 3.1 and 3.2) and Bailando++ (TPAMI 2023), whose released checkpoints have
the same names and shapes.
"""

from dataclasses import dataclass, field
from typing import NamedTuple

import torch
from torch import nn

from dance_model.bailando.codebook import Bottleneck, Codebook, CodebookRule
from dance_model.bailando.conv import ConvSizes, Decoder, Encoder
from skeleton2stage.errors import UserError, unknown_name
from skeleton2stage.motion.skeleton import N_JOINTS

LOWER = (0, 1, 2, 4, 5, 7, 8, 10, 11)
UPPER = tuple(joint for joint in range(N_JOINTS) if joint not in LOWER)


@dataclass(frozen=True)
class Form:
    """What stands for a body: numbers a joint that are encoded and decoded, and numbers of the root.

    turned: numbers a joint of the second decoder, of rotations, that Bailando++ adds; 0 for none.
    root_encoded: whether the lower body's encoder sees the root's numbers; Bailando's sees zeros for the pelvis.
    """

    joint: int
    root: int
    turned: int = 0
    root_encoded: bool = False


FORMS = {
    "rotations": Form(joint=6, root=4, root_encoded=True),  # of `body_features.py`: ours
    "positions": Form(joint=3, root=3),  # Bailando's, y up, 60 fps
    "turned": Form(joint=3, root=3, turned=9),  # Bailando++'s: positions in, rotation matrices out
}


@dataclass(frozen=True)
class VqVaeConfig:
    """Sizes of both halves; the defaults are the released ones. form: one of FORMS."""

    form: str = "rotations"
    n_codes: int = 512
    conv: ConvSizes = field(default_factory=ConvSizes)

    def __post_init__(self) -> None:
        if self.form not in FORMS:
            raise unknown_name("form of bodies", self.form, list(FORMS))
        if self.n_codes < 2:
            raise UserError(f"n_codes must be at least 2, not {self.n_codes}")


class Body(NamedTuple):
    """A body over time: joints [B, T, 24, C] and root [B, T, R], as the form has them."""

    joints: torch.Tensor
    root: torch.Tensor


class Reconstruction(NamedTuple):
    """A body that went through the codes [B, S, 2], and how far vectors were from their codes (mean square)."""

    body: Body
    codes: torch.Tensor
    commitment: torch.Tensor


class HalfVqVae(nn.Module):
    """Encoder, codebook and decoders of one half of the body."""

    def __init__(self, n_joints: int, config: VqVaeConfig, leads_root: bool) -> None:
        super().__init__()
        form, conv = FORMS[config.form], config.conv
        n_encoded = n_joints * form.joint + (form.root if leads_root and form.root_encoded else 0)
        self.encoders = nn.ModuleList([Encoder(n_encoded, conv)])
        self.decoders = nn.ModuleList([Decoder(n_joints * form.joint, conv)])
        if form.turned:
            self.decoders_rot = nn.ModuleList([Decoder(n_joints * form.turned, conv)])
        if leads_root:
            self.decoders_root = nn.ModuleList([Decoder(form.root, conv)])
        self.bottleneck = Bottleneck(config.n_codes, conv.code_width)
        self.n_joints, self.turned = n_joints, form.turned > 0

    @property
    def codebook(self) -> Codebook:
        """The codes' vectors."""
        return self.bottleneck.codebook

    def encode(self, features: torch.Tensor) -> torch.Tensor:
        """Return vectors [B, W, S] of features [B, T, F]."""
        return self.encoders[0](features.transpose(1, 2))

    def decode(self, vectors: torch.Tensor) -> torch.Tensor:
        """Return joints [B, T, J, C] of vectors [B, W, S]: rotations, where there is a decoder of them."""
        decoder = self.decoders_rot[0] if self.turned else self.decoders[0]
        return decoder(vectors).transpose(1, 2).unflatten(-1, (self.n_joints, -1))

    def decode_root(self, vectors: torch.Tensor) -> torch.Tensor:
        """Return the root [B, T, R] of vectors [B, W, S]."""
        return self.decoders_root[0](vectors).transpose(1, 2)


class VqVae(nn.Module):
    """Both halves. Codes are [B, S, 2], the upper body's first."""

    def __init__(self, config: VqVaeConfig) -> None:
        super().__init__()
        self.config, self.form = config, FORMS[config.form]
        self.vqvae_up = HalfVqVae(len(UPPER), config, leads_root=False)
        self.vqvae_down = HalfVqVae(len(LOWER), config, leads_root=True)

    @property
    def halves(self) -> tuple[HalfVqVae, HalfVqVae]:
        """Upper and lower."""
        return self.vqvae_up, self.vqvae_down

    @property
    def frames_per_code(self) -> int:
        """Frames that a code stands for."""
        return self.config.conv.frames_per_code

    def encode(self, body: Body) -> torch.Tensor:
        """Return the codes [B, S, 2] of bodies of S * frames_per_code frames."""
        vectors = self.vectors(body)
        return torch.stack([half.codebook.nearest(x) for half, x in zip(self.halves, vectors, strict=True)], dim=-1)

    def decode(self, codes: torch.Tensor) -> Body:
        """Return the body of codes [B, S, 2]."""
        return self._decoded(*(half.codebook.vectors(codes[..., i]) for i, half in enumerate(self.halves)))

    def vectors(self, body: Body) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the encoders' vectors [B, W, S] of upper and lower body."""
        self._check(body)
        lower = body.joints[:, :, LOWER]
        if self.form.root_encoded:
            lower = torch.cat((lower.flatten(2), body.root), dim=-1)
        else:
            # Where the body stands in space is left to the root's decoder.
            lower = torch.cat((torch.zeros_like(lower[:, :, :1]), lower[:, :, 1:]), dim=2).flatten(2)
        return self.vqvae_up.encode(body.joints[:, :, UPPER].flatten(2)), self.vqvae_down.encode(lower)

    def forward(self, body: Body, learn: CodebookRule | None = None) -> Reconstruction:
        """Return the body as its codes give it, with gradient to the encoders; with a rule the codebooks learn."""
        quantised = []
        for half, vectors in zip(self.halves, self.vectors(body), strict=True):
            quantised.append(half.codebook(vectors))
            if learn is not None:
                half.codebook.learn(vectors, quantised[-1].codes, learn)
        codes = torch.stack([part.codes for part in quantised], dim=-1)
        commitment = torch.stack([part.commitment for part in quantised]).sum()
        return Reconstruction(self._decoded(*(part.vectors for part in quantised)), codes, commitment)

    def unquantised(self, body: Body) -> Body:
        """Return the body as the decoders give it from the encoders' own vectors, without codes."""
        return self._decoded(*self.vectors(body))

    @torch.no_grad()
    def start_decoders(self, body: Body) -> None:
        """Begin with decoders whose constant is the mean of bodies: nothing to learn but what differs from it."""
        joints = body.joints.mean(dim=(0, 1))
        for half, chosen in zip(self.halves, (UPPER, LOWER), strict=True):
            half.decoders[0].out.bias.copy_(joints[list(chosen)].flatten())
        self.vqvae_down.decoders_root[0].out.bias.copy_(body.root.mean(dim=(0, 1)))

    def start_codebooks(self, body: Body) -> None:
        """Begin with codebooks of what the encoders now make of bodies."""
        for half, vectors in zip(self.halves, self.vectors(body), strict=True):
            half.codebook.start(vectors)

    def _decoded(self, upper: torch.Tensor, lower: torch.Tensor) -> Body:
        parts = self.vqvae_up.decode(upper), self.vqvae_down.decode(lower)
        joints = torch.cat(parts, dim=2)[:, :, _ORDER]
        return Body(joints, self.vqvae_down.decode_root(lower))

    def _check(self, body: Body) -> None:
        expected = (N_JOINTS, self.form.joint)
        if body.joints.ndim != 4 or tuple(body.joints.shape[2:]) != expected:
            found = list(body.joints.shape)
            raise UserError(f"{self.config.form} are [B, T, {expected[0]}, {expected[1]}], not {found}")
        if body.joints.shape[1] % self.frames_per_code:
            raise UserError(
                f"a dance of {body.joints.shape[1]} frames does not come out even in codes of {self.frames_per_code}"
            )


# Where each joint stands when the upper body's joints are followed by the lower body's.
_ORDER = [(UPPER + LOWER).index(joint) for joint in range(N_JOINTS)]
