from dataclasses import replace

import numpy as np
import pytest

from rl_finetune.sample import main
from skeleton2stage.errors import UserError
from skeleton2stage.motion.formats.read_motion import read_motion
from skeleton2stage.motion.formats.write_motion import write_motion
from skeleton2stage.motion.motion import Motion
from skeleton2stage.motion.scaler import MinMaxScaler


def _arguments(checkpoint, music, out, *more):
    return [f"checkpoint={checkpoint}", f"music={music}", f"out={out}", "n_steps=3", "device=cpu", *more]


def test_song_in_dance_out(tmp_path, tiny_checkpoint, clicks, capsys):
    song = clicks(tmp_path / "my song.wav", 7.6)
    assert main(_arguments(tiny_checkpoint, song, tmp_path / "out")) == 0
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["my song.pkl"]
    motion = read_motion(tmp_path / "out" / "my song.pkl")
    assert len(motion) == 225
    assert "7.5 s" in capsys.readouterr().out


def test_same_seed_same_dances_and_another_seed_others(tmp_path, tiny_checkpoint, clicks):
    song = clicks(tmp_path / "song.wav", 5.0)
    dances = []
    for out, seed in (("a", 1), ("b", 1), ("c", 2)):
        main(_arguments(tiny_checkpoint, song, tmp_path / out, f"seed={seed}"))
        dances.append(read_motion(tmp_path / out / "song.pkl"))
    np.testing.assert_array_equal(dances[0].poses, dances[1].poses)
    assert not np.allclose(dances[0].poses, dances[2].poses)


def test_folder_with_a_broken_song_dances_to_the_others(tmp_path, tiny_checkpoint, clicks, capsys):
    (tmp_path / "songs").mkdir()
    clicks(tmp_path / "songs" / "good.wav", 5.0)
    clicks(tmp_path / "songs" / "short.wav", 3.0)
    (tmp_path / "songs" / "torn.mp3").write_bytes(b"no song")
    assert main(_arguments(tiny_checkpoint, tmp_path / "songs", tmp_path / "out")) == 1
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["good.pkl"]
    named = [line.split(":")[0] for line in capsys.readouterr().err.splitlines() if line.startswith("left out")]
    assert named == ["left out short.wav", "left out torn.mp3"]


@pytest.mark.parametrize(("seconds", "words"), [(3.0, "3.00 s, and at least 5 s"), (None, "cannot read")])
def test_useless_song_is_one_sentence_and_writes_nothing(tmp_path, tiny_checkpoint, clicks, seconds, words):
    song = tmp_path / "song.wav"
    clicks(song, seconds) if seconds else song.write_bytes(b"RIFF but no more")
    with pytest.raises(UserError, match=words):
        main(_arguments(tiny_checkpoint, song, tmp_path / "out"))
    assert not (tmp_path / "out").exists()


def test_missing_checkpoint_and_foreign_features_are_explained(tmp_path, tiny_checkpoint, clicks):
    song = clicks(tmp_path / "song.wav", 5.0)
    with pytest.raises(UserError, match="no checkpoint at"):
        main(_arguments(tmp_path / "none.safetensors", song, tmp_path / "out"))
    np.save(tmp_path / "jukebox.npy", np.zeros((150, 4800), dtype=np.float32))
    with pytest.raises(UserError, match="150 frames x 4800 features where this model takes 150 x 35"):
        main(_arguments(tiny_checkpoint, tmp_path / "jukebox.npy", tmp_path / "out"))


def test_precision_is_an_option_and_a_wrong_one_is_explained(tmp_path, tiny_checkpoint, clicks):
    song = clicks(tmp_path / "song.wav", 5.0)
    assert main(_arguments(tiny_checkpoint, song, tmp_path / "out", "precision=bf16")) == 0
    with pytest.raises(UserError, match="float32"):
        main(_arguments(tiny_checkpoint, song, tmp_path / "out", "precision=half"))


@pytest.fixture(scope="module")
def song(tmp_path_factory, clicks):
    return clicks(tmp_path_factory.mktemp("song") / "song.wav", 6.0)


def test_no_projection_needs_no_policy_and_changes_nothing(tmp_path, tiny_checkpoint, song):
    keys = {"plain": [], "none": ["project=0", f"policy={tmp_path / 'nobody'}"]}
    for name, more in keys.items():
        assert main(_arguments(tiny_checkpoint, song, tmp_path / name, "seconds=5", *more)) == 0
    plain, none = ((tmp_path / name / "song.pkl").read_bytes() for name in keys)
    assert plain == none


@pytest.fixture(scope="module")
def calm_checkpoint(tiny_model, tmp_path_factory):
    """The tiny model in a quarter of its range, so that the shipped policy stands through its dances."""
    calm = MinMaxScaler(4 * tiny_model.scaler.scale, 4 * tiny_model.scaler.minimum)
    path = tmp_path_factory.mktemp("calm") / "model.safetensors"
    replace(tiny_model, scaler=calm).save(path)
    return path


def test_projection_comes_first_then_guidance_and_foot_lock(tmp_path, calm_checkpoint, song, capsys):
    """Poses are those that were performed, whatever the others do to heights; and the floor is even and at 0."""
    heights, poses = {}, {}
    last = ["fgd_guidance=metric", "foot_lock=true"]
    for name, keys in {"plain": [], "performed": ["project=1"], "all": ["project=1", *last], "others": last}.items():
        arguments = _arguments(calm_checkpoint, song, tmp_path / name, "seconds=5", *keys)
        assert main(arguments) == 0
        motion = read_motion(tmp_path / name / "song.pkl")
        heights[name], poses[name] = motion.joints()[..., 2].min(axis=1), motion.poses
    assert "fell" not in capsys.readouterr().err
    assert np.abs(poses["performed"] - poses["plain"]).max() > 0.01
    np.testing.assert_array_equal(poses["others"], poses["plain"])
    np.testing.assert_array_equal(poses["all"], poses["performed"])
    assert (heights["performed"] - heights["performed"].mean()).min() < -0.01  # under its floor, until guided
    assert (heights["all"] - heights["all"].mean()).min() > -0.003
    assert abs(heights["all"].mean()) < 1e-3 < 0.02 < abs(heights["performed"].mean())


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        (["project=-1"], "project must be at least 0, not -1"),
        (["project=4"], "project=4 is not .* 0 .none. to 3"),
        (["project=1", "policy=none"], "needs an imitation policy to perform the dances: policy=none"),
        (["project=1", "keep={song}.pkl"], "project= has the whole dance performed, also what keep= holds"),
    ],
)
def test_projection_that_cannot_be_done_is_explained(tmp_path, tiny_checkpoint, tiny_policy, song, keys, words):
    upright = np.zeros((150, 24, 3))
    upright[:, 0, 0] = np.pi / 2
    write_motion(song.with_suffix(".wav.pkl"), Motion(upright, np.tile([0.0, 0.0, 0.95], (150, 1))))
    keys = [f"policy={tiny_policy}", *(key.format(song=song) for key in keys)]
    with pytest.raises(UserError, match=words):
        main(_arguments(tiny_checkpoint, song, tmp_path / "out", *keys))
    assert not (tmp_path / "out").exists()
