import numpy as np
import pytest

from rl_finetune.sample import main
from skeleton2stage.errors import UserError
from skeleton2stage.motion.formats import read_motion


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
