"""The body mesh: SMPL's files, or the open body in their layout, posed by the `smplx` library."""

import contextlib
import io
from pathlib import Path
from typing import Any

import numpy as np
import roma
import torch
from smplx import SMPLLayer
from smplx.utils import Struct
from smplx.vertex_ids import vertex_ids as VERTEX_IDS

from skeleton2stage import files, paths
from skeleton2stage.arrays import read_npz
from skeleton2stage.errors import UserError

N_JOINTS = 24
N_SHAPE = 10
N_POSE = 207  # 23 joints' rotation matrices
# Where people put the neutral body, in order of preference, under paths.body_models().
SMPL_FOLDERS = ("", "smpl")
SMPL_NAMES = (
    "SMPL_NEUTRAL.npz", "SMPL_NEUTRAL.pkl", "basicmodel_neutral_lbs_10_207_0_v1.1.0.pkl",
    "basicmodel_neutral_lbs_10_207_0_v1.0.0.pkl", "basicModel_neutral_lbs_10_207_0_v1.0.0.pkl",
)
REQUIRED_KEYS = ("v_template", "f", "weights", "J_regressor", "kintree_table", "shapedirs", "posedirs")
# Frames posed at once: 6,890 vertices and their blended transforms take about 0.6 MB a frame.
CHUNK_FRAMES = 256
MAX_MATRIX = 1 << 24  # numbers of a dense regressor of joints; SMPL-X has 24 x 10,475 of them


class BodyModel:
    """A SMPL-layout body at mean shape.

    Attributes: faces [F, 3] int64, vertices by number; weights [V, 24] skinning; parts [V], the joint of
    each vertex's largest weight; rest_vertices [V, 3] and
    rest_joints [24, 3] in the T-pose, metres, y up, x left, z front, *pelvis joint at the origin*;
    parents, 24 numbers with -1 for the pelvis. Arrays are numpy float32 unless said otherwise.
    """

    def __init__(self, arrays: dict[str, np.ndarray], name: str) -> None:
        _check_arrays(arrays, name)
        self.name = name
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
    """Return smplx's body with these arrays, quiet about having ten shape parameters."""
    values = {key: np.asarray(arrays[key], dtype=np.float32) for key in REQUIRED_KEYS if key != "f"}
    values["f"] = np.asarray(arrays["f"], dtype=np.int64)
    # SMPL's files mark the root's parent with 2**32 - 1, which float32 or int32 could not hold.
    values["kintree_table"] = np.array([[-1, *arrays["kintree_table"][0][1:]]], dtype=np.int64)
    values["shapedirs"] = values["shapedirs"][:, :, :N_SHAPE]
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


class _ChumpyArray:
    """Stands in for chumpy's `Ch` when a pickle is read: keeps its state, computes nothing."""

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.state = state

    def to_numpy(self) -> np.ndarray:
        """Return the array that a plain `Ch` holds under the name x."""
        if "x" not in self.state:
            raise UserError("a chumpy array of the file is an expression and not plain numbers: save it as npz first")
        return np.asarray(self.state["x"])


class _ChumpySelection(_ChumpyArray):
    """Stands in for chumpy's `Select`, numbers chosen from another array; SMPL's shapedirs are one."""

    def to_numpy(self) -> np.ndarray:
        """Return the chosen numbers in their own shape."""
        chosen = _to_numpy(self.state["a"]).ravel()[np.asarray(self.state["idxs"])]
        return chosen.reshape(self.state["preferred_shape"])


class _SparseArray(_ChumpyArray):
    """Stands in for scipy's csc_matrix, whose own unpickling depends on the version of scipy."""

    def to_numpy(self) -> np.ndarray:
        """Return the matrix with its zeros."""
        state = self.state
        rows, columns = (int(size) for size in state.get("_shape", state.get("shape")))
        data, indices, starts = (np.asarray(state[name]) for name in ("data", "indices", "indptr"))
        # By numpy, which checks every index, as scipy does not.
        if rows * columns > MAX_MATRIX or indices.min(initial=0) < 0 or len(starts) != columns + 1:
            raise UserError("a sparse matrix of the file does not fit its own shape: copy the file again")
        dense = np.zeros((rows, columns), data.dtype)
        np.add.at(dense, (indices, np.repeat(np.arange(columns), np.diff(starts))), data)
        return dense


_PICKLED_CLASSES = {
    ("chumpy.ch", "Ch"): _ChumpyArray,
    ("chumpy", "Ch"): _ChumpyArray,
    ("chumpy.reordering", "Select"): _ChumpySelection,
    ("scipy.sparse.csc", "csc_matrix"): _SparseArray,
    ("scipy.sparse._csc", "csc_matrix"): _SparseArray,
}


def _to_numpy(value: Any) -> np.ndarray:  # noqa: ANN401 - whatever a SMPL file holds
    return value.to_numpy() if isinstance(value, _ChumpyArray) else np.asarray(value)


def read_arrays(path: Path) -> dict[str, np.ndarray]:
    """Return the arrays of a SMPL body file, npz or pickle, by SMPL's names; nothing in it is run.

    Raises UserError where the file is missing, damaged, or lacks them.
    """
    if path.suffix == ".pkl":
        content = files.read_pickle(path, _PICKLED_CLASSES)
        if not isinstance(content, dict):
            raise UserError(f"{path} holds a {type(content).__name__} where a SMPL file holds a dictionary")
        return {key: _to_numpy(content[key]) for key in REQUIRED_KEYS if key in content}
    return read_npz(path, REQUIRED_KEYS)


def find_smpl() -> Path:
    """Return the user's neutral SMPL file; raise UserError saying where it was sought."""
    root = paths.body_models()
    for folder in SMPL_FOLDERS:
        for name in SMPL_NAMES:
            if (root / folder / name).is_file():
                return root / folder / name
    raise UserError(
        f"no SMPL body in {root} or its folder smpl (looked for {', '.join(SMPL_NAMES)}): download the neutral "
        f"model from smpl.is.tue.mpg.de into {root}, or use the body 'open', which ships with the project"
    )


def load_body(name_or_path: str | Path = "open") -> BodyModel:
    """Return a body: "open" (ships with the project), "smpl" (the user's files), or a .npz or .pkl file.

    Raises UserError where there is none, or the file is not a SMPL body of 24 joints.
    """
    known = {"open": paths.open_body, "smpl": find_smpl}
    choice = str(name_or_path)
    if choice not in known and Path(choice).suffix not in (".npz", ".pkl"):
        raise UserError(f"unknown body '{choice}': choose open, smpl, or name a .npz or .pkl file of a SMPL body")
    path = known[choice]() if choice in known else Path(choice).expanduser()
    return BodyModel(read_arrays(path), name=path.name)
