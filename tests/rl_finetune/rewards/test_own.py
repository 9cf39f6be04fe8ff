"""Rewards outside the package, found by what a reward file says."""

import sys

import pytest
import torch

from rl_finetune.rewards.reward import RewardContext, make_reward
from rl_finetune.rewards.reward_file import read_reward_file
from skeleton2stage.config import load_config
from skeleton2stage.errors import UserError

REGISTERED = """
from rl_finetune.rewards import Reward, register
{imports}
@register("{name}")
class Own(Reward):
    def __call__(self, dances):
        return dances.translation[..., 2] * {factor}
"""
DOTTED = """
from rl_finetune.rewards import Reward
class Own(Reward):
    def __call__(self, dances):
        return dances.translation[:, 0, 2]
class Other: ...
"""


@pytest.fixture(autouse=True)
def same_modules_afterwards():
    before, path = set(sys.modules), list(sys.path)
    yield
    assert sys.path == path
    for name in set(sys.modules) - before:
        if name.startswith(("own_", "reward_file_module_")):
            del sys.modules[name]


@pytest.fixture()
def read(tmp_path):
    """Return a function that writes modules and a reward file into one folder and reads the latter."""

    def write_and_read(text, **modules):
        for name, source in modules.items():
            (tmp_path / f"{name}.py").write_text(source)
        (tmp_path / "reward.yaml").write_text(text)
        return read_reward_file(tmp_path / "reward.yaml")

    return write_and_read


def values(name, dances):
    return make_reward(name, RewardContext(scorer=None))(dances)


@pytest.mark.parametrize("module", ["own_a.py", "own_a", "./own_a.py"])
def test_a_module_beside_the_reward_file(read, lively, module):
    source = REGISTERED.format(imports="", name="test_own_a", factor=2.0)
    file = read(f"module: {module}\ntest_own_a: 0.5\n", own_a=source)
    assert file.modules == (module,) and [s.name for s in file.settings] == ["test_own_a"]
    torch.testing.assert_close(values("test_own_a", lively), 2.0 * lively.translation[..., 2])


def test_several_modules_of_which_one_imports_its_neighbour(read, lively):
    first = REGISTERED.format(imports="from own_constants import FACTOR", name="test_own_b", factor="FACTOR")
    second = REGISTERED.format(imports="", name="test_own_c", factor=5.0)
    text = "module: [own_b.py, own_c.py]\nrewards: {test_own_b: 1, test_own_c: 1}\n"
    read(text, own_b=first, own_c=second, own_constants="FACTOR = 3.0")
    torch.testing.assert_close(values("test_own_b", lively), 3.0 * lively.translation[..., 2])
    torch.testing.assert_close(values("test_own_c", lively), 5.0 * lively.translation[..., 2])


def test_a_file_may_be_changed_and_read_again(read, lively):
    for factor in (1.0, 7.0):
        read("module: own_d.py\ntest_own_d: 1\n", own_d=REGISTERED.format(imports="", name="test_own_d", factor=factor))
        torch.testing.assert_close(values("test_own_d", lively), factor * lively.translation[..., 2])


def test_a_class_by_its_dotted_path(read, lively):
    read("rewards:\n - {name: own_e.Own, enabled: true, weight: 1}\n", own_e=DOTTED)
    torch.testing.assert_close(values("own_e.Own", lively), lively.translation[:, 0, 2])
    assert load_config("finetune", ["reward_weights={own_e.Own: 0.3}"])["reward_weights"] == {"own_e.Own": 0.3}


def test_a_file_named_as_a_library_does_not_stand_in_for_it(read):
    read("module: torch.py\ntest_own_f: 1\n", torch=REGISTERED.format(imports="", name="test_own_f", factor=1.0))
    assert sys.modules["torch"] is torch


@pytest.mark.parametrize(("text", "module", "complaint"), [
    ("module: nowhere.py\nbeat: 1\n", None, r"no module file at .*nowhere.py: the path is relative"),
    ("module: own_nowhere\nbeat: 1\n", None,
     "cannot import module 'own_nowhere': ModuleNotFoundError: No module named 'own_nowhere'"),
    ("module: own_g.py\nbeat: 1\n", "import torch\nraise ValueError('first\\nsecond')\n",
     "cannot import module 'own_g.py': ValueError: first$"),
    ("module: own_g.py\nbeat: 1\n", "def :\n", "cannot import module 'own_g.py': SyntaxError: invalid syntax"),
    ("module: own_g.py\nbeat: 1\n", "assert False\n", "cannot import module 'own_g.py': AssertionError"),
    ("own_nowhere.Own: 1\n", None, "cannot import module 'own_nowhere': ModuleNotFoundError"),
    ("own_g.Missing: 1\n", DOTTED, "module 'own_g' has no class 'Missing' that is a subclass of rl_finetune"),
    ("own_g.Other: 1\n", DOTTED, "module 'own_g' has no class 'Other' that is a subclass of rl_finetune"),
    ("module: own_g.py\nbeat: 1\n", REGISTERED.format(imports="", name="beat", factor=1.0),
     "'beat' is the name of a reward of this project: register yours by another"),
])
def test_what_cannot_be_imported_is_told_in_one_sentence(read, text, module, complaint):
    with pytest.raises(UserError, match=complaint) as error:
        read(text, **({"own_g": module} if module else {}))
    assert str(error.value).count("reward.yaml") == 1 and "\n" not in str(error.value)
