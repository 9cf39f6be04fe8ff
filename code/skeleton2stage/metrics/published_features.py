"""A reference for FID from a folder of features as the field publishes them, one file a motion.

| layout | kinetic [72] | geometric ("manual") [32] |
| --- | --- | --- |
| AIST++'s aist_features | NAME_kinetic.npy | NAME_manual.npy |
| Bailando's aist_features_zero_start | kinetic_features/NAME.npy | manual_features_new/NAME.npy |

Motions are not needed, and of the corrected features (`_fixed`) nothing can be told.
"""

from pathlib import Path

import numpy as np

from skeleton2stage.arrays import read_npy
from skeleton2stage.errors import UserError
from skeleton2stage.folder_walk import files_in, of_kinds
from skeleton2stage.metrics.reference_statistics import Reference, reference_of

# By the features' name: their number, the ends of files' names, and the folders they lie in.
_KINDS = {
    "k": (72, ("_kinetic",), ("kinetic_features", "kinetic")),
    "g": (32, ("_manual", "_geometric"), ("manual_features_new", "manual_features", "geometric_features", "manual")),
}


def read_published(folder: Path) -> Reference:
    """Return the reference that a folder of features makes.

    Raises UserError where it lacks kinetic or geometric features, has different numbers of them, or any is broken.
    """
    files = of_kinds(files_in(folder), [".npy"])
    features = {}
    for name, (width, ends, folders) in _KINDS.items():
        own = [file for file in files if file.stem.endswith(ends) or file.parent.name in folders]
        if not own:
            layouts = f"NAME{ends[0]}.npy or {folders[0]}/NAME.npy"
            raise UserError(f"{folder} holds no features for fid_{name}: they are {layouts}")
        features[name] = np.stack([_vector(file, width) for file in own])
    counts = {len(values) for values in features.values()}
    if len(counts) > 1:
        raise UserError(f"{folder} holds features of {min(counts)} motions of one kind and {max(counts)} of the other: "
                        "copy it again")
    return reference_of(features, str(folder))


def _vector(path: Path, width: int) -> np.ndarray:
    """Return the features [width] in a file."""
    values = np.asarray(read_npy(path))
    if values.size != width or values.dtype.kind not in "fiu" or not np.isfinite(values).all():
        raise UserError(f"{path} holds {values.dtype} {list(values.shape)} where {width} finite features were expected")
    return values.reshape(width).astype(np.float64)
