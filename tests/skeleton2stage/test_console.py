"""The command `skeleton2stage`."""

import subprocess
import sys

import pytest

from skeleton2stage import console
from skeleton2stage.commands import PROGRAMS, SETTINGS
from skeleton2stage.errors import UserError


def test_every_command_is_listed(capsys):
    assert console.main(["--help"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines if line.startswith("  ")] == list(PROGRAMS)


def test_every_command_with_a_configuration_has_a_name():
    """Whoever names settings adds the command that they are for."""
    modules = {module for module, _ in PROGRAMS.values()}
    renamed = {"pretrain.pretrain_config": "pretrain.train_imitation",
               "pretrain.plausibility_config": "pretrain.plausibility",
               "rl_finetune.finetune_config": "rl_finetune.finetune",
               "dance_model.training.train_edge_config": "dance_model.train_dance_model",
               "skeleton2stage.physics.score.score_config": "skeleton2stage.physics.score",
               "skeleton2stage.motion.convert.convert_config": "skeleton2stage.motion.convert"}
    owners = {place.split(":")[0] for place in SETTINGS.values()}
    assert {renamed.get(owner, owner).removesuffix(".__main__") for owner in owners} <= modules


def test_wrong_names_are_told_the_right_ones():
    with pytest.raises(UserError, match="unknown command 'smaple': choose one of convert, doctor"):
        console.main(["smaple"])
    with pytest.raises(UserError, match="which command"):
        console.main([])


def program(*arguments):
    command = [sys.executable, "-m", "skeleton2stage", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_a_command_gets_its_arguments_and_gives_its_status():
    result = program("doctor", "--help")
    assert (result.returncode, result.stderr) == (0, "") and result.stdout.startswith("usage: ")
    wrong = program("doctor", "now")
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert wrong.stderr == "error: unknown argument 'now': the doctor takes none (see --help)\n"


def test_it_says_which_version_it_is():
    assert program("--version").stdout.startswith("skeleton2stage 0.")
