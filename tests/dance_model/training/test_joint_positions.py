"""Level-by-level kinematics against the library's own."""

import roma
import torch

from dance_model.training.joint_positions import joint_positions, kinematic_tree, matmul_3x3
from skeleton2stage.motion import skeleton

TREE = kinematic_tree(torch.device("cpu"))


def test_positions_equal_the_librarys():
    torch.manual_seed(0)
    rotmat, root = roma.random_rotmat(5 * 24).view(5, 24, 3, 3), torch.randn(5, 3)
    expected, _ = skeleton.forward_kinematics_rotmat(rotmat, root)
    torch.testing.assert_close(joint_positions(rotmat, root, TREE), expected, atol=1e-6, rtol=0)


def test_rest_pose_is_the_offsets_summed():
    joints = joint_positions(torch.eye(3).expand(2, 24, 3, 3), torch.tensor([[0.0, 0, 0], [1, 2, 3]]), TREE)
    rest = torch.as_tensor(skeleton.rest_joints(), dtype=torch.float32)
    torch.testing.assert_close(joints[0], rest, atol=1e-6, rtol=0)
    torch.testing.assert_close(joints[1], rest + torch.tensor([1.0, 2, 3]), atol=1e-6, rtol=0)


def test_products_of_small_matrices():
    left, right = torch.randn(4, 2, 3, 3), torch.randn(4, 2, 3, 3)
    torch.testing.assert_close(matmul_3x3(left, right), left @ right, atol=1e-6, rtol=1e-5)


def test_gradients_equal_the_librarys():
    torch.manual_seed(1)
    rotmat = torch.randn(3, 24, 3, 3, requires_grad=True)
    root, weight = torch.randn(3, 3), torch.randn(3, 24, 3)
    (ours,) = torch.autograd.grad((joint_positions(rotmat, root, TREE) * weight).sum(), rotmat)
    (theirs,) = torch.autograd.grad(
        (skeleton.forward_kinematics_rotmat(rotmat, root)[0] * weight).sum(), rotmat
    )
    torch.testing.assert_close(ours, theirs, atol=1e-4, rtol=1e-4)
