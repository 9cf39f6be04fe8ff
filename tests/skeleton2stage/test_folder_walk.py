import pytest

from skeleton2stage.errors import UserError
from skeleton2stage.folder_walk import by_unique_stem, files_in, name_ignored, of_kinds


def put(*paths):
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")


def names(folder, **options):
    return [path.relative_to(folder).as_posix() for path in files_in(folder, **options)]


def test_linked_folders_and_files_are_followed(tmp_path):
    disk, here = tmp_path / "disk", tmp_path / "here"
    put(disk / "A/walk.pkl", disk / "A/deep/run.pkl", here / "own.pkl")
    (here / "A").symlink_to(disk / "A")
    (here / "one.pkl").symlink_to(disk / "A/walk.pkl")
    assert names(here) == ["A/deep/run.pkl", "A/walk.pkl", "one.pkl", "own.pkl"]
    assert names(here, below=False) == ["one.pkl", "own.pkl"]


def test_circles_of_links_end(tmp_path):
    put(tmp_path / "a/b/walk.pkl", tmp_path / "c/run.pkl")
    (tmp_path / "a/b/up").symlink_to(tmp_path)
    (tmp_path / "a/self").symlink_to(tmp_path / "a")
    (tmp_path / "a/c").symlink_to(tmp_path / "c")
    (tmp_path / "c/a").symlink_to(tmp_path / "a")
    assert names(tmp_path) == ["a/b/walk.pkl", "c/run.pkl"]


def test_a_folder_that_lies_here_is_not_found_again_by_a_link(tmp_path):
    put(tmp_path / "z/walk.pkl")
    (tmp_path / "a").symlink_to(tmp_path / "z")
    assert names(tmp_path) == ["z/walk.pkl"]


def test_hidden_files_and_folders_are_passed_over(tmp_path):
    put(tmp_path / "song.wav", tmp_path / "._song.wav", tmp_path / ".git/x.pkl", tmp_path / "__MACOSX/song.wav",
        tmp_path / "a/.hidden/y.pkl", tmp_path / "a/.DS_Store")
    assert names(tmp_path) == ["song.wav"]


def test_a_link_that_leads_nowhere_is_left_to_its_reader(tmp_path):
    (tmp_path / "lost.pkl").symlink_to(tmp_path / "nowhere.pkl")
    assert names(tmp_path) == ["lost.pkl"]


def test_kinds_are_told_in_any_case(tmp_path):
    put(tmp_path / "A.WAV", tmp_path / "b.wav", tmp_path / "c.txt")
    assert [path.name for path in of_kinds(files_in(tmp_path), [".wav"])] == ["A.WAV", "b.wav"]


def test_what_looks_like_data_is_named_once_and_companions_are_not(tmp_path, capsys):
    names = ("a.pkl", "a.fbx", "b.FBX", "c.c3d", "a.wav", "notes.txt", "library.json", "README")
    put(*(tmp_path / name for name in names))
    name_ignored(tmp_path, files_in(tmp_path), (".pkl", ".bvh"))
    assert capsys.readouterr().err == f"passed over in {tmp_path}: 1 .c3d, 2 .fbx (read are .pkl, .bvh)\n"
    name_ignored(tmp_path, files_in(tmp_path), (".pkl", ".fbx", ".c3d"))
    assert capsys.readouterr().err == ""


def test_two_of_one_stem_are_an_error_that_names_both(tmp_path):
    with pytest.raises(UserError, match=r"two songs are called a: .*a\.mp3 and .*a\.wav"):
        by_unique_stem([tmp_path / "a.mp3", tmp_path / "b.wav", tmp_path / "sub/a.wav"], "songs")
