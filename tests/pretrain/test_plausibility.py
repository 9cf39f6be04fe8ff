"""The test of plausibility: the arithmetic of pairs by hand, and the command on a small folder."""

import json

import numpy as np
import pytest
import torch

from pretrain.damage.catalogue import CONTROLS
from pretrain.findings import Finding, compare, controls_table, damages_table, weakest_found
from pretrain.plausibility import main
from skeleton2stage.errors import UserError
from skeleton2stage.motion.formats.write_motion import write_motion
from skeleton2stage.motion.motion import Motion
from skeleton2stage.physics.imitation.imitation_policy import ImitationPolicy, PolicyConfig


def judged(imitation: list[float], slide: list[float]) -> dict[str, np.ndarray]:
    return {"imitation": np.array(imitation), "slide": np.array(slide), "sink": np.ones(len(slide))}


def test_pairs_are_compared_one_by_one():
    """Three of four originals are higher, one equal, by 0.1, 0.2 and 0.3; an axis must fall by more than a hair."""
    original = judged([0.5, 0.6, 0.7, 0.4], [1.0, 0.9, 1.0, 0.8])
    copies = judged([0.4, 0.4, 0.4, 0.4], [0.5, 0.8999, 1.0, 0.9])
    finding = compare(original, copies, ["a", "a", "b", "b"])
    assert finding.n == 4
    assert finding.seen == {"imitation": 0.75, "slide": 0.25, "sink": 0.0, "any_axis": 0.25}
    assert finding.difference["imitation"] == pytest.approx(0.15)
    # Clips' shares are 1 and 0.5: their mean varies by 0.25 / sqrt 2 when two are drawn of two.
    assert finding.seen_error["imitation"] == pytest.approx(0.25 / np.sqrt(2), rel=0.06)


def test_one_clip_has_no_error():
    finding = compare(judged([0.5], [1.0]), judged([0.4], [1.0]), ["a"])
    assert finding.seen_error["imitation"] is None


def seen(**shares: float) -> Finding:
    return Finding(20, shares, {}, {})


def test_the_weakest_strength_is_the_least_from_which_on_all_are_found():
    findings = {"1": seen(slide=0.95), "2": seen(slide=0.5), "3": seen(slide=0.9), "4": seen(slide=1.0)}
    assert weakest_found(findings, "slide") == "3"
    assert weakest_found({"1": seen(slide=1.0), "2": seen(slide=0.89)}, "slide") is None
    assert weakest_found(findings, "sink") is None


def test_tables_show_a_damages_own_axes_and_the_axis_that_minds_a_control_most():
    strengths = {f"{strength:g}": seen(imitation=0.5, slide=0.95, sink=1.0, any_axis=1.0) for strength in (0.1, 0.2)}
    table = damages_table({"sliding_pelvis": strengths})
    assert "| sliding_pelvis |    0.1 m |      50 % |         95 % |    100 % |" in table
    assert table.splitlines()[-1].split("|")[-3:-1] == ["                       none ", "        0.1 m "]
    controls = controls_table({"low_hop": seen(imitation=0.4, slide=0.1, sink=0.3, any_axis=0.35)})
    assert "| low_hop |      40 % |                   sink 30 % |     35 % |" in controls


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


def test_a_standing_dancer_is_told_from_its_damaged_copies(folder, capsys):
    """Even a policy that adds nothing to the reference shakes visibly; the axes find what is theirs to find."""
    arguments = [f"data={folder}/clips", "held_out=[held]", f"policy={folder}/policy.safetensors"]
    main([*arguments, f"out={folder}/found.json", "damages=[jittered_pose,sunk_feet]"])
    content = json.loads((folder / "found.json").read_text())
    assert set(content["damages"]) == {"jittered_pose", "sunk_feet"} and set(content["controls"]) == set(CONTROLS)
    jitter = content["damages"]["jittered_pose"]
    assert list(jitter["strengths"]) == ["0.5", "1", "2", "3", "5"] and jitter["unit"] == "deg"
    strongest = jitter["strengths"]["5"]
    assert strongest["n"] == 1 and strongest["seen"]["imitation"] == strongest["seen"]["jerk"] == 1
    assert strongest["difference"]["imitation"] > 0.05
    assert content["damages"]["sunk_feet"]["weakest_found"]["sink"] == "3"
    assert content["controls"]["whole_moved"]["seen"]["any_axis"] == 0
    table = capsys.readouterr().out
    assert "sunk_feet" in table and "arm_kept_clear" in table


def test_the_axes_judge_without_a_policy(folder):
    main([f"data={folder}/clips", "held_out=[held]", "policy=null", f"out={folder}/f.json", "damages=[teleport]"])
    content = json.loads((folder / "f.json").read_text())
    assert content["policy"] is None and "imitation" not in content["original"]
    assert content["damages"]["teleport"]["weakest_found"]["jerk"] == "5"


def test_bad_input_is_one_sentence(folder):
    arguments = [f"data={folder}/clips", "held_out=[held]", f"policy={folder}/policy.safetensors"]
    with pytest.raises(UserError, match="must name a .json"):
        main([*arguments, "out=found.txt"])
    with pytest.raises(UserError, match="unknown damage 'sliding'"):
        main([*arguments, "out=found.json", "damages=[sliding]"])


def test_held_out_clips_too_short_are_named(folder):
    from skeleton2stage.motion.formats.read_motion import read_motion

    write_motion(folder / "clips" / "held.pkl", read_motion(folder / "clips" / "train.pkl").slice(0, 100))
    with pytest.raises(UserError, match="none of the held-out clips"):
        main([f"data={folder}/clips", "held_out=[held]", f"policy={folder}/policy.safetensors", "out=x.json"])
