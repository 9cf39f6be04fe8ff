"""Preparing windows from folders of motions, with and without songs."""

import sys
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile
import torch

from dance_model.training import dance_data
from dance_model.training.dance_data import (
    dance_windows,
    danced,
    find_files,
    song_of,
    tempo_ranges,
)
from dance_model.training.window_config import WindowConfig
from skeleton2stage.errors import UserError
from skeleton2stage.files import write_pickle
from skeleton2stage.metrics.beat_alignment import bas
from skeleton2stage.motion import motion_layout as layouts
from skeleton2stage.motion.motion import Motion
from skeleton2stage.music.beats import kinetic_beats, music_beats

RATE_HZ = 15360


def swinging(frames):
    """A figure that stands at 1 m, arms swinging at 1 Hz, its feet still."""
    poses = np.zeros((frames, 24, 3))
    poses[:, 0, 0] = np.pi / 2
    poses[:, 16:18, 2] = 0.8 * np.sin(2 * np.pi * np.arange(frames) / 30)[:, None]
    return Motion(poses, np.tile([0.3, 0.1, 1.0], (frames, 1)))


def salsa_like(frames):
    """The same, arms swinging between turns that come a third of a second to a second apart, and so to no beat."""
    motion = swinging(frames)
    spans = np.random.default_rng(0).uniform(10, 30, size=frames // 10)
    turns = np.interp(np.arange(frames), spans.cumsum(), np.arange(len(spans)))
    motion.poses[:, 16:18, 2] = 0.8 * np.cos(np.pi * turns)[:, None]
    return motion


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


def test_percussion_is_made_for_clips_without_songs(folder):
    windows = dance_windows(folder, WindowConfig(renditions=3))
    assert windows.names == ("a", "b")
    assert windows.clips.tolist() == [0, 0] * 3 + [1] * 3
    assert windows.starts.tolist() == [0, 15, 165, 180, 330, 345, 495, 645, 795]
    assert windows.music.shape == (9, 150, 35)
    assert windows.frames.shape == (3 * 315, 151)
    beats = windows.music[..., 34].sum(dim=-1)
    assert (beats >= 5).all()  # 5 s at 80 bpm or more hold 6 beats, of which a tracker may drop one
    assert not torch.equal(windows.music[0], windows.music[2])
    _, root, contacts = layouts.decode(windows.vectors(torch.tensor([6])), layouts.EDGE)
    np.testing.assert_allclose(root[0].numpy(), swinging(150).translation, atol=1e-6)
    assert contacts.eq(1).all()


def test_each_rendition_brings_the_dance_onto_its_own_even_beat():
    """The mean bas of the renditions is far above what an even beat meets by chance in the clip as it was."""
    motion = salsa_like(900)
    versions = list(danced(motion, None, WindowConfig(renditions=4), seed=0))
    scores, chance = [], []
    for version, audio, rate_hz in versions:
        assert len(version) == len(motion)
        beats = music_beats(audio, rate_hz)
        assert np.std(np.diff(beats)) < 2  # 60-fps frames
        scores.append(bas(beats, kinetic_beats(version.joints(), max_duration_s=None)))
        chance.append(bas(beats, kinetic_beats(motion.joints(), max_duration_s=None)))
    assert np.mean(scores) > 0.7 and np.mean(chance) < 0.5
    energies = [np.abs(np.diff(dance.joints(), axis=0)).mean() for dance in (motion, *(v[0] for v in versions))]
    np.testing.assert_allclose(energies[1:], energies[0], rtol=0.05)


def test_every_rendition_of_every_clip_sounds_its_own_way(monkeypatch):
    seeds, motion = [], salsa_like(300)
    monkeypatch.setattr(dance_data, "synthesise", lambda groove, duration_s, seed: seeds.append(seed) or np.zeros(1))
    for clip in range(3):
        list(danced(motion, None, WindowConfig(renditions=2), seed=clip))
    assert len(set(seeds)) == len(seeds) == 6


def test_tempo_ranges_part_what_percussion_can_have():
    assert tempo_ranges(1) == [pytest.approx((80, 140))]
    (low, middle), (again, high) = tempo_ranges(2)
    assert (low, high) == pytest.approx((80, 140)) and middle == again == pytest.approx((80 * 140) ** 0.5)


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
    axis_angle, _, _ = layouts.decode(windows.vectors(torch.tensor([0])), layouts.EDGE)
    np.testing.assert_allclose(axis_angle[0].numpy(), swinging(150).poses, atol=1e-5)  # as it was danced
    onsets = windows.music[0, :, 33].nonzero().flatten()
    assert (onsets.diff() == 15).sum() >= 5  # clicks every half second


def test_songs_and_percussion_may_be_mixed(tmp_path, clicks):
    write_motion(tmp_path / "danced.pkl", 150)
    write_motion(tmp_path / "silent.pkl", 150)
    clicks(tmp_path / "danced.wav", 5.0)
    windows = dance_windows(tmp_path, WindowConfig(renditions=2))
    assert windows.clips.tolist() == [0, 1, 1]  # nothing would tell renditions of a song apart
    assert not torch.equal(windows.music[1], windows.music[2])


def test_aist_clips_find_the_song_that_their_name_tells():
    songs = {name: f"{name}.wav" for name in ("mBR0", "gBR_sBM_cAll_d04_mBR0_ch02", "")}
    assert song_of("gBR_sBM_cAll_d04_mBR0_ch01", songs) == "mBR0.wav"
    assert song_of("gBR_sBM_cAll_d04_mBR0_ch02", songs) == "gBR_sBM_cAll_d04_mBR0_ch02.wav"  # its own comes first
    assert song_of("gBR_sBM_cAll_d04_mBR1_ch01", songs) is None
    assert song_of("gBR_sBM_cAll_d04_mBR0_ch01_slice3", songs) is None  # begins later in the song
    assert song_of("61_05", songs) is None


def test_a_song_is_cut_from_its_beginning_to_the_end_of_the_clip(tmp_path, clicks):
    song = clicks(tmp_path / "mBR0.wav", 20.0)
    motion = swinging(153)
    [(dance, audio, rate_hz)] = danced(motion, song, WindowConfig(), seed=0)
    assert dance is motion
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


def test_windows_may_have_the_beats_of_the_whole_percussion(tmp_path):
    write_motion(tmp_path / "a.pkl", 300)
    own, songs = (
        dance_windows(tmp_path, WindowConfig(renditions=1, music=kind)) for kind in ("baseline", "song_beats")
    )
    assert torch.equal(own.music[..., :34], songs.music[..., :34]) and torch.equal(own.frames, songs.frames)
    beats = songs.music[..., 34]
    assert len(beats) == 11 and torch.equal(beats[1:, :135], beats[:-1, 15:])
    [(_, audio, rate_hz)] = danced(swinging(300), None, WindowConfig(renditions=1), 0)
    first = music_beats(audio, rate_hz) / 2
    assert (beats[0].nonzero()[:, 0].numpy() - first[first <= 149.5] <= 0.5).all()


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
    assert windows.music.shape == (3, 150, 4800)
    assert len(windows.music[:, 0, 0].unique()) == 3


def test_folders_without_motions_or_long_ones_are_refused(tmp_path):
    with pytest.raises(UserError, match="no motion files"):
        find_files(tmp_path)
    write_motion(tmp_path / "short.pkl", 60)
    (tmp_path / "._short.pkl").write_bytes(b"what a file system of another kind leaves behind")
    with pytest.raises(UserError, match="none of the 1 motions lasts 5 s"):
        dance_windows(tmp_path, WindowConfig())
    (tmp_path / "more").mkdir()
    write_motion(tmp_path / "more" / "short.pkl", 60)
    with pytest.raises(UserError, match="two motions are called short"):
        find_files(tmp_path)


@pytest.mark.parametrize("bad", [{"stride_s": 0.51}, {"stride_s": 0.0}, {"renditions": 0}, {"accent": 1.0}])
def test_windows_that_cannot_be_cut_are_refused(bad):
    with pytest.raises(UserError, match="must be"):
        WindowConfig(**bad)
