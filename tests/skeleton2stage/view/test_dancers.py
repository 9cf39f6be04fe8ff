import numpy as np
import torch

from lively_motion import lively_motion
from skeleton2stage.body.body_model import load_body
from skeleton2stage.motion.motion import Motion
from skeleton2stage.render.figures import make_figure, pose
from skeleton2stage.render.marks import foot_contacts
from skeleton2stage.view import dancers
from skeleton2stage.view.dancers import bind_pose, make_dancer


def skinned(dancer, frame):
    """What a browser makes of bones and weights, by the definition of linear skinning."""
    vertices, joints, weights = bind_pose(dancer.figure)
    w, x, y, z = np.moveaxis(dancer.bone_quats[frame], 1, 0)
    from scipy.spatial.transform import Rotation

    rotations = Rotation.from_quat(np.stack([x, y, z, w], axis=1)).as_matrix()
    local = vertices[:, None] - joints[None]
    moved = np.einsum("jab,vjb->vja", rotations, local) + dancer.bone_positions[frame]
    return (weights[..., None] * moved).sum(axis=1)


def test_bones_carry_the_skin_to_where_the_body_is(dancer):
    np.testing.assert_allclose(skinned(dancer, 25), pose(dancer.figure, dancer.motion)[25], atol=1e-4)


def test_hulls_are_carried_the_same_way():
    hulls = make_figure("hulls", "open")
    performed = make_dancer("performed", hulls, lively_motion(3))
    assert performed.pairs is None and all(len(marked) == 0 for marked in performed.marked)
    np.testing.assert_allclose(skinned(performed, 2), pose(hulls, performed.motion)[2], atol=1e-4)


def test_marked_triangles_lie_on_the_skin_in_the_frames_that_intersect(dancer):
    assert (dancer.pairs[:20] == 0).all() and (dancer.pairs[20:] > 10).all()
    assert [len(marked) > 0 for marked in dancer.marked] == [False] * 20 + [True] * 10
    skin = pose(dancer.figure, dancer.motion)[25]
    distances = np.linalg.norm(dancer.marked[25].reshape(-1, 1, 3) - skin, axis=-1).min(axis=1)
    assert distances.max() < 0.003


def test_a_dance_far_from_the_floor_is_put_on_it(crossing_motion):
    high = make_dancer("high", load_body("open"), crossing_motion.shifted([0, 0, 2.0]))
    lowest = pose(high.figure, high.motion)[..., 2].min(axis=1)
    assert abs(lowest.mean()) < 1e-4
    np.testing.assert_allclose(high.bone_positions[:, 0], high.motion.translation, atol=1e-5)


def test_contacts_do_not_depend_on_how_frames_are_chunked(crossing_motion, monkeypatch):
    sticks = make_figure("sticks", "open")
    steps = np.random.default_rng(0).uniform(0, 0.02, (30, 3)).cumsum(axis=0) * [1, 1, 0]
    motion = Motion(crossing_motion.poses, crossing_motion.translation + steps)
    whole = foot_contacts(motion, pose(sticks, motion), sticks.parts)
    monkeypatch.setattr(dancers, "_CHUNK_FRAMES", 7)
    np.testing.assert_array_equal(make_dancer("x", sticks, motion).contacts, whole)


def test_a_motion_of_one_frame():
    one = make_dancer("one", load_body("open"), lively_motion(1))
    assert len(one) == len(one.pairs) == len(one.marked) == len(one.contacts) == 1


def test_the_bind_pose_is_the_body_at_rest():
    body = load_body("open")
    vertices, joints, weights = bind_pose(body)
    at_rest = body.vertices(torch.zeros(1, 24, 3), torch.zeros(1, 3))[0].numpy()
    np.testing.assert_allclose(vertices, at_rest)
    np.testing.assert_allclose(joints, body.rest_joints, atol=1e-6)
    np.testing.assert_allclose(weights.sum(axis=1), 1.0, atol=1e-5)
