"""Write requirements.txt, and with `lock` requirements-lock.txt, from the list in pyproject.toml.

python scripts/make_requirements.py          requirements.txt: what scripts/setup.sh installs
python scripts/make_requirements.py lock     the lock besides: exact versions for Python 3.11 to 3.13

The lock needs `pip install uv`.

The lock keeps the versions of the environment that runs this, so that it is what the tests were run with.
"""

import importlib.metadata
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LIST, LOCK = "requirements.txt", "requirements-lock.txt"
EXTRAS = ("gpu", "dev")  # of what scripts/setup.sh installs
_HEAD = """\
# Written by scripts/make_requirements.py from pyproject.toml: change that, and run it again.
# One list for CPU and GPU users. scripts/setup.sh chooses the torch build first; the loose
# range here then finds it installed and leaves it alone.
"""
_LOCK_HEAD = """\
# Written by `scripts/make_requirements.py lock`: the exact versions that the tests were run with, and, where another
# Python or machine needs other packages, the newest of the day. To reproduce: pip install -r requirements-lock.txt
"""


def requirements(project: dict) -> str:
    """Return the text of requirements.txt for the content of pyproject.toml."""
    table = project["project"]
    lists = [table["dependencies"], *(table["optional-dependencies"][extra] for extra in EXTRAS)]
    return _HEAD + "".join(f"{requirement}\n" for names in lists for requirement in names)


def installed() -> str:
    """Return the versions of this environment as constraints, without the build that torch names after a plus."""
    found = {dist.name: dist.version.partition("+")[0] for dist in importlib.metadata.distributions()}
    return "".join(f"{name}=={version}\n" for name, version in sorted(found.items()) if name != "skeleton2stage")


def lock(listed: Path) -> str:
    """Return the text of the lock: everything that the list needs, on Linux, from Python 3.11 on."""
    with tempfile.TemporaryDirectory() as folder:
        constraints = Path(folder) / "constraints.txt"
        constraints.write_text(installed(), encoding="utf-8")
        command = ["uv", "pip", "compile", "--quiet", "--universal", "--python-version=3.11", "--no-header",
                   "--no-annotate", f"--constraints={constraints}", str(listed)]
        return _LOCK_HEAD + subprocess.run(command, capture_output=True, text=True, check=True).stdout


def main(arguments: list[str]) -> None:
    """Write the list, and the lock where it is asked for."""
    if arguments not in ([], ["lock"]):
        sys.exit(__doc__)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    (ROOT / LIST).write_text(requirements(project), encoding="utf-8")
    if arguments:
        (ROOT / LOCK).write_text(lock(ROOT / LIST), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
