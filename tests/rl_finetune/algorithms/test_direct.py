from dataclasses import replace

import pytest
import torch

from dance_model.dance_policy import Rollout, RolloutOptions
from dance_model.diffusion.diffusion_model import DanceModel
from dance_model.diffusion.predictor import predict_x0
from dance_model.diffusion.schedule import cosine_schedule
from dance_model.diffusion_policy import DiffusionPolicy, as_policy
from dance_model.edge.edge_denoiser import DanceDecoder, DenoiserConfig
from rl_finetune.algorithms.direct import Direct, DirectConfig, feature_weights, spread_times
from rl_finetune.algorithms.displacement import (
    DisplacementConfig,
    displacement,
    interpolation,
    keep_lively,
    liveliness,
    posed_frames,
)
from skeleton2stage.body.body_model import load_body
from skeleton2stage.body.spheres import fill_body, sphere_penetration
from skeleton2stage.metrics.motion_magnitude import mot_mag
from skeleton2stage.motion.motion_layout import EDGE
from skeleton2stage.motion.rotations import axis_angle_to_rot6d, rot6d_to_axis_angle
from skeleton2stage.motion.scaler import MinMaxScaler
from skeleton2stage.motion.skeleton import forward_kinematics, joint_index

FRAMES = 24
TINY = DenoiserConfig(
    window_frames=FRAMES, latent_width=16, feedforward_width=16, n_layers=1, n_heads=2, dropout=0.0
)
SCALE = torch.ones(24, 6)


@pytest.fixture(scope="module")
def spheres():
    return fill_body(load_body("open"))


@pytest.fixture(scope="module")
def policy() -> DiffusionPolicy:
    torch.manual_seed(0)
    middle = torch.cat((torch.zeros(7), torch.tensor([1.0, 0.0, 0.0, 0.0, 1.0, 0.0]).repeat(24)))
    scaler = MinMaxScaler.fit(torch.stack((middle - 1.5, middle + 1.5)))
    return as_policy(DanceModel(DanceDecoder(TINY).eval(), EDGE, scaler), RolloutOptions(n_steps=4))


@pytest.fixture(scope="module")
def model(policy) -> DanceModel:
    return policy.model


@pytest.fixture(scope="module")
def rollout(policy) -> Rollout:
    music = torch.randn(4, FRAMES, 35, generator=torch.Generator().manual_seed(1))
    plain = policy.roll_out(music, torch.Generator().manual_seed(2), record=False)
    x0 = plain.trace.x0.clone()
    x0[..., EDGE.rot6d] = (policy.model.scaler.normalise(dances_to_vectors(self_hugging(4))))[..., EDGE.rot6d]
    return replace(plain, trace=replace(plain.trace, x0=x0))


def self_hugging(n: int, frames: int = FRAMES) -> torch.Tensor:
    """Return dances [N, T, 24, 3] rad that swing the left hand into the chest, each at its own pace."""
    poses = torch.zeros(n, frames, 24, 3)
    phase = torch.arange(frames) / 8.0 + torch.arange(n)[:, None]
    poses[:, :, joint_index("left_shoulder"), 1] = -1.2 - 0.1 * phase.sin()
    poses[:, :, joint_index("left_elbow"), 1] = -2.32 - 0.1 * phase.cos()
    poses[:, :, joint_index("left_knee"), 0] = 0.2 + 0.1 * phase.sin()
    poses[:, :, 0, 0] = torch.pi / 2
    return poses


def dances_to_vectors(poses: torch.Tensor) -> torch.Tensor:
    return torch.cat((torch.zeros(*poses.shape[:2], 7), axis_angle_to_rot6d(poses).flatten(2)), dim=-1)


def gradients(policy, rollout, spheres, config, seed=0) -> tuple[list[dict], list[dict]]:
    figures, found = [], []
    policy.module.zero_grad()
    algorithm = Direct(config, spheres)
    advantages = torch.zeros(len(rollout), FRAMES)
    for own in algorithm.gradients(policy, rollout, advantages, torch.Generator().manual_seed(seed)):
        figures.append(own)
        found.append({n: p.grad.clone() for n, p in policy.module.named_parameters() if p.grad is not None})
        policy.module.zero_grad()
    return figures, found


class TestDisplacement:
    def test_a_dance_comes_apart_and_its_feet_stay(self, spheres):
        poses = self_hugging(2)
        rot6d = axis_angle_to_rot6d(poses)
        moved = rot6d_to_axis_angle(rot6d + displacement(rot6d, SCALE, spheres, DisplacementConfig(steps=30)))
        before, after = (sphere_penetration(spheres, x).mean() for x in (poses, moved))
        assert before > 0.02 and after < 0.3 * before
        place = torch.zeros(2, FRAMES, 3)
        joints, joints_moved = (forward_kinematics(x, place) for x in (poses, moved))
        assert float((joints - joints_moved)[..., [7, 8, 10, 11], :].norm(dim=-1).max()) < 0.002
        assert float((joints - joints_moved)[..., joint_index("left_wrist"), :].norm(dim=-1).max()) > 0.01
        torch.testing.assert_close(moved[:, :, 0], poses[:, :, 0], atol=1e-5, rtol=0)

    def test_legs_in_each_other_come_apart_unless_they_are_held(self, spheres):
        poses = torch.zeros(1, 6, 24, 3)
        poses[:, :, 0, 0] = torch.pi / 2
        poses[:, :, 1, 2], poses[:, :, 2, 2] = -0.12, 0.12
        rot6d = axis_angle_to_rot6d(poses)
        before = sphere_penetration(spheres, poses).mean()
        free = displacement(rot6d, SCALE, spheres, DisplacementConfig(steps=40, feet=100.0))
        held = displacement(rot6d, SCALE, spheres, DisplacementConfig(steps=40, feet=0.0))
        assert before > 0.02
        assert sphere_penetration(spheres, rot6d_to_axis_angle(rot6d + free)).mean() < 0.5 * before
        assert not held[:, :, [0, 1, 2, 4, 5, 7, 8, 10, 11]].any()

    def test_what_is_apart_stays(self, spheres):
        poses = torch.zeros(1, 9, 24, 3)
        rot6d = axis_angle_to_rot6d(poses)
        assert float(displacement(rot6d, SCALE, spheres, DisplacementConfig()).abs().max()) == 0.0

    def test_features_of_small_range_move_less(self, spheres):
        rot6d = axis_angle_to_rot6d(self_hugging(1))
        stiff = SCALE.clone()
        stiff[joint_index("left_shoulder")] = 50.0
        shoulder = [displacement(rot6d, scale, spheres, DisplacementConfig())[:, :, 16] for scale in (SCALE, stiff)]
        assert shoulder[1].abs().max() < 0.1 * shoulder[0].abs().max()

    def test_posed_frames_end_with_the_last(self):
        assert posed_frames(7, 3).tolist() == [0, 3, 6]
        assert posed_frames(6, 3).tolist() == [0, 3, 5]
        assert posed_frames(1, 3).tolist() == [0]

    def test_between_posed_frames_lie_straight_lines(self):
        line = interpolation(torch.tensor([0, 2, 3]), 4) @ torch.tensor([0.0, 4.0, 3.0])
        torch.testing.assert_close(line, torch.tensor([0.0, 2.0, 4.0, 3.0]))
        assert interpolation(torch.tensor([0]), 1).tolist() == [[1.0]]

    def test_liveliness_is_mot_mag_a_frame(self):
        poses = self_hugging(2)
        torch.testing.assert_close(30.0 * liveliness(axis_angle_to_rot6d(poses)), mot_mag(poses))

    def test_dances_are_as_lively_as_asked_and_their_feet_stay(self):
        poses = self_hugging(2)
        rot6d = axis_angle_to_rot6d(poses)
        calmer = axis_angle_to_rot6d(0.9 * poses + 0.1 * poses.mean(dim=1, keepdim=True))
        share = torch.tensor([1.0, 1.1])
        kept = keep_lively(rot6d, calmer, share)
        torch.testing.assert_close(liveliness(kept), share * liveliness(rot6d), rtol=0.02, atol=0)
        torch.testing.assert_close(kept[:, :, [0, 1, 2, 4, 5, 7, 8]], calmer[:, :, [0, 1, 2, 4, 5, 7, 8]])


class TestDirect:
    def test_the_gradient_is_that_of_the_plain_loss(self, policy, model, rollout, spheres):
        """All draws in one step: mean square of D(x_t + sqrt(abar) d) - (D_old(x_t) + d), dance by dance."""
        config = DirectConfig(times_per_dance=1, optimiser_steps=1, dances_per_pass=3)
        figures, found = gradients(policy, rollout, spheres, config)
        generator = torch.Generator().manual_seed(0)
        moved = Direct(config, spheres).displacements(model, rollout.trace.x0)
        times = spread_times(4, config, generator)[0]
        order = torch.randperm(4, generator=generator)
        noise = torch.randn(4, FRAMES, 151, generator=generator)
        model.denoiser.zero_grad()
        total = 0.0
        for place, dance in enumerate(order.tolist()):
            time = times[dance].view(1)
            x_t = cosine_schedule().add_noise(rollout.trace.x0[dance, None], time, noise[place, None])
            shifted = x_t + cosine_schedule().alphas_cumprod[time].sqrt() * moved[dance]
            encoding = model.denoiser.encode_guided(rollout.music[dance, None])
            old, predicted = (predict_x0(model.denoiser, x, time, encoding, model.guidance) for x in (x_t, shifted))
            squares = (predicted - (old.detach() + moved[dance])).square()
            # 10 times: the pelvis' place, and of the rotations those of joints 0, 1, 2, 4, 5, 7, 8, 10 and 11.
            heavy = [*range(4, 7), *(7 + 6 * joint + k for joint in (0, 1, 2, 4, 5, 7, 8, 10, 11) for k in range(6))]
            total = total + (squares.mean() + 9 * squares[..., heavy].sum() / squares.numel()) / 4
        total.backward()
        assert figures[0]["loss"] == pytest.approx(float(total.detach()), rel=1e-4)
        assert 0.0 < figures[0]["displacement"] == pytest.approx(float(moved.square().mean().sqrt()), rel=1e-4)
        for name, parameter in model.denoiser.named_parameters():
            if parameter.grad is not None:
                torch.testing.assert_close(found[0][name], parameter.grad, atol=1e-6, rtol=1e-3, msg=name)

    def test_how_the_work_is_cut_does_not_matter(self, policy, rollout, spheres):
        small, large = (
            gradients(policy, rollout, spheres, DirectConfig(optimiser_steps=2, dances_per_pass=size))[1]
            for size in (1, 8)
        )
        assert len(small) == len(large) == 2
        for one, other in zip(small, large, strict=True):
            for name, value in one.items():
                torch.testing.assert_close(value, other[name], atol=1e-6, rtol=1e-3)

    def test_the_same_seed_gives_the_same_gradients(self, policy, rollout, spheres):
        config = DirectConfig(optimiser_steps=2)
        first, again, other = (gradients(policy, rollout, spheres, config, seed) for seed in (3, 3, 4))
        assert first[0] == again[0] and first[0] != other[0]
        for one, two in zip(first[1], again[1], strict=True):
            assert all(torch.equal(value, two[name]) for name, value in one.items())

    def test_only_rotations_above_the_floor_are_displaced(self, model, rollout, spheres):
        moved = Direct(DirectConfig(), spheres).displacements(model, rollout.trace.x0)
        assert not moved[..., EDGE.contacts].any() and not moved[..., EDGE.translation].any()
        assert moved[..., EDGE.rot6d].any()
        poses, poses_moved = (
            rot6d_to_axis_angle(model.scaler.unnormalise(x)[..., EDGE.rot6d].unflatten(-1, (24, 6)))
            for x in (rollout.trace.x0, rollout.trace.x0 + moved)
        )
        before, after = (sphere_penetration(spheres, x).mean() for x in (poses, poses_moved))
        assert before > 0.02 and after < 0.3 * before
        torch.testing.assert_close(mot_mag(poses_moved), mot_mag(poses), rtol=0.3, atol=0)

    def test_steps_along_the_gradient_lead_to_the_targets(self, model, rollout, spheres):
        config, tuned = DirectConfig(optimiser_steps=1), replace(model, denoiser=DanceDecoder(TINY).eval())
        tuned.denoiser.load_state_dict(model.denoiser.state_dict())
        algorithm = Direct(config, spheres)
        moved = algorithm.displacements(tuned, rollout.trace.x0)
        targets = algorithm.targets(tuned, rollout, moved, torch.Generator().manual_seed(0))
        optimiser = torch.optim.Adam(tuned.denoiser.parameters(), lr=1e-3)
        losses = []
        for _ in range(30):
            optimiser.zero_grad()
            encoding = tuned.denoiser.encode_guided(targets.music)
            predicted = predict_x0(tuned.denoiser, targets.x_t, targets.times, encoding, tuned.guidance)
            loss = (predicted - targets.x0).square().mean()
            loss.backward()
            optimiser.step()
            losses.append(float(loss.detach()))
        assert losses[-1] < 0.5 * losses[0]

    def test_what_carries_the_body_weighs_more(self, model):
        weights = feature_weights(model, DirectConfig(lower=7.0))
        assert weights[EDGE.contacts].tolist() == [1.0] * 4 and weights[EDGE.translation].tolist() == [7.0] * 3
        heavy = [joint for joint, row in enumerate(weights[EDGE.rot6d].view(24, 6)) if (row == 7.0).all()]
        assert heavy == [0, 1, 2, 4, 5, 7, 8, 10, 11]

    def test_times_are_spread_evenly(self):
        config = DirectConfig(times_per_dance=2, min_time=100, max_time=899)
        times = spread_times(8, config, torch.Generator().manual_seed(0))
        assert times.shape == (2, 8)
        for row in times:
            assert ((row.sort().values - 100) // 100).tolist() == list(range(8))
        everything = DirectConfig(times_per_dance=2000)
        assert spread_times(9, everything, torch.Generator().manual_seed(0)).unique().tolist() == list(range(1000))
