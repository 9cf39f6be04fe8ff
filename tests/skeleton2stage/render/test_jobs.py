import pytest

from skeleton2stage.errors import UserError
from skeleton2stage.render.jobs import distinct_names, plan_jobs


@pytest.fixture
def folders(tmp_path):
    """Two folders of dances that share `one` and `two`, and one of songs that has `one`."""
    for name in ("base/one.pkl", "base/two.pkl", "base/notes.txt", "tuned/one.pkl", "tuned/two.pkl",
                 "tuned/three.pkl", "songs/one.ogg", "empty/x.txt"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.touch()
    return tmp_path


def test_one_file_goes_to_the_named_mp4(folders):
    (job,) = plan_jobs((folders / "base/one.pkl",), folders / "x.mp4", (), None)
    assert (job.motions, job.labels, job.music, job.out) == (
        (folders / "base/one.pkl",), ("",), None, folders / "x.mp4"
    )


def test_a_folder_makes_a_video_a_motion_with_songs_by_name(folders):
    jobs = plan_jobs((folders / "base",), folders / "out", (), folders / "songs")
    assert [job.out for job in jobs] == [folders / "out/one.mp4", folders / "out/two.mp4"]
    assert [job.music for job in jobs] == [folders / "songs/one.ogg", None]


def test_two_folders_pair_files_of_one_name(folders):
    jobs = plan_jobs((folders / "base", folders / "tuned"), folders / "out", (), None)
    assert [[path.stem for path in job.motions] for job in jobs] == [["one", "one"], ["two", "two"]]
    assert jobs[0].labels == ("base", "tuned")


def test_captions_are_what_tells_the_files_apart(folders):
    same = plan_jobs((folders / "base/one.pkl", folders / "tuned/one.pkl"), folders / "x.mp4", (), None)
    assert same[0].labels == ("base", "tuned")
    other = plan_jobs((folders / "base/one.pkl", folders / "base/two.pkl"), folders / "x.mp4", (), None)
    assert other[0].labels == ("one", "two")
    given = plan_jobs((folders / "base/one.pkl", folders / "base/two.pkl"), folders / "x.mp4", ("a", "b"), None)
    assert given[0].labels == ("a", "b")


@pytest.mark.parametrize(("paths", "names"), [
    (["a/x.pkl", "a/y.pkl"], ("x", "y")), (["a/x.pkl", "b/x.pkl"], ("a", "b")),
    (["p/dances/x.pkl", "q/dances/x.pkl"], ("p", "q")), (["a/x.pkl", "a/x.npz"], ("x.pkl", "x.npz")),
    (["a/x.pkl", "a/y.pkl", "b/x.pkl"], ("a/x.pkl", "a/y.pkl", "b/x.pkl")), (["a/x.pkl"] * 2, ("x (1)", "x (2)")),
    (["p/dances", "q/dances"], ("p", "q")), (["x.pkl", "deep/down/x.pkl"], ("ROOT", "down")),
])
def test_names_tell_any_paths_apart(tmp_path, paths, names):
    named = distinct_names(tuple(tmp_path / path for path in paths))
    assert named == tuple(name.replace("ROOT", tmp_path.name) for name in names)


def test_the_song_of_any_motion_of_a_row_is_the_rows(folders):
    (job,) = plan_jobs((folders / "base/two.pkl", folders / "tuned/one.pkl"), folders / "x.mp4", (), folders / "songs")
    assert job.music == folders / "songs/one.ogg"


@pytest.mark.parametrize(("motions", "out", "labels", "music", "said"), [
    (["base/none.pkl"], "x.mp4", (), None, "none.pkl does not exist"),
    (["empty"], "out", (), None, "empty holds no motion files"),
    (["base"], "x.mp4", (), None, "there are 2 videos to write: name a folder"),
    (["base", "tuned/one.pkl"], "out", (), None, "mixes files and folders"),
    (["base/one.pkl"], "x.mp4", ("a", "b"), None, "2 captions for 1 panels"),
    (["base/two.pkl"], "x.mp4", (), "songs", "no song named as a motion, such as two.wav"),
    (["base/one.pkl"] * 5, "x.mp4", (), None, "1 to 4"),
    ([], "x.mp4", (), None, "1 to 4"),
])
def test_what_makes_no_sense_is_said(folders, motions, out, labels, music, said):
    with pytest.raises(UserError, match=said):
        plan_jobs(tuple(folders / m for m in motions), folders / out, labels, folders / music if music else None)
