import math

import pytest
import torch

from skeleton2stage.physics.imitation.observation import (
    FUTURE_WIDTH,
    OBSERVATION_WIDTH,
    OWN_WIDTH,
    observation_width,
    observe,
)
from skeleton2stage.physics.imitation.reference_motions import FutureBodies, ReferenceFrames
from skeleton2stage.physics.quaternions import quat_multiply, quat_rotate, rotvec_to_quat
from skeleton2stage.physics.simulators.simulator import BodyState

SHAPE = torch.zeros(10)


def random_quats(*shape: int) -> torch.Tensor:
    quats = torch.randn(*shape, 4, generator=torch.Generator().manual_seed(1))
    return quats / quats.norm(dim=-1, keepdim=True)


def state_and_target(n: int) -> tuple[BodyState, ReferenceFrames]:
    generator = torch.Generator().manual_seed(0)

    def vectors() -> torch.Tensor:
        return torch.randn(n, 24, 3, generator=generator)

    state = BodyState(vectors(), random_quats(n, 24), vectors(), vectors(), random_quats(n, 24), vectors())
    target = ReferenceFrames(
        vectors(), random_quats(n, 24).flip(0), random_quats(n, 24).flip(1), torch.zeros(n, 3), vectors(),
        torch.zeros(n, 23, 3),
    )
    return state, target


def test_it_is_as_wide_as_it_says():
    assert OBSERVATION_WIDTH == 733
    assert observe(*state_and_target(5), SHAPE).shape == (5, 733)


def test_turning_and_moving_everything_changes_nothing():
    state, target = state_and_target(5)
    turn = rotvec_to_quat(torch.tensor([0.0, 0.0, 1.1])).expand(5, 24, 4)
    shift = torch.tensor([3.0, -2.0, 0.0])
    moved_state = BodyState(
        quat_rotate(turn, state.pos_w) + shift, quat_multiply(turn, state.quat_w),
        quat_rotate(turn, state.lin_vel_w), quat_rotate(turn, state.ang_vel_w),
        state.quat_local, state.ang_vel_local,
    )
    moved_target = ReferenceFrames(
        quat_rotate(turn, target.pos_w) + shift, quat_multiply(turn, target.quat_w),
        target.quat_local, target.root_lin_vel_w, target.ang_vel_local, target.feedforward,
    )
    torch.testing.assert_close(
        observe(moved_state, moved_target, SHAPE), observe(state, target, SHAPE), atol=2e-5, rtol=0
    )


def test_raising_the_body_shows_in_its_height_alone():
    state, target = state_and_target(2)
    up = torch.tensor([0.0, 0.0, 0.4])
    raised = BodyState(state.pos_w + up, *list(vars(state).values())[1:])
    change = observe(raised, target, SHAPE)[:, :OWN_WIDTH] - observe(state, target, SHAPE)[:, :OWN_WIDTH]
    torch.testing.assert_close(change[:, 0], torch.full((2,), 0.4))
    torch.testing.assert_close(change[:, 1:], torch.zeros(2, OWN_WIDTH - 1), atol=1e-5, rtol=0)


def test_at_the_target_nothing_is_left_to_do():
    state, _ = state_and_target(2)
    target = ReferenceFrames(
        state.pos_w, state.quat_w, state.quat_local, torch.zeros(2, 3), state.ang_vel_local, torch.zeros(2, 23, 3)
    )
    toward = observe(state, target, SHAPE)[:, OWN_WIDTH:-10]
    identity = torch.tensor([1.0, 0, 0, 0, 1.0, 0])
    expected = torch.cat(
        (torch.zeros(1), identity, torch.zeros(2), torch.tensor([1.0, 0.0]), torch.zeros(69 + 72), identity.repeat(24))
    )
    torch.testing.assert_close(toward, expected.expand_as(toward), atol=1e-3, rtol=0)


def one_body(yaw: float) -> tuple[BodyState, ReferenceFrames]:
    """A body at (1, 2, 0.9) that looks along +x turned by a yaw, all parts at its pelvis, and a target: 0.3 m further
    along +x, 0.2 m higher, turned by 0.5 to the left, the left hip bent by 0.4 about x.
    """
    still = torch.zeros(1, 24, 3)
    # Upright SMPL looks along -y; another quarter turn to the left brings that to +x.
    upright = quat_multiply(rotvec_to_quat(torch.tensor([0.0, 0.0, torch.pi / 2 + yaw])), rotvec_to_quat(
        torch.tensor([torch.pi / 2, 0.0, 0.0])
    ))
    straight = torch.tensor([1.0, 0.0, 0.0, 0.0]).repeat(1, 24, 1)
    place = torch.tensor([1.0, 2.0, 0.9]).expand(1, 24, 3)
    state = BodyState(place, upright.expand(1, 24, 4), still, still, straight, still)
    bent = straight.clone()
    bent[:, 1] = rotvec_to_quat(torch.tensor([0.4, 0.0, 0.0]))
    turned = quat_multiply(rotvec_to_quat(torch.tensor([0.0, 0.0, 0.5])), upright).expand(1, 24, 4)
    goal = place + torch.tensor([0.3, 0.0, 0.2])
    return state, ReferenceFrames(goal, turned, bent, torch.zeros(1, 3), still, torch.zeros(1, 23, 3))


def test_what_is_seen_of_the_target_by_hand():
    """Looking along +x, then along +y: the same target is ahead, then to the right."""
    for yaw, planar in ((0.0, [0.3, 0.0]), (torch.pi / 2, [0.0, -0.3])):
        toward = observe(*one_body(yaw), SHAPE)[0, OWN_WIDTH:-10]
        assert toward[0].item() == pytest.approx(0.2, abs=1e-5)
        cos, sin = math.cos(0.5), math.sin(0.5)
        assert toward[1:7].tolist() == pytest.approx([cos, -sin, 0.0, sin, cos, 0.0], abs=1e-5)  # rows of the turn
        assert toward[7:9].tolist() == pytest.approx(planar, abs=1e-5)
        assert toward[9:11].tolist() == pytest.approx([cos, sin], abs=1e-5)
        joints = toward[11 : 11 + 69].view(23, 3)
        assert joints[0].tolist() == pytest.approx([0.4, 0.0, 0.0], abs=1e-5) and joints[1:].abs().max() < 1e-6
        bodies = toward[80 : 80 + 72].view(24, 3)
        torch.testing.assert_close(bodies, torch.tensor([*planar, 0.2]).expand(24, 3), atol=1e-5, rtol=0)


def test_what_is_seen_of_oneself_by_hand():
    """Looking along +y: what is world +y is ahead, world +x to the right."""
    state, target = one_body(torch.pi / 2)
    position, fast, spin, joint = (torch.zeros(1, 24, 3) for _ in range(4))
    position[0, 20], fast[0, 20], spin[0, 20] = (torch.tensor(v) for v in ([0.2, 0.5, 0.1], [1.0, 0, 0], [0, 3.0, 0]))
    joint[0, 20, 2] = 7.0
    turned = state.quat_w.clone()
    turned[:, 1:] = torch.tensor([1.0, 0.0, 0.0, 0.0])  # the heading is the pelvis' alone
    state = BodyState(state.pos_w + position, turned, fast, spin, state.quat_local, joint)
    own = observe(state, target, SHAPE)[0, :OWN_WIDTH]
    assert own[0].item() == pytest.approx(0.9)
    positions, rotations, own = own[1:70].view(23, 3), own[70 : 70 + 144].view(24, 6), own[214:]
    assert positions[19].tolist() == pytest.approx([0.5, -0.2, 0.1], abs=1e-5)
    # An upright pelvis that looks ahead: its x is to the left, its z ahead.
    assert rotations[0].tolist() == pytest.approx([0.0, 0.0, 1.0, 1.0, 0.0, 0.0], abs=1e-5)
    assert rotations[5].tolist() == pytest.approx([0.0, 1.0, 0.0, -1.0, 0.0, 0.0], abs=1e-5)
    assert own[:72].view(24, 3)[20].tolist() == pytest.approx([0.0, -1.0, 0.0], abs=1e-5)
    assert own[72:144].view(24, 3)[20].tolist() == pytest.approx([3.0, 0.0, 0.0], abs=1e-5)
    assert own[144:].view(23, 3)[19].tolist() == pytest.approx([0.0, 0.0, 7.0])


def test_the_shape_comes_last():
    shape = torch.arange(10.0)
    seen = observe(*state_and_target(3), shape)
    torch.testing.assert_close(seen[:, -10:], shape.expand(3, 10))


def test_worlds_do_not_see_each_other():
    state, target = state_and_target(4)
    together = observe(state, target, SHAPE)
    for world in range(4):
        alone = BodyState(*(value[world : world + 1] for value in vars(state).values()))
        torch.testing.assert_close(
            observe(alone, target[torch.tensor([world])], SHAPE)[0], together[world], atol=1e-5, rtol=1e-5
        )


def future_of(n: int, k: int) -> FutureBodies:
    generator = torch.Generator().manual_seed(2)
    return FutureBodies(torch.randn(n, k, 24, 3, generator=generator), random_quats(n, k))


def test_frames_to_come_are_added_at_the_end_and_turn_with_everything():
    state, target = state_and_target(5)
    future = future_of(5, 2)
    seen = observe(state, target, SHAPE, future)
    assert seen.shape == (5, observation_width(2)) and FUTURE_WIDTH == 74
    torch.testing.assert_close(seen[:, :OBSERVATION_WIDTH], observe(state, target, SHAPE))
    turn, shift = rotvec_to_quat(torch.tensor([0.0, 0.0, 1.1])), torch.tensor([3.0, -2.0, 0.0])

    def turned(quats: torch.Tensor) -> torch.Tensor:
        return quat_multiply(turn.expand_as(quats), quats)

    def moved(vectors: torch.Tensor) -> torch.Tensor:
        return quat_rotate(turn.expand(*vectors.shape[:-1], 4), vectors) + shift

    moved_state = BodyState(
        moved(state.pos_w), turned(state.quat_w), state.lin_vel_w, state.ang_vel_w, state.quat_local,
        state.ang_vel_local,
    )
    moved_future = FutureBodies(moved(future.pos_w), turned(future.root_quat_w))
    again = observe(moved_state, target, SHAPE, moved_future)[:, OBSERVATION_WIDTH:]
    torch.testing.assert_close(again, seen[:, OBSERVATION_WIDTH:], atol=2e-5, rtol=0)


def test_frames_to_come_are_places_from_the_pelvis_and_headings():
    """A pelvis at x = 1 m that looks along -y sees what is at x = 1.5 m to its left; +y is ahead of where it looks."""
    state, target = state_and_target(1)
    facing = rotvec_to_quat(torch.tensor([math.pi / 2, 0.0, 0.0]))  # SMPL's rest pose set upright: along -y
    pos_w = torch.zeros(1, 24, 3)
    pos_w[..., 0] = 1.0
    state = BodyState(pos_w, facing.expand(1, 24, 4), *list(vars(state).values())[2:])
    turned = quat_multiply(rotvec_to_quat(torch.tensor([0.0, 0.0, math.pi / 2])), facing)
    future = FutureBodies(torch.tensor([1.5, -0.25, 0.1]).expand(1, 1, 24, 3), turned.view(1, 1, 4))
    seen = observe(state, target, SHAPE, future)[0, OBSERVATION_WIDTH:]
    torch.testing.assert_close(seen[:3], torch.tensor([0.25, 0.5, 0.1]), atol=1e-5, rtol=0)
    torch.testing.assert_close(seen[-2:], torch.tensor([0.0, 1.0]), atol=1e-5, rtol=0)  # cos and sin of a quarter turn
