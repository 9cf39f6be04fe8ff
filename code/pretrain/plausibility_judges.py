"""Who judges motions and their copies: imitation policies, and the axes of the verdict; and what they said so far."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from pretrain.findings import IMITATION
from pretrain.plausibility_config import PlausibilityConfig
from skeleton2stage.errors import UserError
from skeleton2stage.motion.motion import Motion
from skeleton2stage.physics.axes.read_axes import AXES, AxisReader
from skeleton2stage.physics.score.make_scorer import Scorer, make_scorer
from skeleton2stage.run_settings import RunSettings
from skeleton2stage.run_state import restore_state, write_state

Judged = dict[str, np.ndarray]
_SCORES = "scores"


@dataclass(frozen=True)
class Judges:
    """Policies by the names they go by, and the axes."""

    policies: dict[str, Scorer]
    reader: AxisReader

    @classmethod
    def of(cls, config: PlausibilityConfig) -> "Judges":
        """Return the judges that a configuration names; raise UserError for two of one name."""
        files = config.policy or ()
        names = [IMITATION, *(file.stem for file in files[1:])][: len(files)]
        if len(set(names) | set(AXES)) < len(names) + len(AXES):
            raise UserError(f"policy=[{','.join(map(str, files))}]: policies go by their names, which must differ")
        return cls(
            {
                name: make_scorer(
                    file, config.simulator, config.body, wrench_scale=config.wrench_scale,
                    options=config.simulator_options,
                )
                for name, file in zip(names, files, strict=True)
            },
            AxisReader.of_body(config.body),
        )

    def judge(self, motions: list[Motion]) -> Judged:
        """Return every judge's scores [N] of motions."""
        judged = {
            name: scorer.score(motions).imitation.double().numpy() for name, scorer in self.policies.items()
        }
        readings = self.reader.read_motions(motions)
        return judged | {axis: np.array([reading[axis].soundness.item() for reading in readings]) for axis in AXES}


class KeptScores:
    """Scores by the name of what was judged, written to a folder as they come: a command that was killed goes on.

    Raises UserError where the folder has scores of other settings.
    """

    def __init__(self, folder: Path, settings: RunSettings) -> None:
        self._folder, self._settings = folder, settings
        self._scores: dict[str, dict[str, torch.Tensor]] = (
            restore_state(folder, settings, lambda state: state[_SCORES]) or {}
        )

    def get(self, name: str, judge: Callable[[], Judged]) -> Judged:
        """Return the scores that are kept under a name, or those that `judge` gives, and keep them."""
        if name not in self._scores:
            self._scores[name] = {who: torch.from_numpy(scores) for who, scores in judge().items()}
            write_state(self._folder, {_SCORES: self._scores}, self._settings)
        return {who: scores.numpy() for who, scores in self._scores[name].items()}
