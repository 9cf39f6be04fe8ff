"""Campaigns against the whole: what tests of single modules cannot show. Long ones are marked slow."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent.parent / "skeleton2stage" / "motion"))  # samples of motion files
