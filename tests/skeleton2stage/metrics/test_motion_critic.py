import numpy as np
import pytest
import torch

from skeleton2stage.errors import UserError
from skeleton2stage.metrics.measured_clip import clip_of
from skeleton2stage.metrics.motion_critic import (
    CriticSizes,
    MotionCritic,
    motion_critic,
    motion_critic_fixed,
    read_critic,
)
from skeleton2stage.motion.motion import Motion

TINY = CriticSizes(depth=2, width=8, out_width=6, n_heads=2)
# What the published network gives for the weights and motions of the test below.
PUBLISHED_SCORES = [-0.249379, -0.249381]


def with_waves(critic):
    """Return the critic with weights that a formula gives, those of one name the same in any network."""
    with torch.no_grad():
        for name, value in critic.named_parameters():
            wave = torch.sin(torch.arange(value.numel(), dtype=torch.float32) * 0.7 + len(name))
            value.copy_(0.3 * wave.reshape(value.shape))
    return critic.eval()


def saved(path, critic):
    """Write weights as the authors do: of a network on several GPUs, with its unused last layer."""
    state = {f"module.{name}": value for name, value in critic.state_dict().items()}
    torch.save({"model_state_dict": state | {"module.dstran.head.weight": torch.zeros(3, 6)}, "epoch": 3}, path)
    return path


def dancing(n_frames=12):
    poses = 0.2 * np.sin(np.arange(n_frames * 72).reshape(n_frames, 24, 3))
    poses[:, 0] += (np.pi / 2, 0, 0)
    return clip_of(Motion(poses, np.tile([1.0, 2.0, 3.0], (n_frames, 1))))


def test_scores_of_the_published_network():
    motions = torch.cos(torch.arange(2 * 10 * 75, dtype=torch.float32) * 0.37).reshape(2, 10, 25, 3)
    assert with_waves(MotionCritic(TINY))(motions).tolist() == pytest.approx(PUBLISHED_SCORES, abs=1e-6)


def test_the_published_sizes():
    shapes = {name: tuple(value.shape) for name, value in MotionCritic().state_dict().items()}
    assert shapes["mlp.fc1.weight"] == (1024, 25 * 512) and shapes["dstran.temp_embed"] == (1, 243, 1, 256)
    assert shapes["dstran.blocks_ts.2.attn_t.qkv.weight"] == (768, 256)
    assert shapes["dstran.pre_logits.fc.weight"] == (512, 256) and shapes["dstran.ts_attn.0.weight"] == (2, 512)


def test_files_are_read_with_their_prefix(tmp_path):
    critic = with_waves(MotionCritic(TINY))
    read = read_critic(saved(tmp_path / "critic.pth", critic), TINY)
    assert motion_critic(read, dancing()) == motion_critic(critic, dancing())


def test_the_critic_sees_motions_y_up_the_pelvis_first_or_last(monkeypatch):
    seen = []
    critic = MotionCritic(TINY)
    monkeypatch.setattr(critic, "forward", lambda motion: seen.append(motion) or torch.zeros(1))
    motion_critic(critic, dancing(250)), motion_critic_fixed(critic, dancing(250))
    published, fixed = seen
    assert published.shape == fixed.shape == (1, 243, 25, 3)
    np.testing.assert_allclose(published[0, :, 0], np.tile([1.0, 3.0, -2.0], (243, 1)), atol=1e-6)
    assert torch.equal(published[:, :, 0], fixed[:, :, 24]) and torch.equal(published[:, :, 1:], fixed[:, :, :24])
    upright = clip_of(Motion(np.tile([[np.pi / 2, 0, 0]] + 23 * [[0.0] * 3], (5, 1, 1)), np.zeros((5, 3))))
    motion_critic_fixed(critic, upright)
    np.testing.assert_allclose(seen[-1], 0.0, atol=1e-6)


def test_other_shapes_and_files_are_refused(tmp_path):
    with pytest.raises(ValueError, match="F <= 243"):
        MotionCritic(TINY)(torch.zeros(1, 244, 25, 3))
    with pytest.raises(UserError, match="does not exist: get motioncritic_pre.pth"):
        read_critic(tmp_path / "none.pth", TINY)
    (tmp_path / "torn.pth").write_bytes(b"nothing")
    torch.save({"model_state_dict": {"a": torch.zeros(2)}}, tmp_path / "other.pth")
    torch.save([1], tmp_path / "list.pth")
    for name in ("torn.pth", "other.pth", "list.pth"):
        with pytest.raises(UserError, match=f"{name} is damaged(, not| or not) weights") as caught:
            read_critic(tmp_path / name, TINY)
        assert "\n" not in str(caught.value)
