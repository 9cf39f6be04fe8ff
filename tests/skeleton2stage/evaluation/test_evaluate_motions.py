import json

import numpy as np
import pytest

from skeleton2stage.evaluation.evaluate_motions import evaluate_motions
from skeleton2stage.evaluation.judge import Judge, load_judge, load_penetration, load_yardstick
from skeleton2stage.evaluation.song_beats import song_beats
from skeleton2stage.metrics.motion_critic import CriticSizes, MotionCritic
from skeleton2stage.motion.motion import Motion
from skeleton2stage.motion.positions import JointMotion
from skeleton2stage.physics.imitation.imitation_policy import ImitationPolicy, PolicyConfig
from swaying_motion import swaying


def test_a_metric_without_a_value_says_so():
    flying = swaying(30)
    flying.poses[0, 7:9, 0] = 1.2  # on the tips of its toes in frame 0, which says where the floor is
    flying.translation[1:, 2] += 1.0
    skipped = evaluate_motions({"a": flying}).skipped
    assert "no finite value" in skipped["foot_skating"]


def test_pen_rate_is_pooled_over_frames_and_can_be_left_out():
    near, clear = swaying(20), swaying(60, seed=1)
    near.poses[:, 16, 2] -= 1.75  # the left arm in its side
    counter = load_penetration(True, "open")
    evaluation = evaluate_motions({"near": near, "clear": clear}, penetration=counter)
    of_near, of_clear = (evaluation.per_motion[name]["pen_rate"] for name in ("near", "clear"))
    assert of_near > of_clear + 50
    assert evaluation.metrics["pen_rate"] == pytest.approx((20 * of_near + 60 * of_clear) / 80)
    assert evaluation.penetration.shape == (4, 24)  # two seconds by half seconds
    assert evaluation.penetration[0].sum() == pytest.approx((15 * of_near + 15 * of_clear) / 30, rel=0.2)
    assert load_penetration(False, "open") is None
    assert evaluate_motions({"clear": clear}).skipped["pen_rate"] == "pen_rate=false"


def test_joint_positions_alone_have_all_but_what_needs_rotations(tmp_path):
    motions = {name: swaying(90, seed) for seed, name in enumerate("abc")}
    positions = {name: JointMotion(motion.joints()) for name, motion in motions.items()}
    judge, yardstick = load_judge("demo", "mujoco", "open"), load_yardstick("demo")
    expected = evaluate_motions(motions, yardstick=yardstick)
    found = evaluate_motions(positions, judge, yardstick=yardstick)
    rotations = set(expected.metrics) - set(found.metrics)
    assert "mot_mag" in rotations and "fid_g" not in rotations
    assert all("hold joint positions only" in found.skipped[name] for name in rotations | {"imitation"})
    assert {name: expected.metrics[name] for name in found.metrics} == pytest.approx(found.metrics)


def test_the_critic_scores_what_has_rotations():
    motions = {"a": swaying(30), "b": JointMotion(swaying(30).joints())}
    evaluation = evaluate_motions(motions, critic=MotionCritic(CriticSizes(depth=1, width=8, out_width=6, n_heads=2)))
    assert {"motion_critic", "motion_critic_fixed"} <= set(evaluation.per_motion["a"])
    assert "motion_critic" not in evaluation.per_motion["b"] and "motion_critic" in evaluation.metrics
    assert "motion_critic" not in evaluation.skipped
    assert "critic=FILE" in evaluate_motions(motions).skipped["motion_critic"]
    small = MotionCritic(CriticSizes(depth=1, width=8, out_width=6, n_heads=2))
    assert "joint positions only" in evaluate_motions({"b": motions["b"]}, critic=small).skipped["motion_critic"]


def test_only_beats_within_the_dance_count(clicks, tmp_path):
    beats = song_beats(clicks(tmp_path / "a.wav", 6.0).parent, ["a.pkl"])["a.pkl"]
    short = swaying(60)
    heard = beats[beats < 120]
    assert 0 < len(heard) < len(beats)
    whole, cut = (evaluate_motions({"a.pkl": short}, beats={"a.pkl": b}).metrics["bas"] for b in (beats, heard))
    assert whole == cut


def test_published_values(reference):
    expected = json.loads((reference / "metrics_public.json").read_text())
    with np.load(reference / "motions_public.npz") as arrays, np.load(reference / "metrics_public.npz") as metrics:
        names = sorted(expected["per_motion"])
        motions = {
            name: Motion(arrays[f"{name}/smpl_poses"].reshape(-1, 24, 3), arrays[f"{name}/smpl_trans"])
            for name in names
        }
        beats = {name: metrics[f"{name}/music_beats_60fps"] for name in names}
    values = evaluate_motions(motions, Judge(None), beats).metrics
    for name, published in (("pfc", "pfc_x10000"), ("bas", "bas"), ("fgd", "fgd_sum_mm_per_frame")):
        assert values[name] == pytest.approx(expected["set"][published], rel=1e-4), name


def test_physical_metrics_of_an_untrained_policy(tmp_path):
    ImitationPolicy(PolicyConfig((8,))).save(tmp_path / "policy.safetensors")
    judge = load_judge(str(tmp_path / "policy.safetensors"), "mujoco", "open")
    evaluation = evaluate_motions({"a": swaying(45), "b": swaying(30, seed=3)}, judge)
    assert set(evaluation.per_motion["a"]) >= {"success_rate", "imitation"}
    assert 0.0 < evaluation.metrics["imitation"] < 1.0
    assert evaluation.metrics["success_rate"] in (0.0, 0.5, 1.0)
