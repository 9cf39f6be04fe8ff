"""Scoring dances: let the policy perform each and see how well, and whether, it stays with it."""

from collections.abc import Callable
from dataclasses import dataclass

import torch

from skeleton2stage.motion.motion import Motion
from skeleton2stage.physics.humanoid import TOTAL_MASS_KG, Humanoid
from skeleton2stage.physics.imitation import ImitationTask, StepOutcome
from skeleton2stage.physics.policy import ImitationPolicy
from skeleton2stage.physics.reference import reference_motions
from skeleton2stage.physics.simulator import Simulator

FALL_HEAD_HEIGHT_M = 0.3
GRAVITY = 9.81


@dataclass(frozen=True)
class DanceScores:
    """The physical verdict on N dances, [N] each.

    imitation: mean tracking reward, frames after a fall counting zero; success: no fall and no divergence;
    body_error_mm: mean distance of the 24 bodies from the reference, over frames before a fall;
    residual_force_share: mean residual force on the pelvis as a share of body weight.
    """

    imitation: torch.Tensor
    success: torch.Tensor
    body_error_mm: torch.Tensor
    residual_force_share: torch.Tensor


class DanceScorer:
    """Scores dances with a policy in a simulator, as many at once as it has worlds.

    `wrench_scale` is the policy's own unless given; 0 takes the residual wrench away.
    """

    def __init__(
        self,
        policy: ImitationPolicy,
        humanoid: Humanoid,
        make_simulator: Callable[[Humanoid, int], Simulator],
        max_worlds: int = 256,
        wrench_scale: float | None = None,
    ) -> None:
        self._policy = policy
        self._humanoid = humanoid
        self._make_simulator = make_simulator
        self._max_worlds = max_worlds
        self._wrench_scale = policy.config.wrench_scale if wrench_scale is None else wrench_scale
        self._simulator: Simulator | None = None

    def score(self, motions: list[Motion]) -> DanceScores:
        """Return the verdict on N dances of any lengths, each begun at its first frame, lowest vertex on
        the floor.
        """
        if not motions:
            raise ValueError("no dances to score")
        parts = [
            self._score_batch(motions[start : start + self._max_worlds])
            for start in range(0, len(motions), self._max_worlds)
        ]
        columns = zip(*(vars(part).values() for part in parts), strict=True)
        return DanceScores(*(torch.cat(column) for column in columns))

    @torch.inference_mode()
    def _score_batch(self, motions: list[Motion]) -> DanceScores:
        simulator = self._simulator_for(len(motions))
        task = ImitationTask(
            simulator, reference_motions(motions, self._humanoid), wrench_scale=self._wrench_scale
        )
        worlds = torch.arange(simulator.n_worlds)
        # Spare worlds repeat the last dance; their results are cut off below.
        clips = worlds.clamp(max=len(motions) - 1)
        task.reset(worlds, clips, torch.zeros_like(clips))
        tally = _Tally(simulator.n_worlds)
        for _ in range(int(task.references.length.max()) - 1):
            running = task.frame < task.last_frame
            tally.add(task.step(self._policy(task.observe())), running)
        return tally.scores(len(motions))

    def _simulator_for(self, n_dances: int) -> Simulator:
        n_worlds = min(n_dances, self._max_worlds)
        if self._simulator is None or not n_worlds <= self._simulator.n_worlds <= 2 * n_worlds:
            self._simulator = self._make_simulator(self._humanoid, n_worlds)
        return self._simulator


class _Tally:
    """Running sums over the frames of W performances; a fall or divergence latches."""

    def __init__(self, n_worlds: int) -> None:
        self._frames = torch.zeros(n_worlds)
        self._upright_frames = torch.zeros(n_worlds)
        self._reward = torch.zeros(n_worlds)
        self._error_m = torch.zeros(n_worlds)
        self._force = torch.zeros(n_worlds)
        self._down = torch.zeros(n_worlds, dtype=torch.bool)
        self._diverged = torch.zeros(n_worlds, dtype=torch.bool)

    def add(self, outcome: StepOutcome, running: torch.Tensor) -> None:
        """Count a step of the worlds whose dance is still `running` [W]."""
        self._diverged |= outcome.diverged & running
        self._down |= running & (outcome.diverged | (outcome.head_height_m < FALL_HEAD_HEIGHT_M))
        upright = (running & ~self._down).float()
        self._frames += running.float()
        self._upright_frames += upright
        self._reward += outcome.reward * upright
        self._error_m += outcome.body_error_m * upright
        self._force += outcome.wrench_w[:, :3].norm(dim=-1) * upright

    def scores(self, n_dances: int) -> DanceScores:
        """Return the scores of the first n worlds."""
        upright = self._upright_frames.clamp(min=1.0)
        imitation = torch.where(self._diverged, torch.zeros(()), self._reward / self._frames.clamp(min=1.0))
        scores = DanceScores(
            imitation=imitation,
            success=~self._down,
            body_error_mm=1000.0 * self._error_m / upright,
            residual_force_share=self._force / upright / (TOTAL_MASS_KG * GRAVITY),
        )
        return DanceScores(*(value[:n_dances] for value in vars(scores).values()))
