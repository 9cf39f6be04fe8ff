"""SMPL's family of bodies, each brought to SMPL's 24 joints: fingers are carried by the hands, the face by the head.

SMPL-H: Romero et al., "Embodied Hands", SIGGRAPH Asia 2017; SMPL-X: Pavlakos et al., CVPR 2019. Both have SMPL's first
22 joints in SMPL's order. With fingers and face at rest nothing of the mesh changes by this: what is left out of the
corrections by pose is zero there, and skin that several joints at rest relative to each other carry moves with any one.
"""

from dataclasses import dataclass

import numpy as np

from skeleton2stage.errors import UserError

N_JOINTS = 24
GENDERS = ("neutral", "male", "female")
FAMILIES = ("smpl", "smplh", "smplx")
_SHARED, _HEAD = 22, 15
_POSE_OF_SHARED = 9 * (_SHARED - 1)
_POSE_OF_ALL = 9 * (N_JOINTS - 1)


@dataclass(frozen=True)
class _Family:
    """Where a family's joints besides the shared ones are: of the head's, and of each hand's, fingers in MANO's order
    (index, middle, pinky, ring, thumb, three joints each); how many columns of its shapes are of the body.
    """

    name: str
    head: tuple[int, ...]
    hands: tuple[range, range]

    def n_shapes(self, n_columns: int) -> int:
        """Return how many columns of shapedirs are of the body's shape; the rest are expressions of the face."""
        if self.name != "smplx":
            return n_columns
        return 300 if n_columns >= 400 else min(10, n_columns)


_BY_JOINTS = {
    52: _Family("smplh", (), (range(22, 37), range(37, 52))),
    55: _Family("smplx", (22, 23, 24), (range(25, 40), range(40, 55))),
}
_MIDDLE_FINGER = 3  # of a hand's 15 joints, the knuckle of the middle one, where SMPL has its hand


def as_smpl(arrays: dict[str, np.ndarray], name: str) -> tuple[dict[str, np.ndarray], str]:
    """Return a body's arrays with SMPL's 24 joints, and its family; those of SMPL's own as they are.

    Raises UserError where they are of a body that has neither 24, 52 nor 55 joints, or not all that such a body has.
    """
    weights = arrays.get("weights")
    n_joints = weights.shape[1] if isinstance(weights, np.ndarray) and weights.ndim == 2 else N_JOINTS
    family = _BY_JOINTS.get(n_joints)
    if family is None:
        return arrays, "smpl"
    _check(arrays, n_joints, name)
    carried = np.zeros((len(weights), N_JOINTS))
    carried[:, :_SHARED] = weights[:, :_SHARED]
    carried[:, _HEAD] += weights[:, list(family.head)].sum(axis=1)
    regressor = np.zeros((N_JOINTS, len(weights)))
    regressor[:_SHARED] = arrays["J_regressor"][:_SHARED]
    for hand, fingers in zip((_SHARED, _SHARED + 1), family.hands, strict=True):
        carried[:, hand] = weights[:, list(fingers)].sum(axis=1)
        regressor[hand] = arrays["J_regressor"][fingers[_MIDDLE_FINGER]]
    poses = np.zeros((*arrays["v_template"].shape, _POSE_OF_ALL), dtype=np.float32)
    poses[:, :, :_POSE_OF_SHARED] = arrays["posedirs"][:, :, :_POSE_OF_SHARED]
    parents = np.asarray(arrays["kintree_table"])[0, :_SHARED].tolist()
    tree = np.array([[*parents, 20, 21], range(N_JOINTS)], dtype=np.int64)
    shapes = arrays["shapedirs"][:, :, : family.n_shapes(arrays["shapedirs"].shape[2])]
    return {
        "v_template": arrays["v_template"], "f": arrays["f"], "weights": carried, "J_regressor": regressor,
        "kintree_table": tree, "shapedirs": shapes, "posedirs": poses,
    }, family.name


def _check(arrays: dict[str, np.ndarray], n_joints: int, name: str) -> None:
    """Raise UserError where arrays are missing or do not fit each other."""
    count = len(arrays.get("v_template", ()))
    shapes = {"v_template": (count, 3), "J_regressor": (n_joints, count), "kintree_table": (2, n_joints),
              "posedirs": (count, 3, 9 * (n_joints - 1)), "weights": (count, n_joints)}
    for key, shape in shapes.items():
        found = np.shape(arrays[key]) if key in arrays else None
        if found != shape:
            raise UserError(f"{name}: {key} should be {shape} in a body of {n_joints} joints, and is {found}")
    if np.ndim(arrays.get("shapedirs")) != 3 or len(arrays["shapedirs"]) != count or "f" not in arrays:
        raise UserError(f"{name} has no shapedirs [{count}, 3, n] or no faces f, which such a body has")
