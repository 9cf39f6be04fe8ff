"""Files of several people converted, the forms that are written, and the line that says what a file was taken for."""

import json
import pickle

import numpy as np
import pytest
from motion_samples import WRITERS, dancing_motion, turned, write_amass
from scipy.spatial.transform import Rotation

from skeleton2stage.errors import UserError
from skeleton2stage.motion.convert.__main__ import main
from skeleton2stage.motion.formats.read_motion import read_motion, read_motion_file
from skeleton2stage.motion.formats.write_motion import write_amass as write_in_amass_layout
from skeleton2stage.motion.formats.write_motion import write_motion
from skeleton2stage.motion.motion import BodyShape, Motion

Y_UP = Rotation.from_euler("x", -90, degrees=True).as_matrix()


def run(capsys, *arguments):
    status = main(["workers=1", *map(str, arguments)])
    return status, capsys.readouterr().out


def listed(out):
    return {clip["file"]: clip for clip in json.loads((out / "library.json").read_text())["clips"]}


def write_people(path, *names, n_frames=180):
    poses, translation = turned(dancing_motion(n_frames), Y_UP)
    person = {"pose_world": poses, "trans_world": translation, "betas": np.ones((n_frames, 10))}
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(pickle.dumps(dict.fromkeys(names, person)))


def test_each_person_of_a_file_becomes_a_motion(tmp_path, capsys):
    write_people(tmp_path / "in" / "wham_output.pkl", 0, 4)
    arguments = [f"source={tmp_path / 'in'}", f"out={tmp_path / 'out'}"]
    status, said = run(capsys, *arguments)
    assert status == 0 and "2 of 2 files converted" in said
    assert "wham_output.pkl (0): wham, 30 fps, y up" in said and "wham_output.pkl (4): wham" in said
    clips = listed(tmp_path / "out")
    assert {file: clip["label"] for file, clip in clips.items()} == {"wham_output_0.pkl": "0", "wham_output_4.pkl": "4"}
    motion = read_motion(tmp_path / "out" / "wham_output_4.pkl")
    assert motion.shape == BodyShape((1.0,) * 10, "neutral", "smpl")
    assert "1 of 1 files are in" in run(capsys, *arguments)[1]  # nothing is done again
    write_people(tmp_path / "in" / "wham_output.pkl", 0)  # tracked anew: there is one person after all
    assert "1 of 1 files converted" in run(capsys, *arguments)[1]
    assert set(listed(tmp_path / "out")) == {"wham_output.pkl"}
    assert [path.name for path in (tmp_path / "out").glob("*.pkl")] == ["wham_output.pkl"]


def test_one_persons_fault_is_not_the_others(tmp_path, capsys):
    write_people(tmp_path / "in" / "a.pkl", "one", "two")
    content = pickle.loads((tmp_path / "in" / "a.pkl").read_bytes())
    content["two"] = content["two"] | {"pose_world": content["two"]["pose_world"] + 3.0 * (np.arange(180) % 2)[:, None]}
    (tmp_path / "in" / "a.pkl").write_bytes(pickle.dumps(content))
    said = run(capsys, f"source={tmp_path / 'in'}", f"out={tmp_path / 'out'}")[1]
    assert "1 of 2 files converted" in said and "  a_two.pkl: " in said
    assert [path.name for path in (tmp_path / "out").glob("*.pkl")] == ["a_one.pkl"]


def test_a_persons_file_does_not_replace_anothers(tmp_path, capsys):
    write_people(tmp_path / "in" / "a.pkl", "b", "c")
    WRITERS["written"](tmp_path / "in" / "a_b.pkl", dancing_motion(200))
    status, said = run(capsys, f"source={tmp_path / 'in'}", f"out={tmp_path / 'out'}")
    assert status == 1 and "2 of 2 files converted" in said
    assert "a.pkl (b): not converted: a_b.pkl is another's: rename a.pkl" in said
    assert len(read_motion(tmp_path / "out" / "a_b.pkl")) == 200


@pytest.mark.parametrize("form", ["npz", "bvh"])
def test_other_forms_are_written_and_read_back(tmp_path, capsys, form):
    motion = dancing_motion()
    WRITERS["written"](tmp_path / "in" / "a.pkl", motion)
    status, said = run(capsys, f"source={tmp_path / 'in'}", f"out={tmp_path / 'out'}", f"write={form}")
    assert status == 0 and set(listed(tmp_path / "out")) == {f"a.{form}"}
    np.testing.assert_allclose(read_motion(tmp_path / "out" / f"a.{form}").joints(), motion.joints(), atol=2e-4)
    with pytest.raises(UserError, match=f"is a library of {form} files: give another out= for write=pkl"):
        run(capsys, f"source={tmp_path / 'in'}", f"out={tmp_path / 'out'}")


def test_amass_layout_as_amass_has_it(tmp_path):
    shape = BodyShape((0.5, -1.0), "female", "smplh")
    motion = Motion(dancing_motion(30).poses, dancing_motion(30).translation, shape=shape)
    write_in_amass_layout(tmp_path / "a.npz", motion)
    with np.load(tmp_path / "a.npz") as file:
        assert {key: file[key].shape for key in file} == {
            "poses": (30, 156), "trans": (30, 3), "betas": (16,), "dmpls": (30, 8), "gender": (), "mocap_framerate": (),
            "surface_model_type": (),
        }
        np.testing.assert_array_equal(file["poses"][:, :66], motion.poses[:, :22].reshape(30, 66))
        assert (file["poses"][:, 66:] == 0).all() and str(file["gender"]) == "female"
        assert float(file["mocap_framerate"]) == 30
    assert read_motion(tmp_path / "a.npz").shape == BodyShape((0.5, -1.0, *[0.0] * 14), "female", "smplh")


def test_shape_and_gender_stay_with_the_written_form(tmp_path):
    shape = BodyShape((0.5, -1.0), "male", "smplx")
    write_motion(tmp_path / "a.pkl", Motion(dancing_motion(9).poses, dancing_motion(9).translation, shape=shape))
    assert read_motion(tmp_path / "a.pkl").shape == shape
    write_motion(tmp_path / "b.pkl", dancing_motion(9))
    assert read_motion(tmp_path / "b.pkl").shape is None


def test_clips_notes_serve_every_format(tmp_path, capsys):
    (tmp_path / "in").mkdir()
    fast = dancing_motion(360, fps=60)
    write_amass(tmp_path / "in" / "62_11_stageii.npz", fast, 165, "mocap_frame_rate", 120)  # and it was 60
    poses, translation = turned(dancing_motion(), Y_UP)
    np.savez(tmp_path / "in" / "b.npz", poses=poses, trans=translation)
    notes = {"fps": {"62_11_stageii": 60, "b": 30}, "up": {"b": "y"}, "keep_s": {"b": [0, 5.5]}}
    (tmp_path / "notes.json").write_text(json.dumps(notes))
    arguments = [f"source={tmp_path / 'in'}", f"out={tmp_path / 'out'}", f"clips={tmp_path / 'notes.json'}"]
    assert "2 of 2" in run(capsys, *arguments)[1]
    clips = listed(tmp_path / "out")
    assert (clips["62_11_stageii.pkl"]["source_fps"], clips["62_11_stageii.pkl"]["seconds"]) == (60, 6.0)
    assert (clips["b.pkl"]["source_fps"], clips["b.pkl"]["frames"]) == (30, 165)
    for wrong in ({"up": {"b": "x"}}, {"up": ["b"]}):
        (tmp_path / "notes.json").write_text(json.dumps(wrong))
        with pytest.raises(UserError, match=r"notes\.json"):
            run(capsys, *arguments)


def test_the_line_says_what_it_was_taken_for_and_how_sure_that_is(tmp_path, capsys):
    write_people(tmp_path / "in" / "a.pkl", 0)
    said = run(capsys, f"source={tmp_path / 'in'}", f"out={tmp_path / 'out'}")[1].splitlines()[0]
    for words in (
        "a.pkl: wham, 30 fps, y up, 180 frames -> 180 frames (6.0 s); the video's rate is not in it: 30 fps assumed",
        "; up: head over feet in 100 % of frames; scale: ", "; rate: falls at ", "; floor: lowest skin at ",
        "; left and right: toes and knees point forwards in 100 % of frames",
    ):
        assert words in said, words


def test_music_features_beside_motions_neither_rename_nor_count(tmp_path, capsys):
    for folder in ("motions", "baseline_feats"):
        (tmp_path / "train" / folder).mkdir(parents=True)
    WRITERS["written"](tmp_path / "train" / "motions" / "song.pkl", dancing_motion())
    np.save(tmp_path / "train" / "baseline_feats" / "song.npy", np.zeros((150, 35)))
    assert "1 of 1 files converted" in run(capsys, f"source={tmp_path / 'train'}", f"out={tmp_path / 'out'}")[1]
    assert set(listed(tmp_path / "out")) == {"motions/song.pkl"}
    with pytest.raises(UserError, match="holds no motion but arrays of other things, such as song.npy"):
        run(capsys, f"source={tmp_path / 'train' / 'baseline_feats'}", f"out={tmp_path / 'two'}")


def test_reading_one_motion_of_a_file_keeps_what_is_known_of_it(tmp_path):
    write_people(tmp_path / "in" / "a.pkl", 3)
    found = read_motion_file(tmp_path / "in" / "a.pkl")
    assert found.label == "" and found.motion.shape.betas == (1.0,) * 10
