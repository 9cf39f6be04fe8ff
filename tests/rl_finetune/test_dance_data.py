"""Preparing windows from folders of motions, with and without songs."""

import sys
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile
import torch

from rl_finetune import dance_data
from rl_finetune.dance_data import WindowConfig, clip_tracks, dance_windows, find_files, song_of, window_starts
from skeleton2stage.errors import UserError
from skeleton2stage.files import write_pickle
from skeleton2stage.motion import layout as layouts
from skeleton2stage.motion.motion import Motion

RATE_HZ = 15360


def swinging(frames):
    """A figure that stands at 1 m, arms swinging at 1 Hz, its feet still."""
    poses = np.zeros((frames, 24, 3))
    poses[:, 0, 0] = np.pi / 2
    poses[:, 16:18, 2] = 0.8 * np.sin(2 * np.pi * np.arange(frames) / 30)[:, None]
    return Motion(poses, np.tile([0.3, 0.1, 1.0], (frames, 1)))


def write_motion(path, frames):
    motion = swinging(frames)
    write_pickle(path, {
        "smpl_poses": motion.poses.reshape(-1, 72), "smpl_trans": motion.translation,
        "full_pose": motion.joints(),
    })


@pytest.fixture
def folder(tmp_path):
    write_motion(tmp_path / "a.pkl", 165)
    write_motion(tmp_path / "b.pkl", 150)
    write_motion(tmp_path / "short.pkl", 149)
    return tmp_path


@pytest.mark.parametrize(("frames", "expected"), [(149, []), (150, [0]), (164, [0]), (180, [0, 15, 30])])
def test_whole_windows_every_half_second(frames, expected):
    assert window_starts(frames, 0.5).tolist() == expected


def test_percussion_is_made_for_clips_without_songs(folder):
    windows = dance_windows(folder, WindowConfig())
    assert windows.names == ("a", "b")
    assert windows.clips.tolist() == [0, 0, 1]
    assert windows.starts.tolist() == [0, 15, 165]
    assert windows.music.shape == (3, 8, 150, 35)
    assert windows.frames.shape == (315, 151)
    beats = windows.music[..., 34].sum(dim=-1)
    assert (beats >= 5).all()  # 5 s at 80 bpm or more hold 6 beats, of which a tracker may drop one
    assert not torch.equal(windows.music[0, 0], windows.music[0, 1])
    axis_angle, root, contacts = layouts.decode(windows.vectors(torch.tensor([2])), layouts.EDGE)
    np.testing.assert_allclose(axis_angle[0].numpy(), swinging(150).poses, atol=1e-5)
    np.testing.assert_allclose(root[0].numpy(), swinging(150).translation, atol=1e-6)
    assert contacts.eq(1).all()


def test_prepared_windows_are_kept_until_something_changes(folder, monkeypatch):
    made = []
    prepare = dance_data.prepare
    monkeypatch.setattr(dance_data, "prepare", lambda *inputs: made.append(1) or prepare(*inputs))
    config = WindowConfig(stride_s=1.0, renditions=1)
    first, again = dance_windows(folder, config), dance_windows(folder, config)
    assert len(made) == 1
    assert torch.equal(first.music, again.music)
    assert len(dance_windows(dance_data.cache_file(folder), config)) == 2
    (folder / "b.pkl").unlink()
    assert dance_windows(folder, config).names == ("a",)
    dance_windows(folder, WindowConfig(stride_s=0.5, renditions=1))
    assert len(made) == 3


def test_a_song_of_the_same_name_is_used(tmp_path):
    write_motion(tmp_path / "motions" / "a.pkl", 200)
    (tmp_path / "wavs").mkdir()
    clicks = np.zeros(int(5.4 * RATE_HZ), dtype=np.float32)
    clicks[:: RATE_HZ // 2] = 0.9
    soundfile.write(tmp_path / "wavs" / "a.wav", clicks, RATE_HZ)
    windows = dance_windows(tmp_path, WindowConfig())
    assert len(windows) == 1  # the song, not the motion, ends first
    assert windows.music.shape[1] == 1  # nothing to tell renditions of a song apart
    onsets = windows.music[0, 0, :, 33].nonzero().flatten()
    assert (onsets.diff() == 15).sum() >= 5  # clicks every half second


def test_songs_and_percussion_may_be_mixed(tmp_path, clicks):
    write_motion(tmp_path / "danced.pkl", 150)
    write_motion(tmp_path / "silent.pkl", 150)
    clicks(tmp_path / "danced.wav", 5.0)
    music = dance_windows(tmp_path, WindowConfig(renditions=2)).music
    assert torch.equal(music[0, 0], music[0, 1])
    assert not torch.equal(music[1, 0], music[1, 1])


def test_renditions_differ_in_tempo_and_then_in_steadiness(monkeypatch):
    made = []
    monkeypatch.setattr(dance_data, "synthesise", lambda groove, *_: made.append(np.diff(groove.beats_s)))
    motion = swinging(600)
    spans = np.random.default_rng(0).uniform(8, 24, size=60)  # frames from one turn of the arms to the next
    turns = np.interp(np.arange(600), spans.cumsum(), np.arange(60))
    motion.poses[:, 16:18, 2] = 0.8 * np.cos(np.pi * turns)[:, None]
    clip_tracks(motion, None, WindowConfig(renditions=8), seed=0)
    tempi = [60 / np.median(intervals) for intervals in made]
    for tempo, (slowest, fastest) in zip(tempi, 2 * dance_data.TEMPI_BPM, strict=True):
        assert slowest - 3 <= tempo <= fastest + 3
    uneven, even = (np.mean([np.std(intervals) for intervals in half]) for half in (made[:4], made[4:]))
    assert even < uneven


def test_aist_clips_find_the_song_that_their_name_tells():
    songs = {name: f"{name}.wav" for name in ("mBR0", "gBR_sBM_cAll_d04_mBR0_ch02", "")}
    assert song_of("gBR_sBM_cAll_d04_mBR0_ch01", songs) == "mBR0.wav"
    assert song_of("gBR_sBM_cAll_d04_mBR0_ch02", songs) == "gBR_sBM_cAll_d04_mBR0_ch02.wav"  # its own comes first
    assert song_of("gBR_sBM_cAll_d04_mBR1_ch01", songs) is None
    assert song_of("gBR_sBM_cAll_d04_mBR0_ch01_slice3", songs) is None  # begins later in the song
    assert song_of("61_05", songs) is None


def test_a_song_is_cut_from_its_beginning_to_the_end_of_the_clip(tmp_path, clicks):
    song = clicks(tmp_path / "mBR0.wav", 20.0)
    [(audio, rate_hz)] = clip_tracks(swinging(153), song, WindowConfig(renditions=1), seed=0)
    whole, _ = soundfile.read(song, dtype="float32")
    np.testing.assert_array_equal(audio, whole[: 51 * RATE_HZ // 10])
    assert rate_hz == RATE_HZ


def test_aist_clips_share_the_windows_of_their_song(tmp_path, clicks):
    for name, frames in (("gBR_sBM_cAll_d04_mBR0_ch01", 165), ("gBR_sBM_cAll_d05_mBR0_ch02", 150)):
        write_motion(tmp_path / "motions" / f"{name}.pkl", frames)
    (tmp_path / "songs").mkdir()
    clicks(tmp_path / "songs" / "mBR0.wav", 9.0)
    windows = dance_windows(tmp_path, WindowConfig(renditions=1))
    assert windows.clips.tolist() == [0, 0, 1]
    assert torch.equal(windows.music[0], windows.music[2]) and not torch.equal(windows.music[0], windows.music[1])


def test_jukebox_features_are_made_from_songs_and_percussion(tmp_path, clicks, monkeypatch):
    write_motion(tmp_path / "danced.pkl", 150)
    write_motion(tmp_path / "silent.pkl", 165)
    clicks(tmp_path / "danced.wav", 5.0)
    config = WindowConfig(renditions=1, music="jukebox")
    monkeypatch.setitem(sys.modules, "jukemirlib", None)
    with pytest.raises(UserError, match="cannot be imported here"):
        dance_windows(tmp_path, config)
    acted = SimpleNamespace(extract=lambda audio, **_: {66: np.full((150, 4800), audio.std())})
    monkeypatch.setitem(sys.modules, "jukemirlib", acted)
    windows = dance_windows(tmp_path, config)
    assert windows.music.shape == (3, 1, 150, 4800)
    assert len(windows.music[:, 0, 0, 0].unique()) == 3


def test_folders_without_motions_or_long_ones_are_refused(tmp_path):
    with pytest.raises(UserError, match="no motion files"):
        find_files(tmp_path)
    write_motion(tmp_path / "short.pkl", 60)
    with pytest.raises(UserError, match="none of the 1 motions lasts 5 s"):
        dance_windows(tmp_path, WindowConfig())


@pytest.mark.parametrize("bad", [{"stride_s": 0.51}, {"stride_s": 0.0}, {"renditions": 0}])
def test_windows_that_cannot_be_cut_are_refused(bad):
    with pytest.raises(UserError, match="must be"):
        WindowConfig(**bad)
