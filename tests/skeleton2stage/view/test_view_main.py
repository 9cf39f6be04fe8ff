import importlib.util
import socket

import numpy as np
import pytest

from lively_motion import lively_motion
from skeleton2stage.body.body_choice import BodyChoice
from skeleton2stage.errors import UserError
from skeleton2stage.motion.formats.write_motion import write_motion
from skeleton2stage.view import __main__ as program
from skeleton2stage.view import judged_dances


@pytest.fixture
def dances(tmp_path):
    for name in ("base/one", "base/two", "tuned/one", "tuned/two"):
        write_motion(tmp_path / f"{name}.pkl", lively_motion(6))
    return tmp_path


def config_of(*arguments):
    return program.to_dataclass(program.load_config("view", list(arguments)), program.ViewConfig)


def test_help_explains_every_key(capsys):
    program.main(["--help"])
    said = capsys.readouterr().out
    assert all(f"\n{key}=" in said for key in program.ViewConfig.__dataclass_fields__)


def test_it_listens_on_this_machine_alone_unless_told_otherwise():
    assert config_of("motions=x").host == "127.0.0.1"


def test_two_folders_show_files_of_one_name_and_name_chooses(dances, capsys):
    motions = f"motions=[{dances / 'base'},{dances / 'tuned'}]"
    shown, song = program.prepared(config_of(motions, "perform=false", "shape=sticks", "name=two"))
    assert [dancer.label for dancer in shown] == ["base", "tuned"] and song is None
    assert "showing two; name=… shows another of one, two" in capsys.readouterr().out
    with pytest.raises(UserError, match="no motion is named three: there are one, two"):
        program.prepared(config_of(motions, "perform=false", "name=three"))


def test_performances_are_shown_as_hulls_with_scores(dances, monkeypatch):
    def judged(motions, policy, body):
        return [np.ones(len(motion)) for motion in motions], motions

    monkeypatch.setattr(program, "judged", judged)
    shown, _ = program.prepared(config_of(f"motions={dances / 'base' / 'one.pkl'}", "shape=sticks", "seconds=0.1"))
    assert [dancer.label for dancer in shown] == ["one", "one, performed"]
    assert len(shown[0]) == 3 and shown[0].score.tolist() == [1, 1, 1] and shown[1].score is None


def test_each_dancer_has_the_body_of_their_own_shape(dances, monkeypatch):
    made = []
    monkeypatch.setattr(BodyChoice, "of", lambda choice, motion: (choice.gender, choice.betas, len(motion)))
    monkeypatch.setattr(program, "make_figure", lambda shape, body: made.append((shape, body)))
    monkeypatch.setattr(program, "make_dancer", lambda label, *rest: label)
    monkeypatch.setattr(program, "judged", lambda motions, policy, body: ([None] * len(motions), motions))
    own = ("body=smpl", "gender=male", "betas=from_motion")
    shown, _ = program.prepared(config_of(f"motions={dances / 'base' / 'one.pkl'}", *own))
    assert shown == ["one", "one, performed"]
    assert made == [("mesh", ("male", "from_motion", 6)), ("hulls", ("male", "from_motion", 6))]


def test_a_motion_of_one_frame_is_shown_without_a_score(capsys, monkeypatch):
    monkeypatch.setattr(judged_dances, "make_scorer", None)  # nobody is asked
    assert judged_dances.judged([lively_motion(1)], None, "open") == ([None], [None])
    assert "shown without a score" in capsys.readouterr().err


def test_the_reward_of_every_frame_is_the_scorers(dances):
    config = config_of("motions=x")
    scores, performances = judged_dances.judged([lively_motion(5), lively_motion(1)], config.policy, "open")
    assert scores[0].shape == (5,) and (scores[0] <= 1).all() and scores[1] is None
    assert len(performances[0]) == 5 and performances[1] is None


def test_a_missing_viser_is_a_sentence(dances, monkeypatch):
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "viser" else find(name))
    with pytest.raises(UserError, match=r"needs viser, which is not installed: pip install 'viser"):
        program.main([f"motions={dances / 'base'}"])


def test_a_port_in_use_is_a_sentence(dances, monkeypatch):
    pytest.importorskip("viser")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(UserError, match=f"cannot listen on 127.0.0.1, port {port}: .*give another port"):
            program.main([f"motions={dances / 'base' / 'one.pkl'}", "perform=false", "shape=sticks", f"port={port}"])
