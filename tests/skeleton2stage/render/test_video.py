import subprocess

import imageio_ffmpeg
import numpy as np
import pytest
import soundfile
from PIL import Image

from skeleton2stage.errors import UserError
from skeleton2stage.render import video
from skeleton2stage.render.soundtrack import Soundtrack

SIZE = (64, 48)


def shades(n_pictures):
    """Grey pictures, each lighter than the last."""
    return (np.full((SIZE[1], SIZE[0], 3), 20 + 8 * index, dtype=np.uint8) for index in range(n_pictures))


def streams(path):
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-i", str(path)]
    return subprocess.run(command, capture_output=True, text=True, check=False).stderr


def frames_of(path):
    reader = imageio_ffmpeg.read_frames(str(path))
    meta = next(reader)
    return meta, [np.frombuffer(frame, np.uint8).reshape(SIZE[1], SIZE[0], 3) for frame in reader]


def tone(path, seconds):
    soundfile.write(path, 0.3 * np.sin(np.arange(int(seconds * 22050)) * 0.06), 22050)
    return path


def test_pictures_come_back_in_order_at_their_rate(tmp_path):
    video.encode(tmp_path / "a.mp4", shades(20), 20, SIZE, fps=30)
    meta, frames = frames_of(tmp_path / "a.mp4")
    assert meta["fps"] == 30 and len(frames) == 20
    np.testing.assert_allclose([frame.mean() for frame in frames], 20 + 8 * np.arange(20), atol=4)
    assert "Audio" not in streams(tmp_path / "a.mp4")
    assert list(tmp_path.iterdir()) == [tmp_path / "a.mp4"]


@pytest.mark.parametrize("song_s", [0.5, 5.0])
def test_the_song_is_in_and_never_changes_the_length(tmp_path, song_s):
    song = tone(tmp_path / "song.wav", song_s)
    video.encode(tmp_path / "a.mp4", shades(30), 30, SIZE, fps=15, soundtrack=Soundtrack(song))
    said = streams(tmp_path / "a.mp4")
    assert "Audio: aac" in said
    meta, frames = frames_of(tmp_path / "a.mp4")
    assert len(frames) == 30
    assert meta["duration"] == pytest.approx(2.0, abs=0.1)


def test_a_broken_song_is_ffmpegs_word_and_leaves_nothing(tmp_path):
    song = tmp_path / "song.wav"
    song.write_text("not a song")
    with pytest.raises(UserError, match=r"could not write .*a\.mp4: .*song\.wav"):
        video.encode(tmp_path / "a.mp4", shades(300), 300, SIZE, fps=30, soundtrack=Soundtrack(song))
    assert list(tmp_path.iterdir()) == [song]


def test_an_error_while_drawing_keeps_the_old_video(tmp_path):
    def failing():
        yield from shades(2)
        raise RuntimeError("no more")

    path = tmp_path / "a.mp4"
    path.write_bytes(b"old")
    with pytest.raises(RuntimeError, match="no more"):
        video.encode(path, failing(), 5, SIZE, fps=30)
    assert path.read_bytes() == b"old"


def test_panels_have_captions_only_where_given():
    plain, dark = np.full((100, 100, 3), 200, np.uint8), np.full((100, 100, 3), 50, np.uint8)
    row = video.panelled([plain, dark], ["", "fine-tuned"], columns=2)
    assert row.shape == (100, 200, 3)
    assert np.all(row[:, :100] == 200)
    assert row[:30, 100:].max() > 200  # white letters
    assert np.all(row[50:, 100:] == 50)


@pytest.mark.parametrize(("n_frames", "n_pictures", "expected"), [
    (8, 8, [0, 1, 2, 3, 4, 5, 6, 7]), (101, 3, [0, 50, 100]), (2, 8, [0, 1]), (1, 8, [0]), (5, 0, []),
])
def test_sheet_indices(n_frames, n_pictures, expected):
    assert video.sheet_indices(n_frames, n_pictures) == expected


def test_contact_sheet_is_a_grid_in_reading_order(tmp_path):
    pictures = [np.full((100, 100, 3), 25 * index, np.uint8) for index in range(1, 7)]
    video.write_contact_sheet(tmp_path / "a.png", pictures, [0.1 * index for index in range(6)])
    sheet = np.asarray(Image.open(tmp_path / "a.png"))
    assert sheet.shape == (200, 400, 3)
    assert [sheet[20, 50 + 100 * column, 0] for column in range(4)] == [25, 50, 75, 100]
    assert sheet[120, 50, 0] == 125 and sheet[120, 350, 0] == 255


def test_four_panels_stand_two_by_two():
    four = [np.full((10, 20, 3), shade, np.uint8) for shade in (10, 20, 30, 40)]
    picture = video.panelled(four, [""] * 4, columns=2)
    assert picture.shape == (20, 40, 3)
    assert [picture[0, 0, 0], picture[0, -1, 0], picture[-1, 0, 0], picture[-1, -1, 0]] == [10, 20, 30, 40]


def test_a_missing_ffmpeg_is_a_sentence(tmp_path, monkeypatch):
    def no_ffmpeg():
        raise RuntimeError("No ffmpeg exe could be found")

    monkeypatch.setattr(imageio_ffmpeg, "get_ffmpeg_exe", no_ffmpeg)
    with pytest.raises(UserError, match=r"there is no ffmpeg: .*IMAGEIO_FFMPEG_EXE"):
        video.encode(tmp_path / "a.mp4", shades(2), 2, SIZE, fps=30)
    assert list(tmp_path.iterdir()) == []
