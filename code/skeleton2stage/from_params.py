"""Run a command with settings from params.yaml, for DVC's stages: `python -m skeleton2stage.from_params`.

DVC tracks a section of params.yaml as what a stage depends on. Every key of the section goes to the command as
key=value, so that whatever setting it has can be a parameter, by writing it there or by `dvc exp run --set-param`.
"""

import os
from pathlib import Path
from typing import Any

import yaml

from skeleton2stage.errors import UserError, run_main, unknown_name
from skeleton2stage.read_boundary import reading

PARAMS = Path("params.yaml")
USAGE = """usage: python -m skeleton2stage.from_params SECTION[,SECTION ...] COMMAND [ARGUMENT ...]

Runs the command with every key of these sections of ./params.yaml as key=value after its own arguments."""


def main(arguments: list[str]) -> int:
    """Become the command that follows the sections' names; return only to give help."""
    if not arguments or arguments[0] in ("-h", "--help"):
        print(USAGE)
        return 0
    if len(arguments) < 2:
        raise UserError(f"no command follows the section '{arguments[0]}' (see --help)")
    names, *command = arguments
    params = read_params(PARAMS)
    command += [typed for name in names.split(",") for typed in section(params, name)]
    try:
        os.execvp(command[0], command)
    except FileNotFoundError:
        raise UserError(f"there is no program '{command[0]}': source environment.sh first") from None


def read_params(path: Path) -> dict[str, Any]:
    """Return the sections of a params.yaml; raise UserError where it is missing, broken or no mapping."""
    with reading(path, "valid YAML"):
        params = yaml.safe_load(path.read_text(encoding="utf-8"))
    if not isinstance(params, dict):
        raise UserError(f"{path} has no sections: write NAME: and its keys below, indented")
    return params


def section(params: dict[str, Any], name: str) -> list[str]:
    """Return a section as key=value arguments; raise UserError where there is none, or it is no mapping."""
    if name not in params:
        raise unknown_name("section of params.yaml", name, list(params))
    if not isinstance(params[name], dict):
        raise UserError(f"'{name}' of params.yaml must have keys below it, not {params[name]!r}")
    return as_arguments(params[name])


def as_arguments(content: dict[str, Any], prefix: str = "") -> list[str]:
    """Return a mapping as one would type it: key=value each, KEY.PART=value for what is within another."""
    found = []
    for key, value in content.items():
        if isinstance(value, dict) and value:
            found += as_arguments(value, f"{prefix}{key}.")
        else:
            found.append(f"{prefix}{key}={_typed(value)}")
    return found


def _typed(value: Any) -> str:  # noqa: ANN401 - YAML holds any of its types
    """Return a value in the form that `skeleton2stage.typed` reads."""
    if isinstance(value, str):
        return value
    if isinstance(value, list) and not any(isinstance(item, list | dict) for item in value):
        return f"[{','.join(_item(item) for item in value)}]"
    return yaml.safe_dump(value, default_flow_style=True, width=float("inf")).removesuffix("...\n").strip()


def _item(value: Any) -> str:  # noqa: ANN401 - YAML holds any of its types
    """Return an item of a list; text that would not come back as it is stands in quotes."""
    text = _typed(value)
    plain = text and text == text.strip() and not set(text) & set("[],'\"")
    return text if plain else '"' + text.replace('"', '""') + '"'


if __name__ == "__main__":
    run_main(main)
