"""Families of dance models by name, and models from their files, whatever their family.

A checkpoint's json names its family. A name is looked for among this project's own families, then among those that
installed packages offer under the entry point group `skeleton2stage.dance_models`. A family in a file of one's own is
given on the command line, as `family=my_model.py:MyPolicy` or `family=my_package.my_module:MyPolicy`: only people name
code to be run, never a checkpoint.
"""

from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import torch

from dance_model import released
from dance_model.bailando.released_bailando import is_released
from dance_model.dance_policy import DancePolicy, read_saved
from dance_model.diffusion_loading import load_released
from dance_model.diffusion_policy import as_policy
from skeleton2stage.errors import UserError, unknown_name
from skeleton2stage.own_code import import_class
from skeleton2stage.read_boundary import first_words
from skeleton2stage.settings import setting

ENTRY_POINTS = "skeleton2stage.dance_models"
OWN = {
    "edge": "dance_model.diffusion_policy:EdgePolicy",
    "popdg": "dance_model.diffusion_policy:PopdgPolicy",
    "bailando": "dance_model.bailando.bailando_policy:BailandoPolicy",
}


def family_setting() -> Any:  # noqa: ANN401 - stands for the text
    """Return the field of the family that a checkpoint's model is of."""
    return setting(
        "null: as the checkpoint says (edge, popdg, bailando); a family of your own: FILE.py:CLASS or "
        "package.module:CLASS",
        default=None,
    )


def known_families() -> dict[str, str]:
    """Return where each family's class is, MODULE:CLASS by name."""
    installed = {point.name: point.value for point in entry_points(group=ENTRY_POINTS)}
    return installed | OWN


def family(name: str) -> type[DancePolicy]:
    """Return a family's class: by its name, or, where it has a colon or a dot, from where it says.

    Raises UserError that lists the known names, or that says what is wrong with the module.
    """
    known = known_families()
    if name in known:
        return _finished(known[name], f"family {name}")
    if ":" in name or "." in name:
        return _finished(name, f"family={name}")
    raise unknown_name("family of dance models", name, sorted(known))


def _finished(name: str, asked_by: str) -> type[DancePolicy]:
    """Return a class of which there can be models; raise UserError that lists what one lacks."""
    cls = import_class(name, DancePolicy, Path(), asked_by)
    lacking = sorted(cls.__abstractmethods__) + ([] if isinstance(getattr(cls, "family", None), str) else ["family"])
    if lacking:
        raise UserError(f"{asked_by}: class '{cls.__name__}' lacks {', '.join(lacking)} (see docs/extending.md)")
    return cls


def load(path: Path, device: torch.device | str = "cpu", given: str | None = None) -> DancePolicy:
    """Read a dance model in evaluation mode: a checkpoint of any family, or EDGE's or POPDG's own .pt.

    given: family as `family` takes it, for one that the project does not know. Raises UserError where the file is
    missing, damaged, of another kind or family, or does not fit its own description.
    """
    if Path(path).suffix in released.SUFFIXES:
        if is_released(path):
            raise UserError(
                f"{path} is a network of Bailando's own release, whose GPT hears features of its own and is no dance "
                "model here: read it with dance_model.bailando.released_bailando, or train one (docs/models.md)"
            )
        policy = as_policy(load_released(path)).to(device)
        if given is not None and family(given) is not type(policy):
            raise UserError(f"{path} holds a model of family '{policy.family}', not '{given}': leave family= out")
        return policy
    weights, config = read_saved(path)
    cls = _class_of(path, config, given)
    try:
        return cls.from_checkpoint(config, weights).to(device)
    except (UserError, KeyError, TypeError, ValueError, RuntimeError, ArithmeticError, AttributeError) as error:
        raise UserError(f"{path} does not fit its description ({first_words(error)}): copy both files again") from None


def _class_of(path: Path, config: dict[str, Any], given: str | None) -> type[DancePolicy]:
    stored = config.get("family", "edge")  # checkpoints of before there were families
    if given is not None:
        cls = family(given)
        if cls.family != stored:
            raise UserError(f"{path} is of family '{stored}', and family={given} is '{cls.family}': give the right one")
        return cls
    if not isinstance(stored, str) or stored not in known_families():
        raise UserError(
            f"{path} is of family '{stored}', which is not known here ({', '.join(sorted(known_families()))}): "
            "give family=FILE.py:CLASS, or install the package that has it"
        )
    return family(stored)
