"""Scores of dances that each have their dancer's own body: a humanoid for each person."""

from collections.abc import Callable
from dataclasses import fields

import torch
from torch.nn.functional import pad

from skeleton2stage.body.body_choice import BodyChoice
from skeleton2stage.body.body_model import BodyModel
from skeleton2stage.motion.motion import Motion
from skeleton2stage.physics.imitation.imitation_policy import ImitationPolicy
from skeleton2stage.physics.score.dance_scorer import DanceScorer, DanceScores


class OwnBodyScorer:
    """Scores dances as `DanceScorer` does, those of one person together, each person by a humanoid of their shape."""

    def __init__(
        self, choice: BodyChoice, scorer_of: Callable[[BodyModel], DanceScorer], policy: ImitationPolicy,
        wrench_scale: float | None = None,
    ) -> None:
        self._choice, self._scorer_of = choice, scorer_of
        self.wrench_scale = policy.config.wrench_scale if wrench_scale is None else wrench_scale

    def score(self, motions: list[Motion]) -> DanceScores:
        """Return the verdict on N dances of any lengths; see `DanceScorer.score`."""
        return self._by_person(motions, lambda scorer, own: (scorer.score(own), []))[0]

    def perform(self, motions: list[Motion]) -> tuple[DanceScores, list[Motion]]:
        """Return the verdict on N dances and what each body made of its own; see `DanceScorer.perform`."""
        return self._by_person(motions, lambda scorer, own: scorer.perform(own))

    def _by_person(
        self, motions: list[Motion], judge: Callable[[DanceScorer, list[Motion]], tuple[DanceScores, list[Motion]]]
    ) -> tuple[DanceScores, list[Motion]]:
        order, parts, performed = [], [], []
        for numbers in self._choice.groups(motions):
            own = [motions[number] for number in numbers]
            scores, made = judge(self._scorer_of(self._choice.of(own[0])), own)
            order += numbers
            parts.append(scores)
            performed += made
        back = torch.tensor(order).argsort()
        return joined(parts, back), [performed[number] for number in back.tolist()] if performed else []


def joined(parts: list[DanceScores], order: torch.Tensor) -> DanceScores:
    """Return the scores of several lots of dances in one, the N dances put into an order [N]."""
    n_frames = max(part.frame_rewards.shape[1] for part in parts)
    columns = {}
    for field in fields(DanceScores):
        values = [getattr(part, field.name) for part in parts]
        if field.name == "frame_rewards":
            values = [pad(value, (0, n_frames - value.shape[1])) for value in values]
        columns[field.name] = torch.cat(values)[order]
    return DanceScores(**columns)
