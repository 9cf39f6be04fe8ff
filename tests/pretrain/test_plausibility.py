"""The test of plausibility: the arithmetic of pairs by hand, and the command on a small folder."""

import json

import numpy as np
import pytest
import torch

from pretrain.damage import CONTROLS, DAMAGES
from pretrain.plausibility import compare, findings_table, main
from skeleton2stage.errors import UserError
from skeleton2stage.motion.formats.write_motion import write_motion
from skeleton2stage.motion.motion import Motion
from skeleton2stage.physics.imitation.imitation_policy import ImitationPolicy, PolicyConfig
from skeleton2stage.physics.score.dance_scorer import DanceScores


def scored(*imitation: float) -> DanceScores:
    n = len(imitation)
    return DanceScores(torch.tensor(imitation), torch.ones(n, dtype=torch.bool), *torch.zeros(3, n), torch.zeros(n, 1))


def test_pairs_are_compared_one_by_one():
    """Three of four originals are higher, one equal, by 0.1, 0.2 and 0.3."""
    finding = compare(scored(0.5, 0.6, 0.7, 0.4), scored(0.4, 0.4, 0.4, 0.4), ["a", "a", "b", "b"])
    assert (finding.n, finding.seen) == (4, 0.75)
    assert finding.difference == pytest.approx(0.15)
    # Clips' shares are 1 and 0.5: their mean varies by 0.25 / sqrt 2 when two are drawn of two.
    assert finding.seen_error == pytest.approx(0.25 / np.sqrt(2), rel=0.06)
    assert finding.imitation == pytest.approx(0.4)
    assert "|     4 |       75 % ± 17 | +0.1500 ± 0.0000 |" in findings_table({"x": finding})


def test_one_clip_has_no_error():
    finding = compare(scored(0.5), scored(0.4), ["a"])
    assert finding.seen_error is None and finding.difference_error is None
    assert "100 % |" in findings_table({"x": finding})


@pytest.fixture()
def folder(tmp_path):
    poses = np.zeros((155, 24, 3), dtype=np.float32)
    poses[:, 0, 0] = np.pi / 2
    poses[:, 16, 2], poses[:, 17, 2] = -1.1, 1.1
    standing = Motion(poses, np.tile(np.array([0, 0, 1], dtype=np.float32), (155, 1)))
    for name in ("train", "held"):
        write_motion(tmp_path / "clips" / f"{name}.pkl", standing)
    policy = ImitationPolicy(PolicyConfig(hidden=(4,)))
    for parameter in policy.parameters():
        torch.nn.init.zeros_(parameter)
    policy.save(tmp_path / "policy.safetensors")
    return tmp_path


def test_a_standing_dancer_is_ranked_above_its_damaged_copies(folder, capsys):
    """Even a policy that adds nothing to the reference shakes and sinks visibly."""
    arguments = [f"data={folder}/clips", "held_out=[held]", f"policy={folder}/policy.safetensors"]
    main([*arguments, f"out={folder}/found.json"])
    content = json.loads((folder / "found.json").read_text())
    assert set(content["damages"]) == set(DAMAGES) and set(content["controls"]) == set(CONTROLS)
    assert content["damages"]["jittered_pose"]["seen"] == 1 and content["damages"]["jittered_pose"]["n"] == 1
    assert content["damages"]["jittered_pose"]["difference"] > 0.05
    table = capsys.readouterr().out
    assert "sunk_feet" in table and "arm_kept_clear (control)" in table
    with pytest.raises(UserError, match="must name a .json"):
        main([*arguments, "out=found.txt"])


def test_held_out_clips_too_short_are_named(folder):
    from skeleton2stage.motion.formats.read_motion import read_motion

    write_motion(folder / "clips" / "held.pkl", read_motion(folder / "clips" / "train.pkl").slice(0, 100))
    with pytest.raises(UserError, match="none of the held-out clips"):
        main([f"data={folder}/clips", "held_out=[held]", f"policy={folder}/policy.safetensors", "out=x.json"])
