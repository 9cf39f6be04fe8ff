import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from bvh_samples import HIPS_CM, person_text
from motion_samples import WRITERS, dancing_motion, upright_motion, write_amass

from listening import alive, children
from skeleton2stage.config import load_config, to_dataclass
from skeleton2stage.errors import UserError
from skeleton2stage.files import write_pickle
from skeleton2stage.motion.checks.check_limits import CheckLimits
from skeleton2stage.motion.convert import convert_file
from skeleton2stage.motion.convert.__main__ import main
from skeleton2stage.motion.convert.conversion_jobs import output_files, read_clip_notes
from skeleton2stage.motion.convert.convert_config import ConvertConfig
from skeleton2stage.motion.formats.read_motion import read_motion
from skeleton2stage.motion.library import read_library
from skeleton2stage.one_writer import only_writer

SHORT = "min_s=0.5"


@pytest.fixture
def source(tmp_path):
    folder = tmp_path / "in"
    (folder / "sub").mkdir(parents=True)
    WRITERS["aistpp"](folder / "a.pkl", upright_motion())
    (folder / "sub" / "b.bvh").write_text(person_text({}, 60))
    return folder


def run(capsys, *arguments, workers=1):
    status = main([f"workers={workers}", *map(str, arguments)])
    return status, capsys.readouterr().out


def listed(out):
    content = json.loads((out / "library.json").read_text())
    return {clip["file"]: clip for clip in content["clips"]}


def test_folder_is_converted_and_described(source, tmp_path, capsys):
    status, said = run(capsys, f"source={source}", f"out={tmp_path / 'out'}", "check=false")
    assert status == 0 and "2 of 2" in said
    assert "a.pkl: aistpp, 60 fps, y up, 60 frames -> 30 frames" in said
    assert "b.bvh: bvh, 60 fps, y up, 60 frames -> 30 frames" in said and "mean error" in said
    expected = upright_motion().joints()
    np.testing.assert_allclose(read_motion(tmp_path / "out" / "a.pkl").joints(), expected, atol=2e-5)
    assert read_motion(tmp_path / "out" / "sub" / "b.pkl").fps == 30


def test_bad_file_is_rejected_and_the_rest_is_converted(source, tmp_path, capsys):
    (source / "bad.pkl").write_bytes(b"nonsense")
    np.savez(source / "shape.npz", betas=np.zeros(10))
    write_pickle(source / "strange.pkl", {"smpl_poses": [[1.0], [2.0, 3.0]], "smpl_trans": 3})
    arguments = [f"source={source}", f"out={tmp_path / 'out'}", SHORT, "max_frozen_s=9", "max_repeated_share=1"]
    status, said = run(capsys, *arguments)
    assert status == 0 and "2 of 4" in said and "2 rejected:" in said
    assert "  bad.pkl: " in said and "damaged or not a pickle" in said and "1 skipped" in said and "shape.npz" in said
    assert (tmp_path / "out" / "a.pkl").is_file() and not (tmp_path / "out" / "bad.pkl").exists()
    assert run(capsys, *arguments, "strict=true")[0] == 1
    (source / "bad.pkl").unlink()
    (source / "strange.pkl").unlink()
    assert run(capsys, *arguments, "strict=true")[0] == 0


def test_what_the_disk_failed_is_neither_rejected_nor_removed_but_tried_again(source, tmp_path, capsys, monkeypatch):
    arguments = [f"source={source}", f"out={tmp_path / 'out'}", "check=false"]
    run(capsys, *arguments)

    def full(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setitem(convert_file.MOTION_WRITERS, "pkl", full)
        (source / "a.pkl").touch()  # changed, so it is due again
        status, said = run(capsys, *arguments)
    assert status == 1 and "a.pkl: not converted: [Errno 28] No space left" in said
    assert (tmp_path / "out" / "a.pkl").is_file() and listed(tmp_path / "out")["a.pkl"]["accepted"]
    assert run(capsys, *arguments)[0] == 0


def test_nothing_accepted_is_a_failure(tmp_path, capsys):
    WRITERS["written"](tmp_path / "in" / "a.pkl", dancing_motion())
    assert run(capsys, f"source={tmp_path / 'in'}", f"out={tmp_path / 'out'}", "min_s=7")[0] == 1


def test_a_library_within_its_source_is_not_read_again(source, capsys):
    arguments = [f"source={source}", f"out={source / 'library'}", "check=false"]
    run(capsys, *arguments)
    assert "2 of 2 files are in" in run(capsys, *arguments)[1]
    assert set(listed(source / "library")) == {"a.pkl", "sub/b.pkl"}


def test_a_file_that_the_library_did_not_make_is_kept(source, tmp_path, capsys):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "a.pkl").write_bytes(b"mine")
    with pytest.raises(UserError, match="not of this command's making"):
        run(capsys, f"source={source}", f"out={tmp_path / 'out'}", "check=false")
    assert (tmp_path / "out" / "a.pkl").read_bytes() == b"mine"


def test_an_error_nobody_foresaw_rejects_one_file(source, tmp_path, capsys, monkeypatch):
    read = convert_file.read_motion_files

    def breaks_on_bvh(path, *rest):
        return 1 / 0 if path.suffix == ".bvh" else read(path, *rest)

    monkeypatch.setattr(convert_file, "read_motion_files", breaks_on_bvh)
    said = run(capsys, f"source={source}", f"out={tmp_path / 'out'}", SHORT)[1]
    assert "sub/b.pkl: unreadable: ZeroDivisionError" in said and "1 of 2" in said


# The sets as they are published.


def write_amass_tree(root):
    """SUBSET/SUBJECT/NAME_poses.npz of SMPL-H, NAME_stageii.npz of SMPL-X, and what lies beside them."""
    for person in ("CMU/60", "KIT/3", "ACCAD/Female1General_c3d"):
        (root / person).mkdir(parents=True)
    dance = dancing_motion()
    write_amass(root / "CMU/60/60_01_poses.npz", dance, 156, "mocap_framerate", 30)
    write_amass(root / "KIT/3/walk_poses.npz", dancing_motion(720, fps=120), 156, "mocap_framerate", 120)
    write_amass(root / "ACCAD/Female1General_c3d/walk_poses.npz", dancing_motion(90), 156, "mocap_framerate", 30)
    write_amass(root / "CMU/60/60_02_stageii.npz", dance, 165, "mocap_frame_rate", 30)
    np.savez(root / "CMU/60/neutral_stagei.npz", betas=np.zeros(16), gender="neutral", poses=np.zeros((12, 165)))
    np.savez(root / "KIT/3/shape.npz", betas=np.zeros(16), gender="male")
    (root / "LICENSE.txt").write_text("terms")


def test_amass_tree(tmp_path, capsys):
    write_amass_tree(tmp_path / "amass")
    out = tmp_path / "out"
    status, said = run(capsys, f"source={tmp_path / 'amass'}", f"out={out}")
    assert status == 0 and "3 of 4 files converted" in said and "2 skipped, holding no motion" in said
    # 'walk' is there of two people: training knows clips by their names, which have to differ.
    short = "ACCAD/Female1General_c3d/ACCAD_Female1General_c3d_walk_poses.pkl"
    assert f"  {short}: short: 3.00 s" in said
    clips = listed(out)
    assert set(clips) == {short, "KIT/3/KIT_3_walk_poses.pkl", "CMU/60/60_01_poses.pkl", "CMU/60/60_02_stageii.pkl"}
    assert not clips[short]["accepted"] and not (out / short).exists()
    walk = clips["KIT/3/KIT_3_walk_poses.pkl"]
    assert (walk["source_fps"], walk["source_frames"], walk["frames"], walk["seconds"]) == (120, 720, 180, 6.0)
    assert walk["source"].endswith("amass/KIT/3/walk_poses.npz") and walk["figures"]["float_s"] == 0
    assert (tmp_path / "out" / "KIT/3/KIT_3_walk_poses.pkl").is_file()


def write_aistpp_folder(root):
    """The annotations as downloaded, the y-up floor at 0.2 m, where EDGE's reading of smpl_trans puts it."""
    (root / "motions").mkdir(parents=True)
    (root / "keypoints3d").mkdir()
    for name in ("gBR_sBM_cAll_d04_mBR0_ch01", "gBR_sBM_cAll_d04_mBR0_ch02"):
        WRITERS["aistpp"](root / "motions" / f"{name}.pkl", dancing_motion(floor_m=0.2))
        write_pickle(root / "keypoints3d" / f"{name}.pkl", {"keypoints3d": np.zeros((9, 17, 3))})
    (root / "ignore_list.txt").write_text("gBR_sBM_cAll_d04_mBR0_ch02\ngWA_sFM_c01_d27_mWA2_ch21\n")


@pytest.mark.parametrize("folder", ["", "motions"])
def test_aistpp_with_its_list_of_bad_sequences(tmp_path, capsys, folder):
    write_aistpp_folder(tmp_path / "aist")
    out = tmp_path / "out"
    said = run(capsys, f"source={tmp_path / 'aist' / folder}", f"out={out}")[1]
    assert "1 of 2 files converted" in said and "floor moved from 0.2" in said
    assert "mBR0_ch02.pkl: ignored: named in the data set's ignore_list.txt" in said
    (written,) = out.rglob("*.pkl")
    np.testing.assert_allclose(read_motion(written).joints()[:, 10:12, 2].min(axis=1).mean(), 0.024, atol=0.011)
    assert written.name == "gBR_sBM_cAll_d04_mBR0_ch01.pkl"  # the name tells its song and tempo


@pytest.mark.parametrize("name", ["popdance", "popdance_split", "popdance_sliced", "edge_split", "edge_sliced"])
def test_popdanceset_and_edges_slices(tmp_path, capsys, name):
    (tmp_path / "train" / "motions").mkdir(parents=True)
    WRITERS[name](tmp_path / "train" / "motions" / "song_slice0.pkl", dancing_motion(150))
    assert "1 of 1" in run(capsys, f"source={tmp_path / 'train'}", f"out={tmp_path / 'out'}")[1]
    assert listed(tmp_path / "out")["motions/song_slice0.pkl"]["format"] == name


def test_bvh_that_moves(tmp_path, capsys):
    turn = 20 * np.sin(np.arange(360) / 20)
    path_cm = np.stack([2 * np.sin(np.arange(360) / 30), np.full(360, HIPS_CM), 0 * turn], axis=1)
    (tmp_path / "b.bvh").write_text(person_text({"LeftArm": turn, "Spine": turn / 4}, 360, path_cm=path_cm))
    said = run(capsys, f"source={tmp_path / 'b.bvh'}", f"out={tmp_path / 'out'}", "strict=true")[1]
    assert "1 of 1" in said


# Going on from an earlier run.


def times(out):
    return {path.name: path.stat().st_mtime_ns for path in out.rglob("*.pkl")}


def test_what_is_there_is_not_done_again(tmp_path, capsys):
    write_amass_tree(tmp_path / "amass")
    arguments = [f"source={tmp_path / 'amass'}", f"out={tmp_path / 'out'}"]
    first, before = run(capsys, *arguments)[1], times(tmp_path / "out")
    status, said = run(capsys, *arguments)
    assert "4 of 6 files are in" in said and times(tmp_path / "out") == before
    assert said.split("3 of 4")[1] == first.split("3 of 4")[1]  # the rejected are named again
    (tmp_path / "out" / "CMU/60/60_01_poses.pkl").unlink()
    os.utime(tmp_path / "amass/KIT/3/walk_poses.npz", (1, 1))
    assert "2 of 6 files are in" in run(capsys, *arguments)[1]
    assert "4 of 6 files are in" not in run(capsys, *arguments, "min_s=2")[1]
    assert len(times(tmp_path / "out")) == 4


def test_clip_that_no_longer_passes_leaves_the_library(tmp_path, capsys):
    WRITERS["written"](tmp_path / "in" / "a.pkl", dancing_motion())
    arguments = [f"source={tmp_path / 'in'}", f"out={tmp_path / 'out'}"]
    assert "1 of 1" in run(capsys, *arguments)[1]
    assert "short: 6.00 s, min_s=7" in run(capsys, *arguments, "min_s=7")[1]
    assert times(tmp_path / "out") == {} and not listed(tmp_path / "out")["a.pkl"]["accepted"]


def test_two_sources_share_a_library_but_not_a_file(tmp_path, capsys):
    for place in ("one", "two"):
        WRITERS["written"](tmp_path / place / "a.pkl", dancing_motion())
    WRITERS["written"](tmp_path / "three" / "b.pkl", dancing_motion(160))
    out = f"out={tmp_path / 'out'}"
    run(capsys, f"source={tmp_path / 'one'}", out)
    run(capsys, f"source={tmp_path / 'three'}", out)
    assert set(listed(tmp_path / "out")) == {"a.pkl", "b.pkl"}
    with pytest.raises(UserError, match="was made from .*one"):
        run(capsys, f"source={tmp_path / 'two'}", out)


def test_name_that_becomes_ambiguous_moves(tmp_path, capsys):
    WRITERS["written"](tmp_path / "in" / "s1" / "walk.pkl", dancing_motion())
    arguments = [f"source={tmp_path / 'in'}", f"out={tmp_path / 'out'}"]
    run(capsys, *arguments)
    assert set(times(tmp_path / "out")) == {"walk.pkl"}
    WRITERS["written"](tmp_path / "in" / "s2" / "walk.pkl", dancing_motion(160))
    run(capsys, *arguments)
    assert set(times(tmp_path / "out")) == {"s1_walk.pkl", "s2_walk.pkl"}
    assert set(listed(tmp_path / "out")) == {"s1/s1_walk.pkl", "s2/s2_walk.pkl"}


def test_interrupted_run_keeps_what_it_did(tmp_path, capsys, monkeypatch):
    for name in "abc":
        WRITERS["written"](tmp_path / "in" / f"{name}.pkl", dancing_motion())
    read = convert_file.read_motion_files

    def stopped_at_b(path, *rest):
        if path.stem == "b":
            raise KeyboardInterrupt
        return read(path, *rest)

    monkeypatch.setattr(convert_file, "read_motion_files", stopped_at_b)
    with pytest.raises(KeyboardInterrupt):
        run(capsys, f"source={tmp_path / 'in'}", f"out={tmp_path / 'out'}")
    assert set(listed(tmp_path / "out")) == {"a.pkl"}


@pytest.mark.parametrize(("workers", "sent"), [(1, signal.SIGKILL), (2, signal.SIGKILL), (1, signal.SIGTERM)])
def test_an_import_killed_before_it_listed_its_files_goes_on(tmp_path, capsys, workers, sent):
    for number in range(40):
        WRITERS["aistpp"](tmp_path / "in" / f"clip{number}.pkl", upright_motion())
    out = tmp_path / "out"
    arguments = [f"source={tmp_path / 'in'}", f"out={out}", "check=false"]
    process = subprocess.Popen(
        [sys.executable, "-m", "skeleton2stage.motion.convert", *arguments, f"workers={workers}"],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=os.environ | {"OMP_NUM_THREADS": "1"},
    )
    while len(list(out.glob("clip*.pkl"))) < 3:
        assert process.poll() is None
        time.sleep(0.02)
    under = children(process.pid)
    process.send_signal(sent)
    process.communicate()
    assert process.returncode == {signal.SIGKILL: -9, signal.SIGTERM: 143}[sent]
    deadline = time.monotonic() + 20
    while any(alive(pid) for pid in under):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    (out / "mine.pkl").write_bytes(b"of another making")
    status, said = run(capsys, *arguments)
    assert status == 0 and "40 of 40" in said
    assert len(listed(out)) == 40 and not list(out.glob(".being_made*"))
    WRITERS["aistpp"](tmp_path / "in" / "mine.pkl", upright_motion())
    with pytest.raises(UserError, match="mine.pkl is not of this command's making"):
        run(capsys, *arguments)


def test_two_imports_do_not_write_to_one_library(source, tmp_path):
    with only_writer(tmp_path / "out"), pytest.raises(UserError, match="is being written by another process"):
        main([f"source={source}", f"out={tmp_path / 'out'}"])


def test_several_processes_give_the_same_library(tmp_path, capsys):
    write_amass_tree(tmp_path / "amass")
    for workers in (1, 2):
        run(capsys, f"source={tmp_path / 'amass'}", f"out={tmp_path / str(workers)}", workers=workers)
    assert listed(tmp_path / "1") == listed(tmp_path / "2")
    for path in (tmp_path / "1").rglob("*.pkl"):
        assert path.read_bytes() == (tmp_path / "2" / path.relative_to(tmp_path / "1")).read_bytes()


def test_foreign_list_is_refused(tmp_path):
    for text in ("[]", '{"clips": 3}', '{"clips": [{"file": "a"}]}', "{"):
        (tmp_path / "library.json").write_text(text)
        with pytest.raises(UserError, match=r"library\.json"):
            read_library(tmp_path)


# Notes, names and settings.


def test_trims_are_seconds_of_the_clip(source, tmp_path, capsys):
    trims = tmp_path / "trims.json"
    trims.write_text(json.dumps({"keep_s": {"a": [0.2, 0.7]}}))
    arguments = [f"source={source / 'a.pkl'}", f"out={tmp_path / 'out'}", f"clips={trims}", "check=false"]
    assert run(capsys, *arguments)[0] == 0
    found = read_motion(tmp_path / "out" / "a.pkl")
    np.testing.assert_allclose(found.joints(), upright_motion().joints()[6:21], atol=2e-5)


@pytest.mark.parametrize(
    "content",
    [[], {"keep": {}}, {"keep_s": {"a": 3}}, {"keep_s": {"a": ["x", None]}}, {"fps": {"a": 0}}, {"fps": 3}],
)
def test_bad_trims_are_refused(tmp_path, content):
    (tmp_path / "t.json").write_text(json.dumps(content))
    with pytest.raises(UserError, match=r"t\.json"):
        read_clip_notes(tmp_path / "t.json")


def test_sources_are_never_overwritten(tmp_path):
    with pytest.raises(UserError, match="comes from"):
        output_files(tmp_path, [tmp_path / "a.pkl"], tmp_path, {})
    with pytest.raises(UserError, match="several files"):
        output_files(tmp_path, [tmp_path / "a.npz", tmp_path / "a.bvh"], tmp_path / "out", {})


def test_help_and_unknown_key(capsys):
    assert run(capsys, "--help")[1].startswith("usage: python -m skeleton2stage.motion.convert")
    with pytest.raises(UserError, match="unknown key 'sorce'"):
        main(["sorce=x", "out=y"])
    with pytest.raises(UserError, match="unknown motion format 'smpk'"):
        main(["source=x", "out=y", "format=smpk"])
    with pytest.raises(UserError, match="workers"):
        main(["source=x", "out=y", "workers=0"])


def given(*arguments):
    return to_dataclass(load_config("convert", list(arguments)), ConvertConfig)


def test_limits_of_the_command_line_default_to_those_of_the_code():
    assert given("source=x", "out=y").limits() == CheckLimits()
    assert given("source=x", "out=y", "floor_m=0.1").limits() == CheckLimits(floor_m=0.1)
