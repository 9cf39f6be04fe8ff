"""The motion vectors of the field's models, described once and indexed by name everywhere."""

from dataclasses import dataclass

import torch

from skeleton2stage.errors import unknown_name
from skeleton2stage.motion import skeleton
from skeleton2stage.motion.rotations import axis_angle_to_rot6d, rot6d_to_axis_angle

CONTACT_STEP_M = 0.01
ROT6D_WIDTH = skeleton.N_JOINTS * 6


@dataclass(frozen=True)
class MotionLayout:
    """Where a motion vector [..., width] keeps its contacts, translation (m) and 6D rotations."""

    name: str
    contact_joints: tuple[int, ...]
    contacts: slice
    translation: slice
    rot6d: slice

    @property
    def width(self) -> int:
        """Number of features of a frame."""
        return len(self.contact_joints) + 3 + ROT6D_WIDTH

    @property
    def foot_contacts(self) -> slice:
        """The contacts of ankles and toes (7, 8, 10, 11), which every layout lists first."""
        return slice(self.contacts.start, self.contacts.start + 4)

    @property
    def body(self) -> tuple[slice, slice]:
        """Everything but the contacts: translation and rotations."""
        return self.translation, self.rot6d


EDGE = MotionLayout("edge", (7, 8, 10, 11), slice(0, 4), slice(4, 7), slice(7, 151))
POPDG = MotionLayout(
    "popdg", (7, 8, 10, 11, 15, 20, 21, 22, 23), slice(147, 156), slice(0, 3), slice(3, 147)
)
LAYOUTS = {layout.name: layout for layout in (EDGE, POPDG)}


def layout_named(name: str) -> MotionLayout:
    """Return a layout by name; raise UserError that lists the known ones."""
    if name not in LAYOUTS:
        raise unknown_name("motion layout", name, list(LAYOUTS))
    return LAYOUTS[name]


def contact_labels(joints_w: torch.Tensor, contact_joints: tuple[int, ...]) -> torch.Tensor:
    """Return 1 where a joint moves under 0.01 m to the next frame, [..., T, C], from [..., T, 24, 3].

    The last frame has no next one and is labelled 1, as EDGE does.
    """
    chosen = joints_w[..., list(contact_joints), :]
    step = (chosen[..., 1:, :, :] - chosen[..., :-1, :, :]).norm(dim=-1)
    last = torch.zeros_like(chosen[..., -1:, :, 0])
    return (torch.cat((step, last), dim=-2) < CONTACT_STEP_M).to(joints_w.dtype)


def encode(axis_angle: torch.Tensor, root_pos: torch.Tensor, layout: MotionLayout) -> torch.Tensor:
    """Return motion vectors [..., T, width] of rotations [..., T, 24, 3] rad and pelvis [..., T, 3] m."""
    joints_w = skeleton.forward_kinematics(axis_angle, root_pos)
    vector = torch.zeros(*root_pos.shape[:-1], layout.width, dtype=root_pos.dtype, device=root_pos.device)
    vector[..., layout.contacts] = contact_labels(joints_w, layout.contact_joints)
    vector[..., layout.translation] = root_pos
    vector[..., layout.rot6d] = axis_angle_to_rot6d(axis_angle).flatten(-2)
    return vector


def decode(
    vector: torch.Tensor, layout: MotionLayout
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return rotations [..., 24, 3] rad, pelvis [..., 3] m and contacts [..., C] of motion vectors."""
    if vector.shape[-1] != layout.width:
        raise ValueError(f"a {layout.name} motion vector has {layout.width} features, not {vector.shape[-1]}")
    rot6d = vector[..., layout.rot6d].unflatten(-1, (skeleton.N_JOINTS, 6))
    return rot6d_to_axis_angle(rot6d), vector[..., layout.translation], vector[..., layout.contacts]
