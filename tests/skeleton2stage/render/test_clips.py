import numpy as np
import pytest
from PIL import Image

from skeleton2stage.errors import UserError
from skeleton2stage.motion.motion import Motion
from skeleton2stage.render import clips, figures
from skeleton2stage.render.clips import Renderer
from skeleton2stage.render.look import Look


def numbered(n_frames, fps=30.0):
    """A motion whose height tells the frame."""
    translation = np.zeros((n_frames, 3))
    translation[:, 2] = np.arange(n_frames)
    return Motion(np.zeros((n_frames, 24, 3)), translation, fps)


def test_resampled_keeps_speed():
    shown = clips.resampled(numbered(60, fps=60.0), fps=30, seconds=10.0)
    assert shown.fps == 30.0
    np.testing.assert_array_equal(shown.translation[:, 2], np.arange(0, 60, 2))
    slowed = clips.resampled(numbered(10), fps=60, seconds=10.0)
    assert len(slowed) == 20 and slowed.translation[-1, 2] == 9


def test_resampled_cuts_at_seconds():
    assert len(clips.resampled(numbered(300), fps=30, seconds=2.0)) == 60


def test_pose_follows_the_translation(capsule_body):
    motion = numbered(5)
    points = figures.pose(capsule_body, motion)
    assert len(points) == len(motion)
    rise = np.broadcast_to([0, 0, len(motion) - 1], points.shape[1:])
    np.testing.assert_allclose(points[-1] - points[0], rise, atol=1e-4)


@pytest.mark.parametrize(("lowest", "ground", "expected"), [
    ([0.05, 0.07], "auto", 0.0), ([0.5, 0.7], "auto", -0.6), ([-0.2, -0.2], "auto", 0.2),
    ([0.5, 0.7], "file", 0.0), ([0.05, 0.07], "mean", -0.06),
])
def test_floor_lift(lowest, ground, expected):
    vertices = np.ones((2, 3, 3))
    vertices[:, 1, 2] = lowest
    assert clips.floor_lift_m(vertices, ground) == pytest.approx(expected)


@pytest.mark.parametrize(("change", "said"), [
    ({"ground": "moon"}, "unknown ground 'moon': choose one of auto, file, mean"),
    ({"width": 481}, "'width' must be an even number"),
    ({"seconds": 0.0}, "seconds must be from 0.1"),
    ({"fps": 0}, "fps must be from 1"),
    ({"elevation_deg": 89.4}, "elevation_deg must be from"),
])
def test_a_look_that_cannot_be_is_refused(change, said):
    with pytest.raises(UserError, match=said):
        Look(**change)


def test_a_comparison_is_written_with_its_sheet(drawing, capsule_body, standing, tmp_path):
    import imageio_ffmpeg

    look = Look(width=96, height=64, samples=0, sheet_pictures=3)
    with Renderer([capsule_body, capsule_body], look) as renderer:
        renderer.write(tmp_path / "pair.mp4", [standing, standing.slice(0, 10)], ["base", "ours"])
    meta = next(imageio_ffmpeg.read_frames(str(tmp_path / "pair.mp4")))
    assert meta["size"] == (192, 64)
    assert meta["duration"] == pytest.approx(1.0, abs=0.05)  # the longer of the two
    sheet = np.asarray(Image.open(tmp_path / "pair.png"))
    assert sheet.shape == (3 * 64, 192, 3)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["pair.mp4", "pair.png"]
