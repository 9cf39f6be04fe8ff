"""Released checkpoints: reading them, and their dances as SMPL motions."""

import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import roma
import torch

from dance_model import families
from dance_model.bailando.conv import ConvSizes
from dance_model.bailando.gpt import CrossConditionalGpt, GptConfig
from dance_model.bailando.local_music import LocalMusicConfig
from dance_model.bailando.released_bailando import load_released
from dance_model.bailando.upright import bone_rotations, fitted, motions, z_up
from dance_model.bailando.vqvae import VqVae, VqVaeConfig
from skeleton2stage.errors import UserError
from skeleton2stage.motion.ik import world_to_local
from skeleton2stage.motion.skeleton import forward_kinematics_rotmat

SMALL = ConvSizes(code_width=10, width=8, depth=2)


def write(path, network, monkeypatch):
    """Write a file as Bailando's training does: names wrapped, masks stored, and an EasyDict beside them."""
    module = ModuleType("easydict")
    module.EasyDict = type("EasyDict", (dict,), {"__module__": "easydict"})
    monkeypatch.setitem(sys.modules, "easydict", module)
    config = module.EasyDict(expname="x", structure=module.EasyDict(levels=1))
    vars(config).update(config)  # an EasyDict's items are attributes too
    weights = {f"module.{name}": value for name, value in network.state_dict().items()}
    if isinstance(network, CrossConditionalGpt):
        weights["module.gpt_base.blocks.0.attn.mask"] = torch.ones(1, 1, 7, 7)
    torch.save({"model": weights, "config": config, "epoch": 500}, path)
    monkeypatch.delitem(sys.modules, "easydict")


@pytest.mark.parametrize("form", ["positions", "turned"])
def test_a_released_vqvae_is_read_whatever_its_size(form, tmp_path, monkeypatch):
    network = VqVae(VqVaeConfig(form, n_codes=12, conv=SMALL)).eval()
    write(tmp_path / "epoch_500.pt", network, monkeypatch)
    loaded = load_released(tmp_path / "epoch_500.pt")
    codes = torch.randint(12, (1, 3, 2))
    assert loaded.config == network.config
    assert torch.equal(loaded.decode(codes).joints, network.decode(codes).joints)


def test_a_released_gpt_is_read_whatever_its_size(tmp_path, monkeypatch):
    local = LocalMusicConfig(features=9, around=1, frames_per_code=4, block=7, width=128, n_heads=2, n_layers=1)
    for config in (
        GptConfig(12, 7, 128, 2, 1, 2, 9, start=False),
        GptConfig(12, 7, 128, 2, 1, 2, 128, start=False, local_music=local),
    ):
        write(tmp_path / "gpt.pt", CrossConditionalGpt(config), monkeypatch)
        assert load_released(tmp_path / "gpt.pt").config == config


def test_foreign_and_damaged_files_are_refused(tmp_path):
    with pytest.raises(UserError, match="no checkpoint at"):
        load_released(tmp_path / "none.pt")
    (tmp_path / "cut.pt").write_bytes(b"PK")
    with pytest.raises(UserError, match="cut short"):
        load_released(tmp_path / "cut.pt")
    torch.save({"model": {}, "run": Path("x")}, tmp_path / "code.pt")
    with pytest.raises(UserError, match="could run code"):
        load_released(tmp_path / "code.pt")
    torch.save({"weights": {}}, tmp_path / "other.pt")
    with pytest.raises(UserError, match="has no 'model'"):
        load_released(tmp_path / "other.pt")
    torch.save({"model": {"x": torch.zeros(1)}}, tmp_path / "network.pt")
    with pytest.raises(UserError, match="another network than Bailando's"):
        load_released(tmp_path / "network.pt")


def test_what_is_no_dance_model_here_is_told_as_such(tmp_path, monkeypatch):
    path = tmp_path / "epoch_400.pt"
    write(path, VqVae(VqVaeConfig("positions", n_codes=12, conv=SMALL)), monkeypatch)
    with pytest.raises(UserError, match="is a network of Bailando's own release"):
        families.load(path)


def pose(n_frames=6):
    """Return local rotations [T, 24, 3, 3] of an upright dancer and the pelvis' places [T, 3]."""
    torch.manual_seed(0)
    rotvec = 0.4 * torch.randn(n_frames, 24, 3, dtype=torch.float64)
    rotvec[:, 0] = torch.tensor([1.5, 0.1, 0.2])
    return roma.rotvec_to_rotmat(rotvec), torch.randn(n_frames, 3, dtype=torch.float64)


def test_bones_point_along_the_joints():
    rotmat, place = pose()
    joints = forward_kinematics_rotmat(rotmat, place)[0]
    again = forward_kinematics_rotmat(world_to_local(bone_rotations(joints)), place)[0]
    # Collars hang on a chest that the Kabsch fit turns exactly, so that every bone ends where it did.
    assert torch.allclose(again, joints, atol=1e-6)


def test_joints_of_another_skeleton_are_followed_to_a_centimetre_or_two():
    rotmat, place = pose()
    joints = forward_kinematics_rotmat(rotmat, place)[0]
    joints = place[:, None] + 1.03 * (joints - place[:, None])
    motion = fitted(joints, place)
    moved = torch.from_numpy(motion.joints()) - torch.from_numpy(motion.translation)[:, None]
    error_m = (moved - (joints - place[:, None])).norm(dim=-1)
    assert error_m.mean() < 0.02
    assert motion.joints()[..., 2].min() == pytest.approx(0.0, abs=1e-5)


def test_dances_of_rotation_matrices_are_upright_at_30_fps():
    network = VqVae(VqVaeConfig("turned", n_codes=12, conv=SMALL)).eval()
    for half in network.halves:
        torch.nn.init.zeros_(half.decoders_rot[0].out.weight)
        half.decoders_rot[0].out.bias.data.copy_(torch.eye(3).flatten().repeat(half.n_joints))
    torch.nn.init.zeros_(network.vqvae_down.decoders_root[0].out.weight)
    network.vqvae_down.decoders_root[0].out.bias.data.copy_(torch.tensor([0.01, 0.0, 0.02]))
    dance = motions(network, torch.randint(12, (1, 3, 2)))[0]
    assert len(dance) == 12
    assert dance.joints()[0, 15, 2] > 1.4
    assert np.allclose(np.diff(dance.translation, axis=0), [0.02, -0.04, 0.0], atol=1e-5)


def test_dances_of_positions_are_smpl_motions():
    torch.manual_seed(0)
    network = VqVae(VqVaeConfig("positions", n_codes=12, conv=SMALL)).eval()
    dance = motions(network, torch.randint(12, (2, 3, 2)))[1]
    assert dance.poses.shape == (12, 24, 3) and np.isfinite(dance.poses).all()


def test_z_up():
    assert torch.equal(z_up(torch.tensor([1.0, 2.0, 3.0])), torch.tensor([1.0, -3.0, 2.0]))
