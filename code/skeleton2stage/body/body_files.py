"""SMPL's, SMPL-H's and SMPL-X's files: where people have them, and the arrays in them, running nothing."""

import re
from pathlib import Path
from typing import Any

import numpy as np

from skeleton2stage import files, paths
from skeleton2stage.arrays import read_npz
from skeleton2stage.body.body_families import GENDERS
from skeleton2stage.errors import UserError

REQUIRED_KEYS = ("v_template", "f", "weights", "J_regressor", "kintree_table", "shapedirs", "posedirs")
MAX_MATRIX = 1 << 24  # numbers of a dense regressor of joints; SMPL-X has 55 x 10,475 of them
_DEEP = 5  # folders below body_models/ that are looked into: SMPL's archives unpack into three
# Files as they are published or as smplx renames them, in order of preference; {gender} and {letter} are filled in.
_NAMES = {
    "smpl": (
        r"smpl_{gender}\.npz", r"smpl_{gender}\.pkl", r"basicmodel_{letter}_lbs_10_207_0_v1\.1\.0\.(npz|pkl)",
        r"basicmodel_{letter}_lbs_10_207_0_v1\.0\.0\.(npz|pkl)",
    ),
    "smplh": (r"smplh_{gender}\.npz", r"(.*/)?smplh/(.*/)?{gender}/model\.npz", r"smplh_{gender}\.pkl"),
    "smplx": (r"smplx_{gender}(_2020)?\.npz", r"smplx_{gender}(_2020)?\.pkl", r"(.*/)?smplx/(.*/)?{gender}/model\.npz"),
}
_SITES = {
    "smpl": "smpl.is.tue.mpg.de", "smplh": "mano.is.tue.mpg.de", "smplx": "smpl-x.is.tue.mpg.de",
}
_SHOWN = {
    "smpl": "SMPL_{gender}.npz or .pkl, basicmodel_{letter}_lbs_10_207_0_v1.1.0.pkl", "smplh":
    "smplh/{lower}/model.npz, SMPLH_{gender}.npz or .pkl", "smplx": "SMPLX_{gender}.npz or .pkl",
}


def find_body(family: str = "smpl", gender: str = "neutral") -> Path:
    """Return the user's file of a family and gender, wherever it lies under `paths.body_models()`, as its archives
    unpack or as smplx wants it (smpl/, smplh/, smplx/).

    Raises UserError saying where it was sought.
    """
    root = paths.body_models()
    letter = "neutral" if gender == "neutral" else gender[0]
    found = sorted(_files(root), key=lambda path: (len(path.parts), str(path)))
    for pattern in _NAMES[family]:
        wanted = re.compile(pattern.format(gender=gender, letter=letter))
        for path in found:
            told = path.relative_to(root).as_posix().lower() if "/" in pattern else path.name.lower()
            if wanted.fullmatch(told):
                return path
    shown = _SHOWN[family].format(gender=gender.upper(), letter=letter, lower=gender)
    there = [other for other in GENDERS if other != gender and _is_there(family, other, found, root)]
    instead = f" (gender={' or gender='.join(there)} is there)" if there else ""
    raise UserError(
        f"no {family} body of gender {gender} in {root} or folders below it (looked for {shown}){instead}: download it "
        f"from {_SITES[family]} into {root}, or use the body 'open', which ships with the project"
    )


def _is_there(family: str, gender: str, found: list[Path], root: Path) -> bool:
    letter = "neutral" if gender == "neutral" else gender[0]
    patterns = [re.compile(pattern.format(gender=gender, letter=letter)) for pattern in _NAMES[family]]
    names = [(path.name.lower(), path.relative_to(root).as_posix().lower()) for path in found]
    return any(pattern.fullmatch(name) for pattern in patterns for pair in names for name in pair)


def _files(root: Path, depth: int = _DEEP) -> list[Path]:
    """Return the .npz and .pkl files under a folder, of hidden folders none."""
    if not root.is_dir():
        return []
    found = []
    for path in sorted(root.iterdir()):
        if path.name.startswith("."):
            continue
        if path.is_file() and path.suffix.lower() in (".npz", ".pkl"):
            found.append(path)
        elif depth > 1 and path.is_dir():
            found += _files(path, depth - 1)
    return found


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
