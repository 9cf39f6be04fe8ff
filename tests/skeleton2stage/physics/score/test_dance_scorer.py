import numpy as np
import pytest
import torch

from skeleton2stage.motion.motion import Motion
from skeleton2stage.physics.imitation.imitation_policy import ImitationPolicy, PolicyConfig
from skeleton2stage.physics.score.dance_scorer import DanceScorer
from skeleton2stage.physics.simulators.make_simulator import make_simulator


def still_policy(*future_frames: int) -> ImitationPolicy:
    """A policy that adds nothing to the reference."""
    policy = ImitationPolicy(PolicyConfig.seeing(future_frames, (4,)))
    for parameter in policy.parameters():
        torch.nn.init.zeros_(parameter)
    return policy.eval().requires_grad_(False)


@pytest.fixture(scope="module")
def scorer(humanoid):
    return DanceScorer(still_policy(), humanoid, lambda h, n: make_simulator("mujoco", h, n), max_worlds=3)


def test_a_policy_sees_as_far_as_it_was_trained_to(humanoid, standing):
    """Two clips that begin alike are performed apart by one that answers to frames that are to come."""
    policy = still_policy(20)
    height = 733 + 2  # of the pelvis, 21 frames on
    torch.nn.init.constant_(policy.network[0].weight[:, height], 5.0)
    torch.nn.init.constant_(policy.network[2].weight, 0.3)
    seeing = DanceScorer(policy, humanoid, lambda h, n: make_simulator("mujoco", h, n))
    rising = Motion(standing.poses[:30].copy(), standing.translation[:30].copy())
    rising.translation[22:, 2] += 0.5
    still, told = seeing.score([standing.slice(0, 30), rising]).frame_rewards[:, :5]
    assert not torch.allclose(still, told, atol=1e-3)


def toppling(n: int = 60) -> Motion:
    """Leaning further and further forward about the feet, until the head is on the floor."""
    poses = np.zeros((n, 24, 3), dtype=np.float32)
    lean = np.linspace(0.0, np.pi / 2, n)
    poses[:, 0, 0] = np.pi / 2 + lean
    translation = np.stack((np.zeros(n), -np.sin(lean), np.cos(lean)), axis=1)
    return Motion(poses, translation.astype(np.float32))


def test_standing_scores_high(scorer, standing):
    scores = scorer.score([standing.slice(0, 15)])
    assert scores.success.tolist() == [True]
    assert scores.imitation[0] > 0.9
    assert scores.body_error_mm[0] < 20
    assert scores.residual_force_share[0] == 0


def test_falling_fails_and_later_frames_earn_nothing(scorer, standing):
    fell, stood = scorer.score([toppling(), standing.slice(0, 15)]).success.tolist()
    assert (fell, stood) == (False, True)
    long = toppling(60)
    lying = Motion(
        np.concatenate((long.poses, np.repeat(long.poses[-1:], 60, axis=0))),
        np.concatenate((long.translation, np.repeat(long.translation[-1:], 60, axis=0))),
    )
    short_score, long_score = scorer.score([long, lying]).imitation.tolist()
    # The same performance up to the fall, spread over twice the frames.
    assert long_score == pytest.approx(short_score * 59 / 119, rel=1e-4)


def test_a_dance_down_from_the_start_has_no_perfect_figures(scorer):
    lying = toppling(60).slice(59, 60)
    lying = Motion(np.repeat(lying.poses, 20, axis=0), np.repeat(lying.translation, 20, axis=0))
    scores = scorer.score([lying])
    assert not scores.success and scores.imitation == 0
    assert scores.body_error_mm > 0


def test_frame_rewards_are_what_imitation_is_the_mean_of(scorer, standing):
    dances = [toppling(60), standing.slice(0, 20), toppling(30), standing.slice(0, 10)]  # two batches of two lengths
    scores = scorer.score(dances)
    assert scores.frame_rewards.shape == (4, 60)
    for reward, dance, imitation in zip(scores.frame_rewards, dances, scores.imitation, strict=True):
        assert reward[0] == reward[1] > 0.5
        torch.testing.assert_close(reward[1 : len(dance)].mean(), imitation)
        assert reward[len(dance) :].eq(0).all()
    assert scores.frame_rewards[0, -1] == 0 < scores.frame_rewards[1, 19]  # one has fallen, one has not


def test_neighbours_and_batches_do_not_matter(scorer, standing):
    dances = [toppling(40), standing.slice(0, 20), toppling(30), standing.slice(0, 10), toppling(20)]
    together = scorer.score(dances)
    alone = [scorer.score([dance]) for dance in dances]
    torch.testing.assert_close(together.imitation, torch.cat([score.imitation for score in alone]))
    assert together.success.tolist() == [bool(score.success) for score in alone]


def test_where_a_dance_takes_place_does_not_matter(scorer):
    moved = toppling(40).shifted(np.array([5.0, -3.0, 0.7]))
    torch.testing.assert_close(
        scorer.score([moved]).imitation, scorer.score([toppling(40)]).imitation, atol=1e-3, rtol=0
    )


def test_the_performance_lies_over_the_dance(scorer, standing):
    """Somewhere else and 0.7 m up, hands bent: the performance is there too, its hands straight."""
    bent = standing.poses[:20].copy()
    bent[:, 22:] = 0.3
    moved = Motion(bent, standing.translation[:20] + np.array([5.0, -3.0, 0.7]))
    dances = [moved, toppling(12), toppling(25), toppling(9)]
    scores, performed = scorer.perform(dances)
    assert [len(motion) for motion in performed] == [20, 12, 25, 9]
    np.testing.assert_allclose(performed[0].translation[0], dances[0].translation[0], atol=1e-5)
    np.testing.assert_allclose(performed[0].poses[0, :22], dances[0].poses[0, :22], atol=1e-5)
    assert np.abs(performed[0].poses[:, 22:]).max() < 0.1
    torch.testing.assert_close(scores.imitation, scorer.score(dances).imitation)
    pairs = zip(dances[:2], performed[:2], strict=True)  # those that stay up
    errors = [np.linalg.norm(a.joints() - b.joints(), axis=2)[1:].mean() for a, b in pairs]
    assert np.array(errors) * 1000 == pytest.approx(scores.body_error_mm[:2].numpy(), rel=0.1, abs=2.0)


def test_a_fallen_dancers_performance_goes_on(scorer):
    (score,), (performed,) = (x if isinstance(x, list) else x.success for x in scorer.perform([toppling()]))
    assert not score and len(performed) == 60
    assert performed.joints()[-1, 15, 2] < 0.3  # its head lies low


def test_self_contact_is_seen(scorer, standing):
    """Forearms held against each other in front of the belly press; arms stretched out touch nothing."""
    poses = standing.poses[:15].copy()
    poses[:, [16, 17], 2] = -1.2, 1.2
    poses[:, [18, 19], 1] = -2.6, 2.6
    contact = scorer.score([Motion(poses, standing.translation[:15]), standing.slice(0, 15)]).self_contact_mm
    assert contact[0] > 0.05 and contact[1] == 0


def test_dances_beyond_the_worlds_share_one_simulator(humanoid, scorer, standing):
    made = []

    def make(humanoid, n_worlds):
        made.append(n_worlds)
        return make_simulator("mujoco", humanoid, n_worlds)

    several = DanceScorer(ImitationPolicy(PolicyConfig(hidden=(4,))), humanoid, make, max_worlds=3)
    assert len(several.score([standing.slice(0, 4)] * 7).imitation) == 7
    assert made == [3]


def test_the_callers_policy_stays_its_own(humanoid, standing):
    policy = ImitationPolicy(PolicyConfig(hidden=(4,)))
    scorer = DanceScorer(policy, humanoid, lambda h, n: make_simulator("mujoco", h, n))
    before = scorer.score([standing.slice(0, 5)]).imitation
    torch.nn.init.constant_(policy.network[-1].bias, 5.0)
    torch.testing.assert_close(scorer.score([standing.slice(0, 5)]).imitation, before)


@pytest.mark.gpu
def test_nothing_waits_for_the_gpu_within_the_frames(humanoid, standing, monkeypatch):
    def watched(steps, **_):
        torch.cuda.set_sync_debug_mode("error")
        yield from steps
        torch.cuda.set_sync_debug_mode("default")

    scorer = DanceScorer(still_policy(3, 7), humanoid, lambda h, n: make_simulator("mujoco_warp", h, n))
    scorer.score([standing.slice(0, 5)] * 4)  # the kernels are compiled here
    monkeypatch.setattr("skeleton2stage.physics.score.dance_scorer.tqdm", watched)
    assert scorer.score([standing.slice(0, 20)] * 4).success.all()


def test_no_dances_are_refused(scorer):
    with pytest.raises(ValueError, match="no dances"):
        scorer.score([])
