import importlib.util
import socket
import sys
from pathlib import Path

import numpy as np
import pytest

from lively_motion import lively_motion
from skeleton2stage.body.body_choice import BodyChoice
from skeleton2stage.errors import UserError
from skeleton2stage.motion.formats.write_motion import write_motion
from skeleton2stage.music.audio import write_wav
from skeleton2stage.view import __main__ as program
from skeleton2stage.view import judged_dances


@pytest.fixture
def dances(tmp_path):
    for name in ("base/one", "base/two", "tuned/one", "tuned/two"):
        write_motion(tmp_path / f"{name}.pkl", lively_motion(6))
    return tmp_path


def config_of(*arguments):
    return program.to_dataclass(program.load_config("view", list(arguments)), program.ViewConfig)


def prepared(config):
    """The dances that are shown first."""
    jobs = program.plan_jobs(config.motions, Path("view"), config.labels, config.music)
    return program.prepared(program.chosen(jobs, config.name), config)


def test_help_explains_every_key(capsys):
    program.main(["--help"])
    said = capsys.readouterr().out
    assert all(f"\n{key}=" in said for key in program.ViewConfig.__dataclass_fields__)


def test_it_listens_on_this_machine_alone_unless_told_otherwise():
    assert config_of("motions=x").host == "127.0.0.1"


def test_two_folders_show_files_of_one_name_and_name_chooses(dances, capsys):
    motions = f"motions=[{dances / 'base'},{dances / 'tuned'}]"
    dancers, song = prepared(config_of(motions, "perform=false", "shape=sticks", "name=two"))
    assert [dancer.label for dancer in dancers] == ["base", "tuned"] and song is None
    assert "showing two; name=… or the page shows another of one\n" in capsys.readouterr().out
    with pytest.raises(UserError, match="no motion is named three: there are one, two"):
        prepared(config_of(motions, "perform=false", "name=three"))


def shown(motions, *arguments):
    """What is prepared of motions as sticks that nobody performs."""
    return prepared(config_of(f"motions={motions}", "perform=false", "shape=sticks", *arguments))


def test_of_a_folder_of_a_hundred_some_are_named(tmp_path, capsys):
    for number in range(100):
        write_motion(tmp_path / f"dance_{number:03d}.pkl", lively_motion(2))
    shown(tmp_path)
    said = capsys.readouterr().out
    assert said.strip() == "showing dance_000; name=… or the page shows another of " + ", ".join(
        f"dance_{number:03d}" for number in range(1, 7)) + " and 93 more"
    with pytest.raises(UserError, match=r"named dance_0099: there are 100, dance_099 and .* among them") as error:
        shown(tmp_path, "name=dance_0099")
    assert len(str(error.value)) < 100


class Page:
    """What a viewer is told to show and to say."""

    def __init__(self, *wanted):
        self.wanted, self.shown, self.told, self.kept = [*wanted, None], [], [], []
        self.address, self.closed = "http://x", False

    def __call__(self, host, port, fps, names):
        self.names = names
        return self

    def show(self, dancers, soundtrack, layout=None, name=""):
        self.shown.append((name, len(dancers[0])))

    def run(self):
        return self.wanted.pop(0)

    def tell(self, title, sentence=""):
        self.told.append((title, sentence))

    def keep(self, name):
        self.kept.append(name)

    def close(self):
        self.closed = True


def test_others_of_a_folder_are_shown_when_the_page_asks_and_a_bad_one_changes_nothing(tmp_path, monkeypatch, capsys):
    for number in range(1, 4):
        write_motion(tmp_path / f"dance_{number}.pkl", lively_motion(number))
    (tmp_path / "dance_2.pkl").write_bytes(b"\x80\x04 and no more")
    page = Page("dance_3", "dance_2", "dance_1")
    monkeypatch.setattr(program, "_viewer_class", lambda: page)
    monkeypatch.setattr(program, "_check_port", lambda host, port: None)
    program.main([f"motions={tmp_path}", "perform=false", "shape=sticks"])
    assert page.names == ["dance_1", "dance_2", "dance_3"] and page.closed
    assert page.shown == [("dance_1", 1), ("dance_3", 3), ("dance_1", 1)] and page.kept == ["dance_3"]
    assert [title for title, _ in page.told] == [
        "preparing dance_3", "preparing dance_2", "dance_2 cannot be shown", "preparing dance_1"]
    assert "not shown: " in capsys.readouterr().err and "dance_2.pkl" in page.told[2][1]


def test_what_is_cut_is_told(dances, capsys):
    write_motion(dances / "long.pkl", lively_motion(9))
    shown(f"[{dances / 'long.pkl'},{dances / 'base' / 'one.pkl'}]", "seconds=0.2")
    assert capsys.readouterr().out.strip() == "the first 0.2 s are shown of long: seconds=… shows more"
    shown(dances / "long.pkl", "seconds=0.3")
    assert capsys.readouterr().out == ""


def test_a_song_of_any_of_the_dances_is_played_and_whose_it_is_told(dances, capsys):
    songs = dances / "songs"
    write_wav(songs / "two.wav", np.zeros(22050, np.float32), 22050)
    both = f"[{dances / 'base' / 'one.pkl'},{dances / 'base' / 'two.pkl'}]"
    assert shown(both, f"music={songs}")[1].path == songs / "two.wav"
    assert capsys.readouterr().out.strip() == "all are shown to two.wav, the song of another than one"
    shown(both, f"music={songs / 'two.wav'}")
    assert capsys.readouterr().out == ""
    assert shown(dances / "base", f"music={songs}")[1] is None
    assert f"no song named one in {songs}: shown without sound" in capsys.readouterr().out


@pytest.mark.parametrize(("content", "setting", "said"), [
    (None, "music_start_s=0", "song.wav does not exist"),
    (b"", "music_start_s=0", r"cannot read .*song\.wav as audio"),
    (b"RIFF and no more", "music_start_s=0", r"cannot read .*song\.wav as audio"),
    (b"whole", "music_start_s=9", r"song\.wav lasts 1\.0 s, and music_start_s=9 is after its end"),
])
def test_a_song_that_cannot_be_played_is_told_before_anything_is_prepared(dances, monkeypatch, content, setting, said):
    monkeypatch.setattr(program, "make_figure", None)
    song = dances / "song.wav"
    if content == b"whole":
        write_wav(song, np.zeros(22050, np.float32), 22050)
    elif content is not None:
        song.write_bytes(content)
    with pytest.raises(UserError, match=said):
        shown(dances / "base" / "one.pkl", f"music={song}", setting)


def test_a_song_that_is_over_first_is_told(dances, capsys):
    write_wav(dances / "song.wav", np.zeros(22050, np.float32), 22050)
    write_motion(dances / "long.pkl", lively_motion(60))
    shown(dances / "long.pkl", f"music={dances / 'song.wav'}")
    assert capsys.readouterr().out.strip() == "song.wav ends after 1.0 s of the dance's 2.0: the rest is silent"


def test_performances_are_shown_as_hulls_with_scores(dances, monkeypatch):
    def judged(labels, motions, policy, body):
        return [np.ones(len(motion)) for motion in motions], motions

    monkeypatch.setattr(program, "judged", judged)
    config = config_of(f"motions={dances / 'base' / 'one.pkl'}", "shape=sticks", "seconds=0.1")
    danced, performed = prepared(config)[0]
    assert [danced.label, performed.label] == ["one", "one, performed"]
    assert len(danced) == 3 and danced.score.tolist() == [1, 1, 1] and performed.score is None


def test_each_dancer_has_the_body_of_their_own_shape(dances, monkeypatch):
    made = []
    monkeypatch.setattr(BodyChoice, "of", lambda choice, motion: (choice.gender, choice.betas, len(motion)))
    monkeypatch.setattr(program, "make_figure", lambda shape, body: made.append((shape, body)))
    monkeypatch.setattr(program, "make_dancer", lambda label, *rest: label)
    monkeypatch.setattr(program, "judged", lambda labels, motions, *rest: ([None] * len(motions), motions))
    own = ("body=smpl", "gender=male", "betas=from_motion")
    dancers, _ = prepared(config_of(f"motions={dances / 'base' / 'one.pkl'}", *own))
    assert dancers == ["one", "one, performed"]
    assert made == [("mesh", ("male", "from_motion", 6)), ("hulls", ("male", "from_motion", 6))]


def test_a_motion_of_one_frame_is_shown_without_a_score(capsys, monkeypatch):
    monkeypatch.setattr(judged_dances, "make_scorer", None)  # nobody is asked
    assert judged_dances.judged(["still"], [lively_motion(1)], None, "open") == ([None], [None])
    assert capsys.readouterr().err.startswith("still is shown without a score: ")


def test_the_reward_of_every_frame_is_the_scorers(dances):
    config = config_of("motions=x")
    motions = [lively_motion(5), lively_motion(1)]
    scores, performances = judged_dances.judged(["five", "one"], motions, config.policy, "open")
    assert scores[0].shape == (5,) and (scores[0] <= 1).all() and scores[1] is None
    assert len(performances[0]) == 5 and performances[1] is None


def test_a_missing_viser_is_a_sentence(dances, monkeypatch):
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "viser" else find(name))
    with pytest.raises(UserError, match=r"needs viser, which is not installed: pip install 'viser"):
        program.main([f"motions={dances / 'base'}"])


def test_a_viser_that_does_not_fit_is_a_sentence(dances, tmp_path, monkeypatch):
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "viser.py").write_text("from websockets import nothing_of_this_name")
    monkeypatch.syspath_prepend(str(tmp_path / "lib"))
    for name in [name for name in sys.modules if name.split(".")[0] == "viser" or name.endswith("view.viewer")]:
        monkeypatch.delitem(sys.modules, name)
    with pytest.raises(UserError, match=r"viser cannot be loaded \(.*\): pip install --force-reinstall 'viser"):
        program.main([f"motions={dances / 'base'}"])


def test_a_port_in_use_is_a_sentence_before_anything_is_prepared(monkeypatch):
    pytest.importorskip("viser")
    monkeypatch.setattr(program, "prepared", None)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(UserError, match=f"cannot listen on 127.0.0.1, port {port}: .*give another port"):
            program.main(["motions=x", f"port={port}"])
