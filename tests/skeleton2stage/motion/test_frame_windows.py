"""A long clip comes out of windows as it does at once."""

import numpy as np
import pytest
from naming_styles import STYLES, lacking
from skeleton_manners import along, bvh_of, dance

from skeleton2stage.motion.bvh import read_bvh
from skeleton2stage.motion.frame_windows import windows_of
from skeleton2stage.motion.retarget import retarget as retargeting
from skeleton2stage.motion.retarget import torso_clearance
from skeleton2stage.motion.retarget.retarget import retarget
from skeleton2stage.motion.retarget.source_skeleton import during, understand


@pytest.mark.parametrize(("n_frames", "size", "margin"), [(10, 4, 2), (10, 5, 3), (3, 10, 2), (1, 1, 0), (12, 4, 100)])
def test_every_frame_is_kept_once_and_sees_its_neighbours(n_frames, size, margin):
    kept = []
    for window in windows_of(n_frames, size, margin):
        frames = np.arange(n_frames)[window.frames]
        kept += frames[window.inner].tolist()
        assert frames[window.inner].tolist() == list(range(n_frames))[window.kept]
        assert frames[0] == max(0, window.kept.start - margin)
        assert frames[-1] == min(n_frames, window.kept.stop + margin) - 1
    assert kept == list(range(n_frames))


def written(tmp_path, axes=None, fps=120.0):
    """A file at 120 frames a second of 2 s of dance, with two glitches."""
    poses, pelvis = dance(240)
    poses[100:103, 18] += 1.5
    poses[165:167, 0, 2] += 1.0
    names, extras = STYLES["LAFAN1"]
    text = bvh_of(poses, pelvis, names, extras, left_out=lacking(names), axes=axes and along(axes))
    (tmp_path / "a.bvh").write_text(text.replace("Frame Time: 0.03333333", f"Frame Time: {1 / fps:.8f}"))
    return read_bvh(tmp_path / "a.bvh")


@pytest.mark.parametrize(("axes", "fps"), [(None, 120 / 1.001), ("x", 120.0)])
def test_windows_change_nothing(tmp_path, monkeypatch, axes, fps):
    bvh = written(tmp_path, axes, fps)
    at_once, report = retarget(bvh)
    monkeypatch.setattr(retargeting, "_WINDOW_S", 0.5)
    monkeypatch.setattr(retargeting, "_MARGIN_S", 0.45)
    monkeypatch.setattr(torso_clearance, "_WINDOW_FRAMES", 37)
    in_windows, other = retarget(bvh)
    np.testing.assert_allclose(in_windows.poses, at_once.poses, atol=1e-5)
    np.testing.assert_allclose(in_windows.translation, at_once.translation, atol=1e-5)
    assert report.bridged_frames == other.bridged_frames > 0 and report.rest_pose == other.rest_pose


def test_a_part_of_a_source_is_what_the_whole_has_there(tmp_path):
    bvh = written(tmp_path)
    whole, placed = understand(bvh), understand(bvh, turned=False)
    assert not placed.rotmat and set(placed.position) == set(whole.position)
    part = during(bvh, placed, slice(70, 120))
    for role in whole.position:
        np.testing.assert_array_equal(placed.position[role], whole.position[role])
        np.testing.assert_array_equal(part.position[role], whole.position[role][70:120])
        np.testing.assert_array_equal(part.rotmat[role], whole.rotmat[role][70:120])
