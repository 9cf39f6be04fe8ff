"""Lists of clips to train on, to hold out and to leave out."""

from dataclasses import replace

import pytest
import torch

from dance_model.training import train_edge
from dance_model.training.clip_lists import ClipLists, read_list, select_clips
from dance_model.training.windows import DanceWindows
from skeleton2stage.errors import UserError
from skeleton2stage.motion import motion_layout as layouts

NAMES = ("trained", "tested", "ignored", "unlisted")


@pytest.fixture(scope="module")
def windows():
    """Two windows of each clip."""
    frames = layouts.encode(torch.zeros(300, 24, 3), torch.zeros(300, 3), layouts.EDGE)
    clips = torch.arange(4).repeat_interleave(2)
    return DanceWindows(frames, torch.arange(8) * 10, clips, torch.randn(8, 150, 35), NAMES)


def clips_of(windows):
    return [windows.names[clip] for clip in windows.clips.unique()]


def lists(train=None, test=None, ignored=None):
    return ClipLists(*(None if part is None else frozenset(part) for part in (train, test, ignored)))


def test_names_are_read_without_spaces_and_blank_lines(tmp_path):
    path = tmp_path / "ignore_list.txt"
    path.write_text("gHO_sFM_cAll_d20_mHO5_ch13 \r\n60_12\n\n\n60_12\n", encoding="utf-8")
    assert read_list(path) == {"gHO_sFM_cAll_d20_mHO5_ch13", "60_12"}


@pytest.mark.parametrize("content", [None, b"\xff\xfe\x00"])
def test_a_file_that_is_no_list_is_named(tmp_path, content):
    path = tmp_path / "list.txt"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UserError, match=r"list\.txt as a list of clips, one name a line"):
        read_list(path)


def test_without_lists_everything_stays_and_nothing_is_said(windows):
    chosen, left_out = select_clips(windows, lists(), ("tested",))
    assert clips_of(chosen) == list(NAMES) and left_out == []


def test_ignored_and_unlisted_clips_go_and_are_counted(windows):
    given = lists(train=["trained", "ignored", "elsewhere"], test=["tested"], ignored=["ignored", "nowhere"])
    chosen, left_out = select_clips(windows, given, ("tested",))
    assert clips_of(chosen) == ["trained", "tested"] and len(chosen) == 4
    assert left_out == [
        "clips left out by ignore_list: 1",
        "clips left out that are neither to train on nor held out: 1",
        "names in the lists without a clip of 5 s or more: 2",
    ]


def test_without_a_training_list_all_others_are_trained_on(windows):
    chosen, left_out = select_clips(windows, lists(test=["tested"], ignored=["ignored"]), ("tested",))
    assert clips_of(chosen) == ["trained", "tested", "unlisted"]
    assert left_out == ["clips left out by ignore_list: 1"]


def test_training_holds_out_the_test_list(windows, tmp_path, capsys):
    spread = replace(windows, frames=windows.frames + 0.01 * torch.randn_like(windows.frames))
    spread.save(tmp_path / "w.npz")
    for name, content in (("train", "trained\nunlisted\n"), ("test", "tested\n"), ("ignore", "ignored\n")):
        (tmp_path / f"{name}.txt").write_text(content)
    train_edge.main([
        f"data={tmp_path / 'w.npz'}", f"out={tmp_path / 'run'}", "steps=1", "batch_size=2", "preview_dances=0",
        "trackers=[]", "device=cpu", "denoiser.latent_width=16", "denoiser.feedforward_width=16",
        "denoiser.n_layers=1", "denoiser.n_heads=2", "held_out=[trained]",
        *(f"{name}_list={tmp_path / name}.txt" for name in ("train", "test", "ignore")),
    ])
    printed = capsys.readouterr().out
    assert "clips left out by ignore_list: 1\n" in printed
    assert "4 windows, 2 held out" in printed  # `trained` and `unlisted`, and `tested` in place of held_out's
