import numpy as np
import pytest
import torch

from pretrain.damage.catalogue import CONTROLS, DAMAGES
from pretrain.damage.crouching_hop import crouching_hop, legs_bent
from pretrain.damage.joint_damage import jittered_pose, mirrored_feet, time_warp
from pretrain.damage.limb_swing import arm_kept_clear, arm_through_torso, leg_through_leg
from pretrain.damage.whole_body import (
    frozen_root,
    impossible_jump,
    impossible_lean,
    lifted_body,
    sliding_pelvis,
    sunk_feet,
    teleport,
)
from skeleton2stage.errors import UserError
from skeleton2stage.motion import skeleton
from skeleton2stage.motion.motion import Motion
from skeleton2stage.physics.axes.read_axes import AXES

N = 150


def dancing() -> Motion:
    """Upright, arms swaying, the left foot tapping except in the second from frame 60 on."""
    frames = np.arange(N)
    poses = np.zeros((N, 24, 3), dtype=np.float32)
    poses[:, 0, 0] = np.pi / 2
    poses[:, 16, 2], poses[:, 17, 2] = -1.1 + 0.1 * np.sin(frames / 9), 1.1
    moving = 1.0 - ((frames >= 60) & (frames <= 90))
    for hip in (1, 2):
        poses[:, hip, 0] = 0.2 * np.sin(np.cumsum(moving) / 5)
    return Motion(poses, np.tile(np.array([1.0, 2.0, 1.0], dtype=np.float32), (N, 1)))


def lively() -> Motion:
    """The same, with a leg that swings, another that does not, and a pelvis that walks and turns."""
    motion = dancing()
    poses, translation = motion.poses.copy(), motion.translation.copy()
    poses[:, 1, 0], poses[:, 2, 0] = 0.5 * np.sin(np.arange(N) / 5), 0.1
    poses[:, 0, 2] = 0.01 * np.arange(N)
    translation[:, 0] += 0.02 * np.arange(N)
    return Motion(poses, translation)


def change(one: Motion, other: Motion) -> float:
    """How much two motions differ, rotations (rad) and places (m) together, of parts that carry nothing too."""
    return float(np.abs(one.poses - other.poses).sum() + np.abs(one.joints() - other.joints()).sum())


def runs(marked: np.ndarray) -> list[tuple[int, int]]:
    """Return (first, length) of the runs of True."""
    edges = np.flatnonzero(np.diff(np.concatenate(([0], marked.astype(int), [0]))))
    return [(int(a), int(b - a)) for a, b in zip(edges[::2], edges[1::2], strict=True)]


@pytest.mark.parametrize("name", sorted(DAMAGES))
def test_the_first_frame_is_left_and_seeds_decide_the_rest(name):
    motion, damage = lively(), DAMAGES[name]
    damaged, again = (damage.apply(motion, 3, damage.strengths[-1]) for _ in range(2))
    others = [damage.apply(motion, seed, damage.strengths[-1]) for seed in (5, 6, 7)]
    np.testing.assert_allclose(damaged.poses[0], motion.poses[0], atol=1e-6)
    np.testing.assert_allclose(damaged.translation[0], motion.translation[0], atol=1e-6)
    np.testing.assert_array_equal(damaged.joints(), again.joints())
    assert max(change(damaged, other) for other in others) > 1.0
    assert len(damaged) == N and np.array_equal(motion.poses, lively().poses)


@pytest.mark.parametrize("name", sorted(set(DAMAGES) - {"arm_through_torso"}))
def test_stronger_damage_changes_more(name):
    motion, damage = lively(), DAMAGES[name]
    copies = [damage.apply(motion, 3, strength) for strength in damage.strengths]
    changes = [change(copy, motion) for copy in copies]
    assert changes[0] > 0 and len(set(damage.strengths)) == 5
    assert all(weaker < stronger for weaker, stronger in zip(changes, changes[1:], strict=False)), changes


@pytest.mark.parametrize("name", sorted(CONTROLS))
def test_controls_change_something_and_keep_the_length(name):
    changed = CONTROLS[name](lively(), 1)
    assert len(changed) == N and change(changed, lively()) > 1.0


def test_the_catalogue_is_complete():
    """At least twelve kinds at five strengths each, and axes that exist to find them."""
    assert len(DAMAGES) >= 12 and len(CONTROLS) >= 6
    assert all(len(damage.strengths) == 5 and set(damage.axes) <= set(AXES) for damage in DAMAGES.values())
    assert all(list(damage.strengths) == sorted(damage.strengths) for damage in DAMAGES.values())


def test_a_lean_tilts_over_flat_feet():
    """30 degrees: the head goes sideways by half its height over the ankles, the feet turn not at all."""
    motion = dancing()
    joints, before = impossible_lean(motion, 0, 30.0).joints(), motion.joints()
    moved = np.linalg.norm((joints - before)[:, 15, :2], axis=1).max()
    height = (before[:, 15, 2] - before[:, [7, 8], 2].mean(axis=1)).max()
    assert moved == pytest.approx(0.5 * height, rel=0.1)
    feet = joints[:, 10] - joints[:, 7], before[:, 10] - before[:, 7]
    np.testing.assert_allclose(*feet, atol=1e-4)


def test_a_rush_runs_through_the_same_poses_faster():
    frames = np.arange(N)
    poses = np.zeros((N, 24, 3))
    poses[:, 0, 0] = np.pi / 2
    translation = np.stack((0.01 * frames, np.zeros(N), np.ones(N)), axis=1)
    warped = time_warp(Motion(poses, translation), 2, 4.0)
    step = np.diff(warped.translation[:, 0])
    assert step.max() == pytest.approx(0.04, rel=0.02) and step.min() > 0.004
    assert warped.translation[-1, 0] == pytest.approx(translation[-1, 0], abs=1e-5)


def test_a_flight_falls_as_slowly_as_it_is_told():
    motion = dancing()
    height = (impossible_jump(motion, 0, 0.75).translation - motion.translation)[:, 2]
    flying = height > 1e-6
    assert height.max() == pytest.approx(0.3, abs=0.005)
    second = np.diff(height, 2)[flying[2:] & flying[:-2] & flying[1:-1]] * 900
    np.testing.assert_allclose(second, -0.25 * 9.81, rtol=0.01)


def test_a_frozen_pelvis_stays_and_comes_back():
    motion = sliding_pelvis(dancing(), 0)
    frozen = frozen_root(motion, 1, 1.0)
    still = np.linalg.norm(np.diff(frozen.translation, axis=0), axis=1) < 1e-6
    assert still.sum() >= 30
    np.testing.assert_allclose(frozen.translation[-1], motion.translation[-1], atol=1e-5)


def test_a_teleport_takes_one_frame():
    moved = np.linalg.norm(teleport(dancing(), 0, 50.0).translation - dancing().translation, axis=1)
    assert set(np.round(moved, 3)) == {0.0, 0.5} and (np.diff(moved) > 0.1).sum() == 1


def test_a_leg_goes_into_the_other_knee():
    before, after = dancing().joints(), leg_through_leg(dancing(), 0, 12.0).joints()
    knees = [skeleton.joint_index("left_knee"), skeleton.joint_index("right_knee")]
    apart = np.linalg.norm(after[:, knees[0]] - after[:, knees[1]], axis=1)
    assert np.linalg.norm(before[:, knees[0]] - before[:, knees[1]], axis=1).min() > 0.15
    assert apart.min() < 0.06


def test_legs_are_exchanged_and_nothing_else():
    motion = lively()
    changed = np.abs(mirrored_feet(motion, 0).poses - motion.poses).max(axis=(0, 2)) > 1e-4
    assert set(changed.nonzero()[0]) <= {1, 2, 4, 5, 7, 8, 10, 11} and changed[[1, 2]].all()


def test_a_hop_of_a_body_crouches_flies_and_lands():
    """The pelvis sinks by 12 cm over feet that stay, flies as bodies fall, and all of it comes back; 2 g at most."""
    motion = dancing()
    hop = crouching_hop(motion, 4)
    moved = (hop.joints() - motion.joints()).astype(np.float64)
    pelvis, feet = moved[:, 0, 2], moved[:, [7, 8, 10, 11]]
    assert pelvis.min() == pytest.approx(-0.12, abs=0.003) and 0.03 < pelvis.max() < 0.081
    np.testing.assert_allclose(feet[..., :2], 0.0, atol=1e-5)
    np.testing.assert_allclose(feet[..., 2], np.broadcast_to(pelvis.clip(min=0.0)[:, None], (N, 4)), atol=1e-5)
    ((first, length),) = runs(pelvis > 1e-4)
    acceleration = np.diff(pelvis, 2) * 900
    inside = acceleration[first : first + length - 2]
    np.testing.assert_allclose(inside, -9.81, atol=0.3)
    assert np.abs(acceleration).max() < 9.82
    assert abs(pelvis[0]) < 1e-6 and abs(pelvis[-1]) < 1e-6


def test_a_straight_leg_bends_its_knee_forward():
    """Both thighs of a body with straight legs point the way it faces once it crouches; bones keep their lengths."""
    poses = np.zeros((2, 24, 3))
    poses[:, 0, 0] = np.pi / 2
    straight = Motion(poses, np.tile([0.0, 0.0, 1.0], (2, 1)))
    bent = legs_bent(straight, np.array([0.0, 0.1]))
    before, after = straight.joints(), bent.joints()
    np.testing.assert_allclose(after[0], before[0], atol=1e-6)
    np.testing.assert_allclose(after[1, [7, 8, 10, 11]], before[1, [7, 8, 10, 11]], atol=1e-5)
    assert after[1, 0, 2] == pytest.approx(0.9, abs=1e-6)
    # The body faces -y: a knee more than 12 cm ahead of where it was.
    assert ((after - before)[1, [4, 5], 1] < -0.12).all()


@pytest.mark.parametrize("seed", range(4))
def test_the_forearm_goes_through_the_torso_for_a_second(seed):
    motion = dancing()
    joints = arm_through_torso(motion, seed).joints()
    changed = np.linalg.norm(joints - motion.joints(), axis=2).max(axis=0) > 1e-3
    names = [skeleton.joint_names()[j] for j in changed.nonzero()[0]]
    side = names[0].split("_")[0]
    assert names == [f"{side}_{part}" for part in ("elbow", "wrist", "hand")]
    elbow, wrist, belly = (joints[:, skeleton.joint_index(j)] for j in (f"{side}_elbow", f"{side}_wrist", "spine2"))
    bone = wrist - elbow
    along = ((belly - elbow) * bone).sum(axis=1, keepdims=True) / (bone**2).sum(axis=1, keepdims=True)
    miss = np.linalg.norm(elbow + np.clip(along, 0, 1) * bone - belly, axis=1)
    ((_, length),) = runs(miss < 0.05)
    assert 28 <= length <= 36


def test_a_deeper_arm_passes_nearer_to_the_belly():
    misses = []
    for depth in DAMAGES["arm_through_torso"].strengths:
        joints = arm_through_torso(dancing(), 0, depth).joints()
        elbow, wrist, belly = (joints[:, skeleton.joint_index(j)] for j in ("right_elbow", "right_wrist", "spine2"))
        bone = wrist - elbow
        along = ((belly - elbow) * bone).sum(axis=1, keepdims=True) / (bone**2).sum(axis=1, keepdims=True)
        misses.append(np.linalg.norm(elbow + np.clip(along, 0, 1) * bone - belly, axis=1).min())
    assert all(nearer < further for further, nearer in zip(misses, misses[1:], strict=False))
    assert misses[0] > 0.07 and misses[-1] < 0.05


def test_the_humanoid_feels_the_arm_in_its_torso():
    """The damaged reference itself overlaps where the original and the control do not, by the engine."""
    from skeleton2stage.physics.humanoid.load_humanoid import load_humanoid
    from skeleton2stage.physics.imitation.reference_motions import reference_motions
    from skeleton2stage.physics.simulators.make_simulator import make_simulator

    humanoid = load_humanoid()
    motions = [dancing(), arm_kept_clear(dancing(), 0), arm_through_torso(dancing(), 0)]
    frames = reference_motions(motions, humanoid).frames
    simulator = make_simulator("mujoco", humanoid, len(frames.pos_w))
    simulator.set_state(torch.arange(len(frames.pos_w)), frames.reset_state())
    own, control, damaged = simulator.self_contacts().view(3, N)
    assert max(own.max(), control.max()) < 0.01 and damaged.max() > 0.05


def test_the_pelvis_slides_half_a_metre_while_the_feet_stand():
    motion = dancing()
    moved = sliding_pelvis(motion, 1).translation - motion.translation
    assert np.linalg.norm(moved[-1]) == pytest.approx(0.5, abs=1e-5) and np.abs(moved[:, 2]).max() == 0
    travelled = np.linalg.norm(moved, axis=1)
    assert travelled[61] < 0.01 and travelled[89] > 0.49
    np.testing.assert_array_equal(sliding_pelvis(motion, 1).poses, motion.poses)


def test_the_body_is_lifted_for_a_second():
    motion = dancing()
    height = (lifted_body(motion, 2).translation - motion.translation)[:, 2]
    ((first, length),) = runs(height > 0.0999)
    assert 30 <= length <= 32 and first > 9
    assert height.max() == pytest.approx(0.1) and height[-1] == 0
    assert np.abs(np.diff(height)).max() < 0.03  # 0.2 s up


def test_the_feet_sink_and_stay():
    motion = dancing()
    height = (sunk_feet(motion, 2).joints() - motion.joints())[:, [10, 11], 2]
    assert height[-60:] == pytest.approx(-0.08, abs=1e-5) and height[:9] == pytest.approx(0.0, abs=1e-5)
    assert np.abs(np.diff(height[:, 0])).max() < 0.01


def test_every_joint_but_the_pelvis_trembles_by_five_degrees():
    motion = dancing()
    poses = jittered_pose(motion, 0).poses
    np.testing.assert_array_equal(poses[:, 0], motion.poses[:, 0])
    still = np.linalg.norm(poses[1:, 3:10], axis=2)  # joints at rest: what is left is the jitter
    assert np.degrees(np.sqrt((still**2).mean())) == pytest.approx(5.0, rel=0.05)


def test_short_motions_are_refused():
    with pytest.raises(UserError, match="needs 3 s at 30 frames a second, not 1.33 s"):
        lifted_body(dancing().slice(0, 40), 0)
