import resource
import tracemalloc

import numpy as np
import pytest
from bvh_samples import HEADER, motion_text

from skeleton2stage.errors import UserError
from skeleton2stage.motion import bvh_text
from skeleton2stage.motion.bvh import added_to_offsets, joint_transforms, read_bvh, rest_positions
from skeleton2stage.motion.bvh_text import decoded, rate_of

FRAMES = [[float(10 * frame + column) for column in range(9)] for frame in range(4)]
GOOD = HEADER + motion_text(FRAMES, 1 / 30)


def read(tmp_path, text, **options):
    (tmp_path / "a.bvh").write_text(text, **options)
    return read_bvh(tmp_path / "a.bvh")


ODD = {
    "section in small letters": GOOD.replace("MOTION", "motion"),
    "labels in capitals": GOOD.replace("Frames:", "FRAMES:").replace("Frame Time:", "FRAME TIME:"),
    "colons apart": GOOD.replace("Frames:", "Frames :").replace("Frame Time:", "Frame Time :"),
    "no colons": GOOD.replace("Frames:", "Frames").replace("Frame Time:", "FrameTime"),
    "no spaces": GOOD.replace("Frames: ", "Frames:").replace("Frame Time: ", "Frame Time:"),
    "tabs": GOOD.replace(" ", "\t"),
    "time first": GOOD.replace("Frames: 4\nFrame Time: 0.033333", "Frame Time: 0.033333\nFrames: 4"),
    "spaces round the section": GOOD.replace("MOTION", "  Motion  \n\n"),
    "windows": GOOD.replace("\n", "\r\n"),
    "old mac": GOOD.replace("\n", "\r"),
    "keywords in small letters": GOOD.replace("ROOT", "root").replace("JOINT", "Joint").replace("OFFSET", "offset")
    .replace("HIERARCHY", "hierarchy").replace("CHANNELS", "Channels"),
    "end site": GOOD.replace("End Site", "END SITE"),
    "end site of one word": GOOD.replace("End Site", "EndSite"),
    "named end site": GOOD.replace("End Site", "End Site ArmTip"),
    "braces on the line": GOOD.replace("Arm\n  {", "Arm {").replace("Hips\n{", "Hips{"),
    "blank lines": GOOD.replace("\n", "\n\n"),
    "wrapped rows": GOOD.replace("4.000000 5.000000", "4.000000\n5.000000"),
    "decimal commas": GOOD.replace(".", ","),
    "commas between": GOOD.replace("0 1.0", "0, 1.0"),
    "frame times cut": GOOD.replace("0.033333", "0.0333"),
}


@pytest.mark.parametrize("name", ODD)
def test_whole_motions_in_odd_text_are_read(tmp_path, name):
    bvh = read(tmp_path, ODD[name], newline="")
    assert bvh.names == ("Hips", "Arm", "Arm_end") and bvh.fps == 30
    np.testing.assert_allclose(bvh.values, FRAMES)
    np.testing.assert_allclose(rest_positions(bvh), [[0, 0, 0], [0, 2, 0], [1, 2, 0]])


@pytest.mark.parametrize("promised", [3, 5])
def test_a_count_off_by_one_is_told_and_all_frames_are_taken(tmp_path, capsys, promised):
    assert len(read(tmp_path, GOOD.replace("Frames: 4", f"Frames: {promised}"))) == 4
    assert f"promises {promised} frames and holds 4" in capsys.readouterr().err


@pytest.mark.parametrize("promised", [2, 6, 400])
def test_a_count_further_off_is_a_damaged_file(tmp_path, promised):
    with pytest.raises(UserError, match="cut short or altered"):
        read(tmp_path, GOOD.replace("Frames: 4", f"Frames: {promised}"))


def test_names_keep_their_spaces(tmp_path):
    assert read(tmp_path, GOOD.replace("JOINT Arm", "JOINT Bip01 L Arm ")).names[1] == "Bip01 L Arm"


def test_two_skeletons_are_refused_by_name(tmp_path):
    second = HEADER.removeprefix("HIERARCHY\n").replace("Hips", "Partner")
    with pytest.raises(UserError, match=r"more than one skeleton \(ROOT Hips and ROOT Partner\)"):
        read(tmp_path, HEADER + second + motion_text([[0.0] * 18], 1 / 30))


@pytest.mark.parametrize("written", ["60", "33.3", "1e-300", "0", "-0.01", "nan", "inf", "1_0", "fast"])
def test_frame_times_that_are_none_are_refused_at_once(tmp_path, written):
    limit = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(UserError, match=r"a\.bvh .*frame time"):
        read(tmp_path, GOOD.replace("0.033333", written))
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss < limit + 100_000  # kB


@pytest.mark.parametrize("label", ["Frames", "Frame Time"])
def test_a_missing_label_is_named(tmp_path, label):
    text = "\n".join(line for line in GOOD.split("\n") if not line.startswith(f"{label}:"))
    with pytest.raises(UserError, match=f"'{label}:'"):
        read(tmp_path, text)


@pytest.mark.parametrize(("written", "rate"), [
    ("0.033333", 30), ("0.0333", 30), ("0.033", 30), ("0.033367", 30 / 1.001), ("0.03337", 30 / 1.001),
    ("0.0334", 30 / 1.001), ("3.33667e-02", 30 / 1.001), ("0.0333666667342186", 30 / 1.001), ("0.016683", 60 / 1.001),
    ("0.0166833", 60 / 1.001), ("0.016667", 60), ("0.016666", 60), ("0.0167", 60), ("0.0166666675359011", 60),
    ("0.008333", 120), ("0.0083", 120), ("0.008342", 120 / 1.001), ("0.041667", 24), ("0.041708", 24 / 1.001),
    ("0.04", 25), ("0.02", 50), ("0.01", 100), ("0.027", 1 / 0.027), ("0.05", 20),
])
def test_a_rounded_frame_time_is_the_rate_it_stands_for(written, rate):
    assert rate_of(written) == pytest.approx(rate, rel=1e-12)


NAMES = "Tête 左腕"


@pytest.mark.parametrize(("encoding", "name"), [
    ("utf-8", NAMES), ("utf-8-sig", NAMES), ("utf-16", NAMES), ("utf-16-le", NAMES), ("utf-16-be", NAMES),
    ("cp932", "左ひざ"), ("latin-1", "Tête"),
])
def test_encodings(encoding, name):
    assert decoded(f"HIERARCHY\nROOT {name}\n".encode(encoding)) == f"HIERARCHY\nROOT {name}\n"


def test_numbers_are_read_alike_in_blocks(tmp_path, monkeypatch):
    whole = read(tmp_path, GOOD).values
    monkeypatch.setattr(bvh_text, "_BLOCK", 7)
    np.testing.assert_array_equal(read(tmp_path, GOOD).values, whole)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be", "utf-8-sig", "latin-1"])
def test_whole_motions_in_any_encoding_are_read(tmp_path, monkeypatch, encoding):
    for block in (1 << 22, 16):
        monkeypatch.setattr(bvh_text, "_BLOCK", block)
        (tmp_path / "a.bvh").write_bytes(GOOD.replace("Arm", "Ärm").encode(encoding))
        bvh = read_bvh(tmp_path / "a.bvh")
        np.testing.assert_allclose(bvh.values, FRAMES)
        assert bvh.names[1] == "Ärm"


@pytest.mark.parametrize("block", [5, 40, 1 << 22])
@pytest.mark.parametrize("name", ODD)
def test_odd_text_is_read_alike_in_blocks(tmp_path, monkeypatch, name, block):
    monkeypatch.setattr(bvh_text, "_BLOCK", block)
    np.testing.assert_allclose(read(tmp_path, ODD[name], newline="").values, FRAMES)


def test_a_long_clip_is_not_held_as_text(tmp_path, monkeypatch):
    """The values take 8 bytes each; their text, of twice as many, is never there as a whole."""
    rows = np.arange(9 * 40_000, dtype=float).reshape(-1, 9) % 360
    (tmp_path / "a.bvh").write_text(HEADER + motion_text(rows, 1 / 120))
    monkeypatch.setattr(bvh_text, "_BLOCK", 1 << 16)
    tracemalloc.start()
    bvh = read_bvh(tmp_path / "a.bvh")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    np.testing.assert_allclose(bvh.values, rows)
    assert peak < 2 * bvh.values.nbytes


def arm_with_positions(values):
    header = HEADER.replace("CHANNELS 3 Y", "CHANNELS 6 Xposition Yposition Zposition Y")
    return header + motion_text([[0.0] * 6 + values + [0.0] * 3] * 2, 1 / 30)


@pytest.mark.parametrize(("values", "added"), [([0.0, 2.0, 0.0], False), ([0.0] * 3, True), ([0.1, 0.0, 0.0], True)])
def test_positions_that_repeat_the_offset_and_those_added_to_it(tmp_path, values, added):
    bvh = read(tmp_path, arm_with_positions(values))
    assert added_to_offsets(bvh) == added
    _, position = joint_transforms(bvh, [1])
    np.testing.assert_allclose(position[0, 0], np.array(values) + ([0, 2, 0] if added else 0))


def test_scale_channels_are_passed_over(tmp_path):
    header = HEADER.replace("CHANNELS 3 Y", "CHANNELS 6 Xscale Yscale Zscale Y")
    bvh = read(tmp_path, header + motion_text([[0.0] * 6 + [1.0] * 3 + [0.0, 90.0, 0.0]], 1 / 30))
    _, position = joint_transforms(bvh, [2])
    np.testing.assert_allclose(position[0, 0], [0, 3, 0], atol=1e-12)
