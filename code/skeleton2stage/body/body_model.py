"""The body mesh: SMPL's files, or the open body in their layout, posed by the `smplx` library."""

import contextlib
import io
from pathlib import Path

import numpy as np
import roma
import torch
from smplx import SMPLLayer
from smplx.utils import Struct
from smplx.vertex_ids import vertex_ids as VERTEX_IDS

from skeleton2stage import paths
from skeleton2stage.body.body_families import FAMILIES, GENDERS, N_JOINTS, as_smpl
from skeleton2stage.body.body_files import REQUIRED_KEYS, find_body, read_arrays
from skeleton2stage.errors import UserError, unknown_name

N_SHAPE = 10  # of smplx's layer, where they stay zero: a person's shape is in the template
N_POSE = 207  # 23 joints' rotation matrices
# Frames posed at once: 6,890 vertices and their blended transforms take about 0.6 MB a frame.
CHUNK_FRAMES = 256
OPEN = "open"


class BodyModel:
    """A SMPL-layout body, at mean shape unless made by `shaped`.

    Attributes: faces [F, 3] int64, vertices by number; weights [V, 24] skinning; parts [V], the joint of
    each vertex's largest weight; rest_vertices [V, 3] and
    rest_joints [24, 3] in the T-pose, metres, y up, x left, z front, *pelvis joint at the origin*;
    parents, 24 numbers with -1 for the pelvis. Arrays are numpy float32 unless said otherwise.
    """

    def __init__(self, arrays: dict[str, np.ndarray], name: str, family: str = "smpl", gender: str = "neutral") -> None:
        _check_arrays(arrays, name)
        self._arrays, self.name, self.family, self.gender = arrays, name, family, gender
        self.layer = _smplx_layer(arrays)
        self.faces = np.asarray(arrays["f"], dtype=np.int64)
        self.weights = np.asarray(arrays["weights"], dtype=np.float32)
        self.parts = self.weights.argmax(axis=1)
        self.parents = [-1, *(int(parent) for parent in arrays["kintree_table"][0][1:])]
        template = np.asarray(arrays["v_template"], dtype=np.float64)
        joints = np.asarray(arrays["J_regressor"], dtype=np.float64) @ template
        self._rest_pelvis = torch.as_tensor(joints[0], dtype=torch.float32)
        self.rest_vertices = (template - joints[0]).astype(np.float32)
        self.rest_joints = (joints - joints[0]).astype(np.float32)

    @property
    def bone_offsets(self) -> np.ndarray:
        """Return each joint's offset from its parent at rest, [24, 3] m, zero for the pelvis."""
        parents = np.array(self.parents[1:])
        return np.concatenate([np.zeros((1, 3), dtype=np.float32), self.rest_joints[1:] - self.rest_joints[parents]])

    @property
    def device(self) -> torch.device:
        """Return where the body's arrays are."""
        return self.layer.v_template.device

    def shaped(self, betas: tuple[float, ...]) -> "BodyModel":
        """Return the body of a person, by the coefficients of its shape space; more than it has are left out."""
        directions = np.asarray(self._arrays["shapedirs"], dtype=np.float64)
        known = np.asarray(betas, dtype=np.float64)[: directions.shape[2]]
        template = self._arrays["v_template"] + directions[:, :, : len(known)] @ known
        return BodyModel(self._arrays | {"v_template": template}, self.name, self.family, self.gender)

    def to(self, device: torch.device | str) -> "BodyModel":
        """Move the body to a device, in place, and return it."""
        self.layer.to(device)
        self._rest_pelvis = self._rest_pelvis.to(device)
        return self

    def vertices(self, axis_angle: torch.Tensor, root_pos: torch.Tensor) -> torch.Tensor:
        """Return the mesh [T, V, 3] of poses [T, 24, 3] with the pelvis joint at root_pos [T, 3].

        Rotations are local, radians; positions are metres in whatever frame the pose's pelvis rotation
        is told in. Works through the frames in chunks, on the body's device, without gradients.
        """
        if axis_angle.ndim != 3 or axis_angle.shape[1:] != (N_JOINTS, 3):
            raise ValueError(f"axis_angle must be [T, {N_JOINTS}, 3], got {tuple(axis_angle.shape)}")
        if root_pos.shape != (len(axis_angle), 3):
            raise ValueError(f"root_pos must be [{len(axis_angle)}, 3], got {tuple(root_pos.shape)}")
        if not len(axis_angle):
            return torch.zeros((0, *self.rest_vertices.shape), device=self.device)
        chunks = zip(axis_angle.split(CHUNK_FRAMES), root_pos.split(CHUNK_FRAMES), strict=True)
        return torch.cat([self._pose(*chunk) for chunk in chunks])

    @torch.no_grad()
    def _pose(self, axis_angle: torch.Tensor, root_pos: torch.Tensor) -> torch.Tensor:
        rotmat = roma.rotvec_to_rotmat(axis_angle.to(self.device, torch.float32))
        # SMPL turns about its rest pelvis, which is not its origin, so only the shift is undone.
        shift = root_pos.to(self.device, torch.float32) - self._rest_pelvis
        return self.layer(body_pose=rotmat[:, 1:], global_orient=rotmat[:, :1], transl=shift).vertices


def _smplx_layer(arrays: dict[str, np.ndarray]) -> SMPLLayer:
    """Return smplx's body with these arrays, quiet about having ten shape parameters, all without effect."""
    values = {key: np.asarray(arrays[key], dtype=np.float32) for key in REQUIRED_KEYS if key != "f"}
    values["f"] = np.asarray(arrays["f"], dtype=np.int64)
    # SMPL's files mark the root's parent with 2**32 - 1, which float32 or int32 could not hold.
    values["kintree_table"] = np.array([[-1, *arrays["kintree_table"][0][1:]]], dtype=np.int64)
    values["shapedirs"] = np.zeros((*values["v_template"].shape, N_SHAPE), dtype=np.float32)
    # smplx picks its extra joints (fingertips, ears) by SMPL's vertex numbers; nothing here uses them.
    vertex_ids = dict.fromkeys(VERTEX_IDS["smplh"], 0)
    with contextlib.redirect_stdout(io.StringIO()):
        return SMPLLayer(model_path="", data_struct=Struct(**values), vertex_ids=vertex_ids).eval()


def _check_arrays(arrays: dict[str, np.ndarray], name: str) -> None:
    """Raise UserError unless the arrays are those of a SMPL body with 24 joints."""
    missing = [key for key in REQUIRED_KEYS if key not in arrays]
    if missing:
        raise UserError(
            f"{name} is not a SMPL body model: it has no {', '.join(missing)} (it has {', '.join(sorted(arrays))})"
        )
    count = len(arrays["v_template"])
    shapes = {"v_template": (count, 3), "weights": (count, N_JOINTS), "J_regressor": (N_JOINTS, count),
              "kintree_table": (2, N_JOINTS), "posedirs": (count, 3, N_POSE)}
    for key, shape in shapes.items():
        if arrays[key].shape != shape:
            raise UserError(f"{name}: {key} should be {shape}, got {arrays[key].shape}: SMPL has {N_JOINTS} joints")


def load_body(name_or_path: "str | Path | BodyModel" = OPEN, gender: str = "neutral") -> BodyModel:
    """Return a body: "open" (ships with the project), a family of the user's (smpl, smplh, smplx), or a .npz or .pkl
    file.

    SMPL-H's and SMPL-X's have SMPL's 24 joints here: their fingers are carried by the hands, their face by the head.
    `gender` chooses among a family's files. Raises UserError where there is none, or the file is no such body. A body
    that is made already is returned as it is.
    """
    if isinstance(name_or_path, BodyModel):
        return name_or_path
    if gender not in GENDERS:
        raise unknown_name("gender", gender, list(GENDERS))
    choice = str(name_or_path)
    if choice in FAMILIES:
        path = find_body(choice, gender)
    elif choice == OPEN:
        path = paths.open_body()
    elif Path(choice).suffix in (".npz", ".pkl"):
        path = Path(choice).expanduser()
    else:
        raise UserError(
            f"unknown body '{choice}': choose open, {', '.join(FAMILIES)}, or name a .npz or .pkl file of such a body"
        )
    arrays, family = as_smpl(read_arrays(path), path.name)
    return BodyModel(arrays, path.name, OPEN if choice == OPEN else family, gender)
