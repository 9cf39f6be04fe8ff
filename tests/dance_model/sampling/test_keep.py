"""What keep=, keep_s= and keep_joints= mean, and the masks of a file."""

import numpy as np
import pytest

from dance_model.sampling.keep import read_constraint
from rl_finetune import sample
from skeleton2stage.errors import UserError
from skeleton2stage.files import write_pickle
from skeleton2stage.motion.formats.read_motion import read_motion
from skeleton2stage.motion.formats.write_motion import write_motion
from skeleton2stage.motion.motion import Motion
from skeleton2stage.motion.skeleton import joint_index


@pytest.fixture
def clip(tmp_path):
    """Five seconds of standing with an arm that swings, written."""
    poses = np.zeros((150, 24, 3), dtype=np.float32)
    poses[:, 0, 0] = np.pi / 2
    poses[:, 16, 1] = 0.08 * np.sin(np.arange(150) / 10.0)
    path = tmp_path / "clip.pkl"
    write_motion(path, Motion(poses, np.tile([0.0, 0.0, 0.95], (150, 1))))
    return path


def test_first_and_last_second(clip):
    kept = read_constraint(clip, [(0, 1), (4, 5)], [])
    held = np.r_[0:30, 120:150]
    assert len(kept) == 150
    assert np.flatnonzero(kept.joints.all(axis=1)).tolist() == held.tolist()
    assert np.flatnonzero(kept.translation).tolist() == held.tolist()


def test_a_beginning_is_all_that_a_continuation_has(clip):
    assert len(read_constraint(clip, [(0, 2.5)], [])) == 75


def test_upper_body_leaves_the_root_free_and_lower_holds_it(clip):
    upper, lower = (read_constraint(clip, [], [part]) for part in ("upper", "lower"))
    assert not upper.translation.any()
    assert lower.translation.all()
    assert np.array_equal(upper.joints, ~lower.joints)
    assert upper.joints[0, joint_index("left_wrist")]
    assert lower.joints[0, joint_index("pelvis")]


def test_single_joints_and_the_translation(clip):
    kept = read_constraint(clip, [], ["left_knee", "translation"])
    assert np.flatnonzero(kept.joints[0]).tolist() == [joint_index("left_knee")]
    assert kept.translation.all()


def test_masks_in_the_file(clip, tmp_path):
    motion = read_motion(clip)
    joints = np.zeros((150, 24), dtype=bool)
    joints[:10, 3] = True
    content = {
        "smpl_poses": motion.poses.reshape(150, 72), "smpl_trans": motion.translation,
        "keep_joints": joints, "keep_translation": np.zeros(150, dtype=bool),
    }
    path = tmp_path / "masked.pkl"
    write_pickle(path, content)
    kept = read_constraint(path, [], [])
    assert np.array_equal(kept.joints, joints)
    assert not kept.translation.any()
    with pytest.raises(UserError, match="holds masks of its own"):
        read_constraint(path, [(0, 1)], [])
    write_pickle(path, {key: value for key, value in content.items() if key != "keep_translation"})
    with pytest.raises(UserError, match="has keep_joints but no keep_translation"):
        read_constraint(path, [], [])


@pytest.mark.parametrize(
    ("spans", "parts", "words"),
    [
        ([], ["tail"], "unknown part of the body in keep_joints 'tail': choose one of .*left_knee"),
        ([(4, 6)], [], r"keep_s has the stretch \[4, 6\], but clip.pkl lasts 5 s"),
        ([(2, 1)], [], "keep_s has the stretch"),
        ([(1,)], [], "keep_s has the stretch"),
        ([(1, 1.001)], [], "holds no frame"),
    ],
)
def test_what_does_not_exist_is_one_sentence(clip, spans, parts, words):
    with pytest.raises(UserError, match=words):
        read_constraint(clip, spans, parts)


def test_the_command_keeps_what_it_is_told_to(clip, tmp_path, tiny_checkpoint, clicks):
    song = clicks(tmp_path / "song.wav", 6)
    base = [f"checkpoint={tiny_checkpoint}", f"music={song}", "seconds=5", "n_steps=2", f"out={tmp_path / 'out'}"]
    assert sample.main([*base, f"keep={clip}", "keep_s=[[0,1],[4,5]]"]) == 0
    given, made = read_motion(clip), read_motion(tmp_path / "out" / "song.pkl")
    np.testing.assert_allclose(made.joints()[:30], given.joints()[:30], atol=1e-5)
    np.testing.assert_allclose(made.joints()[120:], given.joints()[120:], atol=1e-5)
    assert np.abs(made.joints()[30:120] - given.joints()[30:120]).max() > 0.01
    with pytest.raises(UserError, match="give keep=FILE as well"):
        sample.main([*base, "keep_joints=[upper]"])


def test_guidance_and_foot_lock_are_switches(tmp_path, tiny_checkpoint, clicks):
    song = clicks(tmp_path / "song.wav", 6)
    base = [f"checkpoint={tiny_checkpoint}", f"music={song}", "seconds=5", "n_steps=2"]
    heights = {}
    for name, keys in {"plain": [], "guided": ["fgd_guidance=metric"], "locked": ["foot_lock=true"]}.items():
        assert sample.main([*base, *keys, f"out={tmp_path / name}"]) == 0
        heights[name] = read_motion(tmp_path / name / "song.pkl").joints()[..., 2].min(axis=1)
    assert np.std(heights["guided"]) < np.std(heights["plain"])
    assert abs(heights["locked"].mean()) < 0.02 < abs(heights["plain"].mean())
    with pytest.raises(UserError, match="unknown fgd_guidance 'on'"):
        sample.main([*base, "fgd_guidance=on", f"out={tmp_path / 'x'}"])
