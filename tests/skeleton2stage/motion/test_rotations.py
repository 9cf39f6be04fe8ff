import numpy as np
import pytest
import roma
import torch

from skeleton2stage.motion.rotations import (
    axis_angle_to_rot6d,
    rot6d_to_axis_angle,
    rot6d_to_rotmat,
    rotmat_to_rot6d,
    slerp,
)


@pytest.fixture(scope="module")
def published(reference):
    with np.load(reference / "rotations.npz") as file:
        return {key: torch.from_numpy(file[key]) for key in file.files}


def same_rotations(first, second, tolerance):
    difference = roma.rotvec_to_rotmat(first.double()) - roma.rotvec_to_rotmat(second.double())
    return difference.abs().max().item() < tolerance


def test_6d_is_two_rows_not_columns():
    quarter_about_z = torch.tensor([0.0, 0.0, np.pi / 2])
    expected = torch.tensor([0.0, -1.0, 0.0, 1.0, 0.0, 0.0])  # rows of [[0, -1, 0], [1, 0, 0], [0, 0, 1]]
    torch.testing.assert_close(axis_angle_to_rot6d(quarter_about_z), expected, atol=1e-6, rtol=0)


def test_published_6d(published):
    torch.testing.assert_close(
        axis_angle_to_rot6d(published["axis_angle"]), published["rot6d"], atol=1e-5, rtol=0
    )
    torch.testing.assert_close(
        rotmat_to_rot6d(published["matrix"]), published["rot6d"], atol=1e-5, rtol=0
    )


def test_published_way_back(published):
    back = rot6d_to_axis_angle(published["rot6d"])
    assert back.norm(dim=-1).max() <= np.pi + 1e-5
    ambiguous = torch.zeros(256, dtype=torch.bool)
    ambiguous[[17, 18, 19, 20, 21, 25]] = True  # angles of pi and above have two representations
    # Near pi the published float32 chain itself loses digits, so those rows are compared as rotations.
    near_pi = published["axis_angle_back"].norm(dim=-1) > np.pi - 0.02
    plain = ~(ambiguous | near_pi)
    torch.testing.assert_close(back[plain], published["axis_angle_back"][plain], atol=1e-4, rtol=0)
    assert same_rotations(back, published["axis_angle_back"], 2e-3)


def test_published_raw_6d_is_orthonormalised(published):
    rotmat = rot6d_to_rotmat(published["raw6d"])
    torch.testing.assert_close(
        rotmat_to_rot6d(rotmat), published["raw6d_axis_angle_to_6d"], atol=2e-5, rtol=0
    )
    identity = torch.eye(3).expand_as(rotmat)
    torch.testing.assert_close(rotmat @ rotmat.transpose(-1, -2), identity, atol=1e-5, rtol=0)
    assert (torch.linalg.det(rotmat) > 0.99).all()


@pytest.mark.parametrize(
    ("end", "share", "expected"), [(1.2, 0.25, 0.3), (1.2, 1.0, 1.2), (2 * np.pi - 0.8, 0.5, -0.4)]
)
def test_slerp_goes_a_share_of_the_shorter_way(end, share, expected):
    first, second = (roma.rotvec_to_rotmat(torch.tensor([[0.0, 0.0, angle]]).double()) for angle in (0.0, end))
    for given in (share, torch.full((1, 1, 1), share).double()):
        found = roma.rotmat_to_rotvec(slerp(first, second, given))
        np.testing.assert_allclose(found.numpy(), [[0.0, 0.0, expected]], atol=1e-12)
