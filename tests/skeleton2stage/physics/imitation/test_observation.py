import torch

from skeleton2stage.physics.imitation.observation import OBSERVATION_WIDTH, OWN_WIDTH, observe
from skeleton2stage.physics.imitation.reference_motions import ReferenceFrames
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
