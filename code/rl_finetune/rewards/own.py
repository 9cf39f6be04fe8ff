"""Rewards that live outside this package: modules that a reward file names, and classes named by a dotted path."""

from pathlib import Path

from rl_finetune.rewards.reward import Reward, known_rewards, register
from skeleton2stage.own_code import import_class, import_module


def import_modules(modules: tuple[str, ...], reward_file: Path) -> None:
    """Import modules, whose decorators make rewards known: files beside the reward file, or names Python finds.

    Names are looked for in the reward file's folder too. Raises UserError with the module's own error in a line.
    """
    for module in modules:
        import_module(module, reward_file.parent, str(reward_file))


def register_dotted(names: list[str], reward_file: Path) -> None:
    """Make rewards known that are named by a dotted path, such as my_package.my_module.MyReward."""
    for name in names:
        if "." in name and name not in known_rewards():
            register(name)(import_class(name, Reward, reward_file.parent, str(reward_file)))
