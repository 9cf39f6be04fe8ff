import math

import pytest
import roma
import torch

from skeleton2stage.motion.rotations import rotmat_to_rot6d
from skeleton2stage.physics import quaternions


def random_quats(n: int) -> torch.Tensor:
    quats = torch.randn(n, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    return quats / quats.norm(dim=-1, keepdim=True)


def to_roma(quat_wxyz: torch.Tensor) -> torch.Tensor:
    return roma.quat_wxyz_to_xyzw(quat_wxyz)


def test_product_agrees_with_roma():
    a, b = random_quats(64), random_quats(64).flip(0)
    ours = quaternions.quat_multiply(a, b)
    torch.testing.assert_close(to_roma(ours), roma.quat_product(to_roma(a), to_roma(b)))


def test_rotating_a_vector_agrees_with_the_matrix():
    quats, vectors = random_quats(64), torch.randn(64, 3, dtype=torch.float64)
    matrix = roma.unitquat_to_rotmat(to_roma(quats))
    torch.testing.assert_close(quaternions.quat_rotate(quats, vectors), (matrix @ vectors[..., None])[..., 0])
    torch.testing.assert_close(quaternions.quat_to_rotmat(quats), matrix)
    torch.testing.assert_close(quaternions.quat_to_rot6d(quats), rotmat_to_rot6d(matrix))


def test_conjugate_is_the_inverse():
    quats = random_quats(16)
    identity = quaternions.quat_multiply(quats, quaternions.quat_conjugate(quats))
    torch.testing.assert_close(identity, torch.tensor([1.0, 0, 0, 0], dtype=torch.float64).expand(16, 4))


@pytest.mark.parametrize("angle", [0.0, 1e-9, 1e-5, 0.3, 1.9, math.pi - 1e-4])
def test_rotation_vectors_go_there_and_back(angle):
    rotvec = torch.tensor([[0.6, 0.0, -0.8]], dtype=torch.float64) * angle
    back = quaternions.quat_to_rotvec(quaternions.rotvec_to_quat(rotvec))
    torch.testing.assert_close(back, rotvec, atol=1e-9, rtol=1e-7)


def test_rotation_vectors_take_the_short_way():
    beyond = torch.tensor([[0.0, 1.5 * math.pi, 0.0]])
    back = quaternions.quat_to_rotvec(quaternions.rotvec_to_quat(beyond))
    torch.testing.assert_close(back, torch.tensor([[0.0, -0.5 * math.pi, 0.0]]))


def test_heading_is_where_the_pelvis_looks():
    upright = quaternions.rotvec_to_quat(torch.tensor([[math.pi / 2, 0.0, 0.0]]))
    # Upright, SMPL's +z looks along world -y; the heading frame's x axis must too.
    x_axis = quaternions.quat_rotate(quaternions.heading_quat(upright), torch.tensor([[1.0, 0.0, 0.0]]))
    torch.testing.assert_close(x_axis, torch.tensor([[0.0, -1.0, 0.0]]), atol=1e-6, rtol=0)


def test_heading_follows_a_turn_about_z_and_ignores_a_nod():
    yaw = quaternions.rotvec_to_quat(torch.tensor([[0.0, 0.0, 0.7]]))
    nod = quaternions.rotvec_to_quat(torch.tensor([[math.pi / 2 + 0.3, 0.0, 0.0]]))
    upright = quaternions.rotvec_to_quat(torch.tensor([[math.pi / 2, 0.0, 0.0]]))
    turned = quaternions.heading_quat(quaternions.quat_multiply(yaw, nod))
    expected = quaternions.quat_multiply(yaw, quaternions.heading_quat(upright))
    torch.testing.assert_close(turned, expected, atol=1e-6, rtol=0)


def test_any_leading_shape_is_as_all_in_a_row():
    """Worlds by bodies, or three axes: the last is a quaternion's, and the others do not matter."""
    quats, others = random_quats(24), random_quats(24).flip(0)
    vectors = torch.randn(24, 3, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    functions = [
        (quaternions.quat_multiply, (quats, others)), (quaternions.quat_conjugate, (quats,)),
        (quaternions.quat_rotate, (quats, vectors)), (quaternions.quat_to_rotvec, (quats,)),
        (quaternions.rotvec_to_quat, (vectors,)), (quaternions.quat_to_rotmat, (quats,)),
        (quaternions.quat_to_rot6d, (quats,)), (quaternions.heading_quat, (quats,)),
    ]
    for function, arguments in functions:
        expected = function(*arguments)
        for shape in ((4, 6), (2, 3, 4)):
            shaped = function(*(argument.unflatten(0, shape) for argument in arguments))
            torch.testing.assert_close(shaped, expected.unflatten(0, shape), msg=function.__name__)
        single = function(*(argument[5] for argument in arguments))
        torch.testing.assert_close(single, expected[5], msg=function.__name__)


@pytest.mark.parametrize(("of_quats", "of_vectors"), [
    ((4,), (5, 3)), ((5, 1, 4), (6, 3)), ((5, 4), (3,)), ((5, 6, 4), (6, 3)),
])
def test_shapes_of_quaternions_and_vectors_broadcast(of_quats, of_vectors):
    generator = torch.Generator().manual_seed(2)
    quats = torch.randn(of_quats, generator=generator, dtype=torch.float64)
    quats = quats / quats.norm(dim=-1, keepdim=True)
    vectors = torch.randn(of_vectors, generator=generator, dtype=torch.float64)
    expected = (quaternions.quat_to_rotmat(quats) @ vectors[..., None])[..., 0]
    torch.testing.assert_close(quaternions.quat_rotate(quats, vectors), expected)


def test_rotation_vectors_are_romas():
    quats = random_quats(64)
    rotvecs = roma.unitquat_to_rotvec(to_roma(quats))
    torch.testing.assert_close(quaternions.quat_to_rotvec(quats), rotvecs)
    torch.testing.assert_close(to_roma(quaternions.rotvec_to_quat(4 * rotvecs)), roma.rotvec_to_unitquat(4 * rotvecs))


def test_gradients_at_rest_are_finite():
    """Where nothing is turned there is no axis, and yet a slope."""
    rotvec = torch.zeros(3, 3, dtype=torch.float64, requires_grad=True)
    quaternions.quat_to_rotmat(quaternions.rotvec_to_quat(rotvec)).square().sum().backward()
    assert rotvec.grad.isfinite().all()
