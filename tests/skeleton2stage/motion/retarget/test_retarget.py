import tarfile
from dataclasses import replace

import numpy as np
import pytest
import roma
import torch
from bvh_samples import LEG_CM, person_text

from skeleton2stage.body.body_model import load_body
from skeleton2stage.errors import UserError
from skeleton2stage.motion import skeleton
from skeleton2stage.motion.bvh import read_bvh
from skeleton2stage.motion.ik import IkWeights, local_to_world, solve, world_positions, world_to_local
from skeleton2stage.motion.retarget.glitches import position_deviation, rotation_deviation
from skeleton2stage.motion.retarget.grounding import SOLE_M
from skeleton2stage.motion.retarget.retarget import MAX_TURN_RAD, retarget
from skeleton2stage.motion.retarget.source_skeleton import shortest_rotation
from skeleton2stage.motion.retarget.standing import standing_frames
from skeleton2stage.motion.retarget.torso_clearance import TORSO_M, arm_clearance, torso_push

JOINT = {name: index for index, name in enumerate(skeleton.joint_names())}


def person(tmp_path, turns_deg, n_frames=60, **options):
    (tmp_path / "p.bvh").write_text(person_text(turns_deg, n_frames, **options))
    return read_bvh(tmp_path / "p.bvh")


def direction(joints_w, start, end):
    bone = joints_w[JOINT[end]] - joints_w[JOINT[start]]
    return bone / np.linalg.norm(bone)


def test_t_pose_stands_on_the_floor_facing_minus_y(tmp_path):
    motion, report = retarget(person(tmp_path, {}))
    assert len(motion) == 30 and motion.fps == 30 and report.up_axis == "y"
    joints_w = motion.joints()[15]
    assert joints_w[[10, 11], 2] == pytest.approx(SOLE_M, abs=0.002)
    assert direction(joints_w, "pelvis", "head")[2] > 0.98
    assert direction(joints_w, "left_shoulder", "left_wrist")[0] > 0.95
    assert direction(joints_w, "left_ankle", "left_foot")[1] < -0.8
    assert report.mean_error_m < 0.02 and report.bridged_frames == 0


def test_scale_makes_legs_as_long_as_smpls(tmp_path):
    motion, report = retarget(person(tmp_path, {}))
    rest = skeleton.rest_joints()
    legs = [np.linalg.norm(rest[a] - rest[b]) for a, b in ((1, 4), (4, 7), (2, 5), (5, 8))]
    assert report.scale == pytest.approx(sum(legs) / 2 / LEG_CM, rel=1e-6)


def test_raised_arm_goes_up_and_only_that_one(tmp_path):
    motion, _ = retarget(person(tmp_path, {"LeftArm": np.full(60, 80.0)}))
    joints_w = motion.joints()[15]
    up = np.cos(np.radians(10))
    assert direction(joints_w, "left_shoulder", "left_wrist")[2] == pytest.approx(up, abs=0.06)
    assert abs(direction(joints_w, "right_shoulder", "right_wrist")[2]) < 0.25


def test_walked_distance_is_scaled(tmp_path):
    path = np.stack([np.linspace(0, 100, 60), np.full(60, 97.0), np.linspace(0, 50, 60)], axis=1)
    motion, report = retarget(person(tmp_path, {}, path_cm=path))
    moved = motion.translation[28] - motion.translation[2]
    share = 52 / 59  # 26 frames at 30 fps of 59 steps at 60 fps
    expected = share * report.scale * np.array([100, -50, 0])
    np.testing.assert_allclose(moved, expected, atol=0.003)


def test_short_glitch_is_bridged(tmp_path):
    turns = np.zeros(60)
    turns[30:32] = 120.0
    motion, report = retarget(person(tmp_path, {"Hips": turns}))
    assert 2 <= report.bridged_frames <= 4
    upright = motion.joints()[:, 15, 2] - motion.joints()[:, 0, 2]
    assert np.ptp(upright) < 0.01


def test_fast_spin_is_no_glitch():
    turn = torch.zeros(120, 1, 3, dtype=torch.float64)
    turn[:, 0, 2] = torch.deg2rad(torch.arange(120.0)) * 9  # 3 turns a second at 120 Hz
    rotmat = roma.rotvec_to_rotmat(turn)
    hand = (0.5 * rotmat[..., 0]).numpy()
    assert rotation_deviation(rotmat, 11)[15:-15].max() < 1e-6
    assert position_deviation(hand, 11)[25:-25].max() < 0.06
    rotmat[60:64] = rotmat[60:64] @ roma.rotvec_to_rotmat(torch.tensor([0.9, 0.0, 0.0], dtype=torch.float64))
    hand[60:64, :, 2] += 0.3
    assert np.flatnonzero(rotation_deviation(rotmat, 11)[15:-15, 0] > 0.35).tolist() == [45, 46, 47, 48]
    assert np.flatnonzero(position_deviation(hand, 11)[25:-25, 0] > 0.2).tolist() == [35, 36, 37, 38]


def test_impossible_ankle_is_held_within_a_bodys_range(tmp_path):
    turns = np.zeros(60)
    turns[20:40] = 170.0
    motion, _ = retarget(person(tmp_path, {"LeftFoot": turns}))
    assert np.linalg.norm(motion.poses[:, JOINT["left_ankle"]], axis=-1).max() < 1.3


@pytest.mark.parametrize(("joint", "source", "most_rad"), [
    ("left_ankle", "LeftFoot", 1.1), ("right_ankle", "RightFoot", 1.1), ("left_wrist", "LeftHand", 1.4),
    ("right_wrist", "RightHand", 1.4), ("head", "Head", 1.0), ("neck", "Neck", 0.8),
])
def test_joints_turn_no_further_than_a_bodys_can(tmp_path, joint, source, most_rad):
    """Held at 150 degrees throughout, a joint is turned back to its limit."""
    report = retarget(person(tmp_path, {source: np.full(60, 150.0)}))[0]
    guided = np.linalg.norm(report.poses[:, JOINT[joint]], axis=-1)
    assert 0.6 * most_rad < guided.max() < most_rad + 0.15
    assert MAX_TURN_RAD[joint] == most_rad


def test_a_file_that_is_upside_down_stands_up(tmp_path):
    """Everything turned by half a turn about x: the file's -y is up."""
    bvh = person(tmp_path, {})
    values = bvh.values.copy()
    values[:, 1:3] *= -1.0
    values[:, 4] = 180.0  # the root's rotation about x
    motion, report = retarget(replace(bvh, values=values))
    assert report.up_axis == "y" and report.mean_error_m < 0.02
    np.testing.assert_allclose(motion.joints()[5, [10, 11], 2], SOLE_M, atol=0.002)
    assert direction(motion.joints()[5], "pelvis", "head")[2] > 0.98


def test_the_torso_that_arms_keep_clear_of_is_the_open_bodys():
    """Front and back to 3 mm, sides to 15, which the widest vertices pass, of what the trunk's surface has there."""
    body = load_body("open")
    joints = np.asarray(body.rest_joints)
    trunk = np.isin(np.asarray(body.weights).argmax(axis=1), [JOINT[name] for name in (
        "pelvis", "left_hip", "right_hip", "spine1", "spine2", "spine3", "left_collar", "right_collar"
    )])
    surface = np.asarray(body.rest_vertices)[trunk]
    for name, (half_width, z_middle, half_depth, low, high) in TORSO_M.items():
        points = surface - joints[JOINT[name]]
        points = points[(points[:, 1] > low) & (points[:, 1] < high)]
        assert points[:, 2].min() == pytest.approx(z_middle - half_depth, abs=3e-3), name
        assert points[:, 2].max() == pytest.approx(z_middle + half_depth, abs=3e-3), name
        assert np.abs(points[:, 0]).max() == pytest.approx(half_width, abs=0.015), name


def test_single_frame(tmp_path):
    motion, _ = retarget(person(tmp_path, {}, n_frames=1))
    assert len(motion) == 1


def test_unknown_skeleton_names_what_is_missing(tmp_path):
    text = person_text({}, 2).replace("LeftUpLeg", "Tentacle")
    text = text.replace("OFFSET 0 -40 0", "OFFSET 0 -40 7").replace("OFFSET 0 -42 0", "OFFSET 0 -2 0", 1)
    (tmp_path / "p.bvh").write_text(text)
    with pytest.raises(UserError, match="recognisable as left_hip; its joints are .*Tentacle"):
        retarget(read_bvh(tmp_path / "p.bvh"))


@pytest.mark.parametrize("end", [(0.0, 1.0, 0.0), (-1.0, 0.0, 0.0), (0.6, 0.0, 0.8)])
def test_shortest_rotation(end):
    start, end = np.array([1.0, 0.0, 0.0]), np.array(end)
    rotation = shortest_rotation(start, end)
    np.testing.assert_allclose(rotation @ start, end, atol=1e-12)
    np.testing.assert_allclose(rotation @ rotation.T, np.eye(3), atol=1e-12)
    assert np.trace(rotation) == pytest.approx(1 + 2 * (start @ end))


def test_standing_frames_are_low_and_still():
    ankle = np.zeros((100, 3))
    ankle[40:70, 2] = 0.3
    ankle[70:, 0] = np.arange(30) * 0.1
    toe = ankle + [0, 0.13, -0.06]
    ankle[:, 2] += np.where(np.arange(100) < 30, 0.0, np.linspace(0.01, 0.02, 100))
    # The lowest third of 100 heights is 33 of them: three frames of the second level, and the leap to it is none.
    assert standing_frames(ankle, toe, 30).tolist() == [*range(29), 30, 31, 32]


def test_a_foot_that_is_locked_to_one_height_stands_however_long():
    """Four fifths of the clip at the very same height, and once a hair under it."""
    ankle = np.zeros((100, 3))
    ankle[80:, 2] = np.linspace(0.0, 2.0, 20)
    for dip in (0.0, 1e-4):
        ankle[50, 2] = -dip
        assert standing_frames(ankle, ankle + [0, 0.13, -0.06], 30).tolist() == list(range(80))


def test_ik_reaches_what_can_be_reached():
    generator = torch.Generator().manual_seed(0)
    local = roma.rotvec_to_rotmat(0.3 * torch.randn(5, 24, 3, generator=generator).double())
    world = local_to_world(local)
    torch.testing.assert_close(world_to_local(world), local)
    offsets, root = torch.from_numpy(skeleton.offsets()), torch.zeros(5, 3, dtype=torch.float64)
    wrist = world_positions(world, root, offsets)[:, JOINT["left_wrist"]]
    bent = local.clone()
    bent[:, JOINT["left_shoulder"]] = roma.rotvec_to_rotmat(torch.tensor([0.2, 0.3, 0.4], dtype=torch.float64))
    weights = IkWeights({"left_wrist": 10.0, "pelvis": 100.0}, {"left_shoulder": 0.01, "left_elbow": 0.01})
    targets = {"left_wrist": wrist, "pelvis": root}
    start = local_to_world(bent)
    solved, pelvis = solve(start, root, targets, weights)
    before = world_positions(start, root, offsets)[:, JOINT["left_wrist"]]
    after = world_positions(solved, pelvis, offsets)[:, JOINT["left_wrist"]]
    assert (before - wrist).norm(dim=-1).min() > 0.05 > 50 * (after - wrist).norm(dim=-1).max()
    torch.testing.assert_close(solved[:, JOINT["head"]], start[:, JOINT["head"]])


@pytest.fixture(scope="module")
def cmu(shared_data, tmp_path_factory):
    archive = shared_data / "cmu_dance.tar.xz"
    if not archive.is_file():
        pytest.skip(f"no mocap at {archive}")
    folder = tmp_path_factory.mktemp("cmu")
    with tarfile.open(archive) as tar:
        members = [member for member in tar if member.name.endswith(("131_01.bvh", "60_10.bvh"))]
        tar.extractall(folder, members=members, filter="data")
    return {file.stem: file for file in folder.rglob("*.bvh")}


@pytest.mark.parametrize("name", ["131_01", "60_10"])
def test_real_clip(cmu, name):
    motion, report = retarget(read_bvh(cmu[name]))
    joints_w = motion.joints()
    assert report.mean_error_m < 0.03 and max(report.errors_m.values()) < 0.05
    assert (joints_w[:, 15, 2] - joints_w[:, [7, 8], 2].mean(axis=1)).min() > 0.5
    lower_toe = joints_w[:, [10, 11], 2].min(axis=1)
    assert np.median(lower_toe) == pytest.approx(SOLE_M, abs=0.015)
    assert np.abs(motion.poses[:, [22, 23]]).max() == 0
    knees = motion.poses[:, [4, 5], 0]
    assert np.percentile(knees, 5) > -0.3, "knees bend backwards"


def rest_pose(n_frames):
    rotmat_w = torch.eye(3, dtype=torch.float64).expand(n_frames, 24, 3, 3)
    joints_w = torch.from_numpy(skeleton.rest_joints()).expand(n_frames, 24, 3)
    return joints_w.clone(), rotmat_w


def test_torso_pushes_out_to_its_surface_and_leaves_the_rest():
    joints_w, rotmat_w = rest_pose(3)
    half_width, z_middle, _, _, high = TORSO_M["spine1"]
    local = torch.tensor([[0.1, high / 2, z_middle], [0.3, high / 2, z_middle], [0.1, 2.0, 0.0]])
    push = torso_push(joints_w[:, JOINT["spine1"]] + local.double(), joints_w, rotmat_w, 0.05)
    assert push[0, 0] == pytest.approx(half_width - 0.05, abs=0.012) and push[0].abs()[1] < 1e-9
    np.testing.assert_allclose(push[1:], 0, atol=1e-12)


def test_torso_push_is_continuous():
    joints_w, rotmat_w = rest_pose(2000)
    path = torch.linspace(-0.5, 0.8, 2000, dtype=torch.float64)
    points = torch.stack((torch.full_like(path, 0.12), path, torch.full_like(path, 0.03)), dim=1)
    push = torso_push(points, joints_w, rotmat_w, 0.05)
    assert push.norm(dim=-1).max() > 0.08
    assert push.diff(dim=0).norm(dim=-1).max() < 0.01


def test_arm_inside_the_torso_comes_out_with_bones_of_their_length():
    joints_w, rotmat_w = rest_pose(1)
    arm = [JOINT[f"left_{name}"] for name in ("shoulder", "elbow", "wrist")]
    start = joints_w[:, arm]
    joints_w[:, arm[1]] = torch.tensor([0.10, 0.245, -0.02], dtype=torch.float64)
    joints_w[:, arm[2]] = torch.tensor([0.20, 0.05, 0.12], dtype=torch.float64)
    wrist = joints_w[:, arm[2]]
    clear = arm_clearance(joints_w, rotmat_w, arm, wrist)
    before = torso_push(joints_w[:, arm[1]], joints_w, rotmat_w, 0.05).norm()
    after = torso_push(clear[:, 0], joints_w, rotmat_w, 0.05).norm()
    assert before > 0.09 > 4 * after
    assert (clear[:, 1] - wrist).norm() < 0.03
    assert (clear[:, 0] - start[:, 0]).norm() == pytest.approx((joints_w[:, arm[1]] - start[:, 0]).norm().item())


def test_arm_clear_of_the_torso_stays():
    joints_w, rotmat_w = rest_pose(2)
    arm = [JOINT[f"right_{name}"] for name in ("shoulder", "elbow", "wrist")]
    torch.testing.assert_close(arm_clearance(joints_w, rotmat_w, arm, joints_w[:, arm[2]]), joints_w[:, arm[1:]])
