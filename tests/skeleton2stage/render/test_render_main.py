import re
import subprocess
import sys
from contextlib import nullcontext

import imageio_ffmpeg
import numpy as np
import pytest
from PIL import Image

from lively_motion import lively_motion
from skeleton2stage.errors import UserError
from skeleton2stage.files import write_pickle
from skeleton2stage.motion.formats.write_motion import write_motion
from skeleton2stage.music.audio import write_wav
from skeleton2stage.render import __main__ as program
from skeleton2stage.render.look import GROUNDS, Look
from skeleton2stage.settings import part_of


@pytest.fixture
def dance(standing, tmp_path):
    path = tmp_path / "dance.pkl"
    content = {"smpl_poses": standing.poses.reshape(-1, 72), "smpl_trans": standing.translation}
    write_pickle(path, content | {"full_pose": standing.joints().astype(np.float32)})
    return path


def test_help_explains_every_key(capsys):
    program.main(["--help"])
    said = capsys.readouterr().out
    for key in program.RenderConfig.__dataclass_fields__:
        assert f"\n{key}=" in said
    assert all(ground in said for ground in GROUNDS)


def test_what_is_typed_is_how_pictures_look():
    arguments = ["motions=a", "out=b", "turn_deg=90", "elevation_deg=-45", "width=64"]
    config = program.to_dataclass(program.load_config("render", arguments), program.RenderConfig)
    assert (config.turn_rad, config.elevation_rad) == pytest.approx((np.pi / 2, -np.pi / 4))
    assert part_of(config, Look) == Look(turn_deg=90, elevation_deg=-45, width=64)


def test_a_motion_file_becomes_a_video_with_its_sheet(drawing, capsule_body, dance, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(program, "make_figure", lambda shape, body: capsule_body)
    program.main([f"motions={dance}", f"out={tmp_path / 'out'}", "width=64", "height=64", "samples=0", "seconds=0.2"])
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"dance.mp4", "dance.png"}
    assert "wrote" in capsys.readouterr().out


def test_a_missing_song_is_said_before_any_drawing(dance, tmp_path):
    with pytest.raises(UserError, match=r"none\.wav does not exist"):
        program.main([f"motions={dance}", f"out={tmp_path / 'x.mp4'}", f"music={tmp_path / 'none.wav'}"])


def test_bad_input_is_one_sentence_and_exit_2(tmp_path):
    command = [sys.executable, "-m", "skeleton2stage.render", f"motions={tmp_path / 'no.pkl'}", "out=x.mp4"]
    result = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert result.returncode == 2
    assert result.stderr.strip() == f"error: {tmp_path / 'no.pkl'} does not exist"


def test_performances_stand_beside_their_motions(drawing, capsule_body, dance, tmp_path, monkeypatch):
    monkeypatch.setattr(program, "make_figure", lambda shape, body: capsule_body)
    monkeypatch.setattr(program, "make_performer", lambda policy, body: lambda motions: motions)
    arguments = [f"motions=[{dance},{dance}]", f"out={tmp_path / 'x.png'}", "width=64", "height=64", "samples=0"]
    program.main([*arguments, "seconds=0.2", "perform=true", "sheet_pictures=1", "labels=[a,b]"])
    assert Image.open(tmp_path / "x.png").size == (128, 128)  # four panels, two by two


@pytest.mark.parametrize(("settings", "said"), [
    (["perform=true"], "3 motions and their performances are 6 panels: at most 4 fit"),
    (["marks=[penetration]", "shapes=[sticks]"], "penetration is marked on the body's skin, and shapes are sticks"),
    (["shapes=[mesh,hulls]"], "'shapes' has 2 names for 3 panels"),
    (["shapes=[cubes]"], "unknown shape 'cubes': choose one of hulls, mesh, sticks"),
    (["marks=[feet]"], "unknown mark 'feet': choose one of contacts, penetration"),
    (["resolution=8k"], "unknown resolution '8k': choose one of 1080p, 1440p, 2160p, 720p"),
])
def test_what_cannot_be_drawn_is_said_before_any_drawing(dance, tmp_path, monkeypatch, settings, said):
    monkeypatch.setattr(program, "make_performer", lambda policy, body: None)
    with pytest.raises(UserError, match=said):
        program.main([f"motions=[{dance},{dance},{dance}]", f"out={tmp_path / 'x.mp4'}", *settings])


SMALL = ("width=64", "height=64", "samples=0", "shadows=false", "shapes=[sticks]", "seconds=0.1")


def test_what_is_bad_in_a_folder_is_left_out_and_the_others_are_made(drawing, tmp_path, capsys):
    for name in ("a", "b", "c", "d"):
        write_motion(tmp_path / "dances" / f"{name}.pkl", lively_motion(4))
    (tmp_path / "dances" / "b.pkl").write_bytes(b"\x80\x04 and no more")
    (tmp_path / "songs").mkdir()
    (tmp_path / "songs" / "c.wav").write_bytes(b"RIFF")
    arguments = [f"motions={tmp_path / 'dances'}", f"out={tmp_path / 'out'}", f"music={tmp_path / 'songs'}", *SMALL]
    assert program.main([*arguments, "sheet_pictures=0"]) == program.EXIT_BAD_FILES
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"a.mp4", "d.mp4"}
    left_out = [line for line in capsys.readouterr().err.splitlines() if line.startswith("left out: ")]
    assert len(left_out) == 2 and "b.pkl" in left_out[0] and "c.wav" in left_out[1]


def test_where_nothing_can_be_made_it_is_an_error(tmp_path, monkeypatch):
    for name in ("a", "b"):
        write_motion(tmp_path / "dances" / f"{name}.pkl", lively_motion(1))
    monkeypatch.setattr(program, "make_performer", lambda policy, body: None)
    monkeypatch.setattr(program, "Renderer", lambda figures, look: nullcontext())
    both, one = tmp_path / "dances", tmp_path / "dances" / "a.pkl"
    with pytest.raises(UserError, match="none of 2 videos can be made: the lines above say why"):
        program.main([f"motions={both}", f"out={tmp_path / 'out'}", "perform=true", *SMALL])
    with pytest.raises(UserError, match=r"a\.pkl: the physical verdict needs a motion of at least 2 frames, not 1"):
        program.main([f"motions={one}", f"out={tmp_path / 'x.mp4'}", "perform=true", *SMALL])


def test_a_motion_of_one_frame_is_a_video_of_one_picture(drawing, tmp_path):
    write_motion(tmp_path / "one.pkl", lively_motion(1))
    assert program.main([f"motions={tmp_path / 'one.pkl'}", f"out={tmp_path / 'one.mp4'}", *SMALL]) == 0
    assert (tmp_path / "one.mp4").stat().st_size > 0 and Image.open(tmp_path / "one.png").size == (64, 64)


@pytest.mark.parametrize(("start_s", "said"), [
    ("0", r"song\.wav ends after 1\.0 s of the dance's 2\.0: the rest is silent"),
    ("5", r"song\.wav lasts 1\.0 s, and music_start_s=5 is after its end"),
])
def test_a_song_of_another_length_is_told_before_drawing(tmp_path, monkeypatch, capsys, start_s, said):
    write_motion(tmp_path / "dance.pkl", lively_motion(60))
    write_wav(tmp_path / "song.wav", np.zeros(22050, np.float32), 22050)
    monkeypatch.setattr(program, "Renderer", lambda figures, look: nullcontext())
    monkeypatch.setattr(program, "_render", lambda *_: None)
    arguments = [f"motions={tmp_path / 'dance.pkl'}", f"out={tmp_path / 'x.mp4'}", f"music={tmp_path / 'song.wav'}"]
    try:
        program.main([*arguments, f"music_start_s={start_s}", "shapes=[sticks]"])
        told = capsys.readouterr().err
    except UserError as error:
        told = str(error)
    assert re.search(said, told)


def test_a_missing_ffmpeg_is_a_sentence_before_drawing_and_stops_no_picture(drawing, dance, tmp_path, monkeypatch):
    monkeypatch.setattr(imageio_ffmpeg, "get_ffmpeg_exe", lambda: str(tmp_path / "none"))
    with pytest.raises(UserError, match=r"none cannot be run as ffmpeg: pip install .*; \.gif, \.webp and \.png are"):
        program.main([f"motions={dance}", f"out={tmp_path / 'x.mp4'}", *SMALL])
    assert program.main([f"motions={dance}", f"out={tmp_path / 'x.webp'}", *SMALL]) == 0
    assert {path.name for path in tmp_path.glob("x.*")} == {"x.webp", "x.png"}


def test_a_sheet_without_pictures_is_a_sentence(dance, tmp_path):
    with pytest.raises(UserError, match=r"x\.png would hold no picture: give sheet_pictures above 0, stills"):
        program.main([f"motions={dance}", f"out={tmp_path / 'x.png'}", "sheet_pictures=0", *SMALL])
