"""Bodies without place and heading, and back; the music of codes."""

import math

import roma
import torch

from dance_model.bailando.body_features import START_YAW_RAD, about_z, body_of, motion_of
from dance_model.bailando.local_music import stacked
from skeleton2stage.motion.rotations import axis_angle_to_rot6d


def upright(yaw_rad):
    """Return the pelvis' rotation vectors [T, 3] of a standing body whose front is at yaw [T] from the x axis."""
    forward_x = torch.tensor([[0.0, 0.0, 1.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
    return roma.rotmat_to_rotvec(about_z(yaw_rad) @ forward_x)


def motion():
    """Return rotation vectors [1, 20, 24, 3] and places [1, 20, 3] of a body that walks a curve and leans."""
    torch.manual_seed(0)
    poses, time = 0.4 * torch.randn(1, 20, 24, 3), torch.arange(20) / 30
    yaw = START_YAW_RAD + 4.0 * time  # passes 180 degrees
    pelvis = roma.rotvec_to_rotmat(upright(yaw)) @ roma.rotvec_to_rotmat(torch.tensor([0.3, 0.0, 0.1]))
    yaw_now = torch.atan2(pelvis[0, 1, 2], pelvis[0, 0, 2])
    pelvis = about_z(START_YAW_RAD - yaw_now) @ pelvis
    poses[0, :, 0] = roma.rotmat_to_rotvec(pelvis)
    place = torch.stack((torch.sin(time), 0.5 * time, 0.9 + 0.1 * torch.cos(9 * time)), dim=-1)
    return poses, place[None]


def test_there_and_back():
    poses, place = motion()
    rotmat, back = motion_of(body_of(axis_angle_to_rot6d(poses), place))
    assert torch.allclose(rotmat, roma.rotvec_to_rotmat(poses), atol=1e-5)
    assert torch.allclose(back, place, atol=1e-5)


def test_a_body_that_walks_forward_and_turns_left():
    yaw = torch.arange(10) * 0.05 + 2.0
    poses = torch.zeros(1, 10, 24, 3)
    poses[0, :, 0] = upright(yaw)
    heading = torch.stack((yaw.cos(), yaw.sin()), dim=-1)
    place = torch.nn.functional.pad((heading[:-1] / 30).cumsum(dim=0), (0, 0, 1, 0))
    body = body_of(axis_angle_to_rot6d(poses), torch.cat((place, torch.full((10, 1), 0.9)), dim=-1)[None])
    assert torch.allclose(body.root[0, :-1], torch.tensor([1.0, 0.0, 0.9, 1.5]).expand(9, 4), atol=1e-4)


def test_place_and_direction_do_not_matter():
    poses, place = motion()
    turn = about_z(torch.tensor(2.5))
    other = poses.clone()
    other[:, :, 0] = roma.rotmat_to_rotvec(turn @ roma.rotvec_to_rotmat(poses[:, :, 0]))
    moved = (turn @ place[..., None]).squeeze(-1) + torch.tensor([3.0, -2.0, 0.0])
    first, second = body_of(axis_angle_to_rot6d(poses), place), body_of(axis_angle_to_rot6d(other), moved)
    assert torch.allclose(first.joints, second.joints, atol=1e-5)
    assert torch.allclose(first.root, second.root, atol=1e-4)


def test_dances_begin_at_the_origin_facing_the_camera():
    poses, place = motion()
    poses[:, :, 0] = upright(torch.linspace(1.0, 2.0, 20))
    rotmat, back = motion_of(body_of(axis_angle_to_rot6d(poses), place))
    assert torch.allclose(back[0, 0, :2], torch.zeros(2), atol=1e-6)
    assert torch.allclose(rotmat[0, 0, 0, :2, 2], torch.tensor([0.0, -1.0]), atol=1e-5)
    assert math.isclose(float(back[0, 0, 2]), float(place[0, 0, 2]), abs_tol=1e-6)


def test_stacked_music_has_a_codes_frames_and_its_neighbours():
    music = torch.arange(1.0, 7.0)[None, :, None]
    assert stacked(music, 2, 0)[0].tolist() == [[1, 2], [3, 4], [5, 6]]
    assert stacked(music, 2, 1)[0].tolist() == [[0, 0, 1, 2, 3, 4], [1, 2, 3, 4, 5, 6], [3, 4, 5, 6, 0, 0]]
