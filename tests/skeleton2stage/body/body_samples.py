"""Body files of SMPL's, SMPL-H's and SMPL-X's layouts, made of the open body: its fingers and face are cut from its
hands and head, so that the answer is known.
"""

import numpy as np

from skeleton2stage import files, paths
from skeleton2stage.body.body_files import read_arrays

# The joints that SMPL has not: how many in all, first of the left hand, of the right, of the face.
LAYOUTS = {"smplh": (52, 22, 37, ()), "smplx": (55, 25, 40, (22, 23, 24))}
MIDDLE = 3


def smpl_arrays(gender="neutral", n_shapes=10):
    """The open body as SMPL's arrays, shifted as SMPL's are; the first shape makes the whole body larger by a tenth."""
    arrays = dict(read_arrays(paths.open_body()))
    size = {"neutral": 1.0, "male": 1.05, "female": 0.95}[gender]
    template = size * arrays["v_template"].astype(np.float64)
    shapes = np.zeros((len(template), 3, n_shapes))
    shapes[:, :, 0] = 0.1 * template
    posedirs = np.zeros((len(template), 3, 207), dtype=np.float32)
    posedirs[:, 0, 9 * 17] = 1e-3  # an elbow's (joint 18's) first number moves everything along x
    shift = np.array([-0.0018, -0.2233, 0.0282])
    return arrays | {"v_template": template + shift, "shapedirs": shapes, "posedirs": posedirs}


def family_arrays(family, gender="neutral", n_shapes=16):
    """SMPL's arrays with each hand's weights shared out over 15 fingers' joints, and the head's over the face's."""
    arrays = smpl_arrays(gender, n_shapes)
    count, left, right, face = LAYOUTS[family]
    rng = np.random.default_rng(0)
    weights = np.zeros((len(arrays["weights"]), count))
    regressor = np.zeros((count, len(weights)))
    weights[:, :22], regressor[:22] = arrays["weights"][:, :22], arrays["J_regressor"][:22]
    for hand, first in ((22, left), (23, right)):
        shares = rng.dirichlet(np.ones(15), len(weights))
        weights[:, first : first + 15] = arrays["weights"][:, [hand]] * shares
        regressor[first : first + 15] = rng.dirichlet(np.ones(len(weights)), 15)
        regressor[first + MIDDLE] = arrays["J_regressor"][hand]
    for joint in face:
        weights[:, joint] = 0.2 * arrays["weights"][:, 15]
        weights[:, 15] -= weights[:, joint]
        regressor[joint] = arrays["J_regressor"][15]
    posedirs = np.zeros((len(weights), 3, 9 * (count - 1)), dtype=np.float32)
    posedirs[:, :, : 9 * 21] = arrays["posedirs"][:, :, : 9 * 21]
    posedirs[:, :, 9 * 21 :] = 5.0  # moves nothing while fingers and face are at rest
    parents = [2**32 - 1, *arrays["kintree_table"][0][1:22].tolist(), *[15] * len(face)]
    parents += [20] * 15 + [21] * 15
    return arrays | {
        "weights": weights, "J_regressor": regressor, "posedirs": posedirs,
        "kintree_table": np.array([parents, range(count)], dtype=np.int64),
    }


def write_body(path, arrays):
    path.parent.mkdir(parents=True, exist_ok=True)
    files.write_npz(path, **arrays)
