"""The test of plausibility: the arithmetic of pairs by hand, and the command on a small folder."""

import json

import numpy as np
import pytest
import torch

from pretrain.damage.catalogue import CONTROLS
from pretrain.findings import Finding, axes_table, compare, controls_table, damages_table, one_line, weakest_found
from pretrain.plausibility import main
from pretrain.plausibility_judges import Judges
from skeleton2stage.errors import UserError
from skeleton2stage.motion.formats.write_motion import write_motion
from skeleton2stage.motion.motion import Motion
from skeleton2stage.physics.axes.read_axes import AXES
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
    assert finding.preferred == {"imitation": 0.0, "slide": 0.25, "sink": 0.0, "any_axis": 0.25}
    assert finding.difference["imitation"] == pytest.approx(0.15)
    # Clips' shares are 1 and 0.5: their mean varies by 0.25 / sqrt 2 when two are drawn of two.
    assert finding.seen_error["imitation"] == pytest.approx(0.25 / np.sqrt(2), rel=0.06)


def test_one_clip_has_no_error():
    finding = compare(judged([0.5], [1.0]), judged([0.4], [1.0]), ["a"])
    assert finding.seen_error["imitation"] is None


ALL_AXES = dict.fromkeys(AXES, 0.0)


def cells(row: str) -> list[str]:
    return [cell.strip() for cell in row.strip("|").split("|")]


def seen(**shares: float) -> Finding:
    return Finding(20, shares, {}, {judge: share / 2.0 for judge, share in shares.items()}, {})


def test_the_weakest_strength_is_the_least_from_which_on_all_are_found():
    findings = {"1": seen(slide=0.95), "2": seen(slide=0.5), "3": seen(slide=0.9), "4": seen(slide=1.0)}
    assert weakest_found(findings, "slide") == "3"
    assert weakest_found({"1": seen(slide=1.0), "2": seen(slide=0.89)}, "slide") is None
    assert weakest_found(findings, "sink") is None


def test_tables_show_what_each_policy_and_a_damages_own_axes_find():
    strengths = {
        f"{strength:g}": seen(imitation=0.5, free=share, **ALL_AXES | {"slide": 0.95}, any_axis=1.0)
        for strength, share in ((0.1, 0.8), (0.2, 0.91))
    }
    head, _, row = damages_table({"sliding_pelvis": strengths}).splitlines()
    assert cells(head)[2:5] == ["imitation, %", "free, %", "its own axes, %"]
    assert cells(row) == ["sliding_pelvis", "0.1, 0.2 m", "50, 50", "80, 91", "95, 95", "none", "0.2", "0.1"]
    assert one_line("sliding_pelvis", strengths) == (
        "sliding_pelvis of 0.1, 0.2 m: imitation 50, 50; free 80, 91; its own axes 95, 95 %"
    )


def test_tables_show_the_axis_that_minds_a_control_most():
    controls = {
        "low_hop": seen(imitation=0.4, **ALL_AXES | {"slide": 0.1, "sink": 0.3}, any_axis=0.3),
        "whole_moved": seen(imitation=0.5, **ALL_AXES, any_axis=0.0),
    }
    rows = [cells(row) for row in controls_table(controls).splitlines()[2:]]
    assert rows == [["low_hop", "40 / 20", "sink 30 / 15", "30 / 15"], ["whole_moved", "50 / 25", "none", "0 / 0"]]


def test_every_axis_has_a_column_with_the_strongest_and_the_third_strength():
    strengths = {str(i): seen(**ALL_AXES | {"slide": 0.1 * i}) for i in range(1, 6)}
    head, _, row = axes_table({"sliding_pelvis": strengths}).splitlines()
    assert dict(zip(cells(head), cells(row), strict=True))["slide"] == "50 / 30"


@pytest.fixture()
def folder(tmp_path):
    poses = np.zeros((155, 24, 3), dtype=np.float32)
    poses[:, 0, 0] = np.pi / 2
    poses[:, 16, 2], poses[:, 17, 2] = -1.1, 1.1
    standing = Motion(poses, np.tile(np.array([0, 0, 0.983], dtype=np.float32), (155, 1)))
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
    main([*arguments, f"out={folder}/found.json", "damages=[jittered_pose]"])
    content = json.loads((folder / "found.json").read_text())
    assert set(content["damages"]) == {"jittered_pose"} and set(content["controls"]) == set(CONTROLS)
    jitter = content["damages"]["jittered_pose"]
    assert list(jitter["strengths"]) == ["0.5", "1", "2", "3", "5"] and jitter["unit"] == "deg"
    strongest = jitter["strengths"]["5"]
    assert strongest["n"] == 1 and strongest["seen"]["imitation"] == strongest["seen"]["jerk"] == 1
    assert strongest["difference"]["imitation"] > 0.05
    assert content["controls"]["whole_moved"]["seen"]["any_axis"] == 0
    table = capsys.readouterr().out
    assert "jittered_pose" in table and "arm_kept_clear" in table


def test_the_axes_judge_without_a_policy(folder):
    arguments = [f"data={folder}/clips", "held_out=[held]", "policy=null", f"out={folder}/f.json"]
    main([*arguments, "damages=[teleport,sunk_feet]"])
    content = json.loads((folder / "f.json").read_text())
    assert content["policies"] == {} and "imitation" not in content["original"]
    assert content["damages"]["teleport"]["weakest_found"]["jerk"] == "5"
    assert content["damages"]["sunk_feet"]["weakest_found"]["sink"] == "3"


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


def test_several_policies_judge_by_their_names(folder):
    (folder / "free.safetensors").write_bytes((folder / "policy.safetensors").read_bytes())
    (folder / "free.json").write_bytes((folder / "policy.json").read_bytes())
    arguments = [f"data={folder}/clips", "held_out=[held]", f"out={folder}/f.json", "damages=[lifted_body]"]
    main([*arguments, f"policy=[{folder}/policy.safetensors,{folder}/free.safetensors]"])
    content = json.loads((folder / "f.json").read_text())
    assert list(content["policies"]) == ["imitation", "free"]
    weakest = content["damages"]["lifted_body"]["strengths"]["2"]["difference"]
    assert weakest["free"] == pytest.approx(weakest["imitation"], abs=1e-6) and weakest["free"] != 0
    with pytest.raises(UserError, match="must differ"):
        main([*arguments, f"policy=[{','.join([f'{folder}/free.safetensors'] * 3)}]"])


def test_a_command_that_was_killed_goes_on_and_comes_to_the_same(folder, monkeypatch):
    arguments = [f"data={folder}/clips", "held_out=[held]", "policy=null", "damages=[teleport,sunk_feet]"]
    main([*arguments, f"out={folder}/whole.json"])
    judge, calls = Judges.judge, []

    def killed(judges, motions):
        calls.append(len(motions))
        if len(calls) == 3:
            raise KeyboardInterrupt
        return judge(judges, motions)

    monkeypatch.setattr(Judges, "judge", killed)
    with pytest.raises(KeyboardInterrupt):
        main([*arguments, f"out={folder}/cut.json"])
    assert not (folder / "cut.json").exists() and calls == [1, 5, 5]
    with pytest.raises(UserError, match="begun with seed=0, not 1"):
        main([*arguments, f"out={folder}/cut.json", "seed=1"])
    main([*arguments, f"out={folder}/cut.json"])
    assert calls[3:] == [5, len(CONTROLS)]  # the original and the first damage were kept
    one, other = (json.loads((folder / f"{name}.json").read_text()) for name in ("whole", "cut"))
    assert one == other and not (folder / "cut.begun").exists()


def test_other_windows_are_cut_out_of_the_same_clips(folder):
    arguments = [f"data={folder}/clips", "held_out=[held]", "policy=null", f"out={folder}/f.json", "damages=[teleport]"]
    with pytest.raises(UserError, match="has a window of 5 s after skipped_s=0.5"):
        main([*arguments, "skipped_s=0.5"])  # the clip has 155 frames
    main([*arguments, "skipped_s=0.1"])
    assert json.loads((folder / "f.json").read_text())["skipped_s"] == 0.1
