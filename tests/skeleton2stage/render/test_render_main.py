import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from skeleton2stage.errors import UserError
from skeleton2stage.files import write_pickle
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
