"""What pyproject.toml cannot say: a built package carries the files that a checkout has beside its code."""

import shutil
import sys
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).resolve().parent
sys.path.insert(0, str(ROOT / "code"))

from skeleton2stage.paths import COMMIT_FILE, SHIPPED_FILES, SHIPPED_FOLDER  # noqa: E402 - found once code/ is on the path
from skeleton2stage.provenance import commit  # noqa: E402 - the same


class BuildWithShippedFiles(build_py):
    """Copies what ships into the package, in a checkout's folders, and notes the commit that it is built from."""

    def run(self) -> None:
        """Build the modules, then the copy; an editable install reads the checkout itself and gets none."""
        super().run()
        if self.editable_mode:
            return
        target = Path(self.build_lib) / "skeleton2stage" / SHIPPED_FOLDER
        shutil.rmtree(target, ignore_errors=True)
        for pattern in SHIPPED_FILES:
            found = [path for path in sorted(ROOT.glob(pattern)) if path.is_file()]
            if not found:
                raise FileNotFoundError(f"nothing to ship at {ROOT / pattern}: build from a whole checkout")
            for path in found:
                copy = target / path.relative_to(ROOT)
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, copy)
        (target / COMMIT_FILE).write_text(f"{commit() or ''}\n", encoding="utf-8")


setup(cmdclass={"build_py": BuildWithShippedFiles})
