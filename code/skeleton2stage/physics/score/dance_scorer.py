"""Scoring dances: let the policy perform each and see how well, and whether, it stays with it."""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, replace

import torch
from torch.nn.functional import pad
from tqdm import tqdm

from skeleton2stage.motion.motion import Motion
from skeleton2stage.physics.humanoid.humanoid import TOTAL_MASS_KG, Humanoid
from skeleton2stage.physics.imitation.imitation_policy import ImitationPolicy
from skeleton2stage.physics.imitation.imitation_task import ImitationTask, StepOutcome
from skeleton2stage.physics.imitation.reference_motions import ReferenceMotions, reference_motions
from skeleton2stage.physics.quaternions import quat_to_rotvec
from skeleton2stage.physics.simulators.simulator import BodyState, Simulator

FALL_HEAD_HEIGHT_M = 0.3
GRAVITY = 9.81
CONTACT_EVERY = 3  # frames between looks at self contact: ten a second, for 2 % of a CPU's scoring time


@dataclass(frozen=True)
class DanceScores:
    """The physical verdict on N dances, [N] each, on the CPU.

    imitation: mean tracking reward, frames after a fall counting zero; success: no fall and no divergence;
    body_error_mm: mean distance of the 24 bodies from the reference, over frames before a fall (the first, if that is
    the first);
    residual_force_share: mean residual force on the pelvis as a share of body weight, over the same frames;
    self_contact_mm: mean summed depth of the performing body's contacts with itself, over every third of them.
    frame_rewards: [N, T] of the longest dance's T frames, the tracking reward at each: the first, at which every dance
    begins, counts as its second; zero after a fall, throughout a divergence, and after a dance's end.
    """

    imitation: torch.Tensor
    success: torch.Tensor
    body_error_mm: torch.Tensor
    residual_force_share: torch.Tensor
    self_contact_mm: torch.Tensor
    frame_rewards: torch.Tensor


class DanceScorer:
    """Scores dances with a policy in a simulator, as many at once as it has worlds.

    `wrench_scale` is the policy's own unless given; 0 takes the residual wrench away. References, policy and
    reward live on `device`, by default where the simulator's tensors are, and nothing waits for the device
    within the frames. `show_progress` draws a bar where stderr is a terminal.
    """

    def __init__(
        self,
        policy: ImitationPolicy,
        humanoid: Humanoid,
        make_simulator: Callable[[Humanoid, int], Simulator],
        max_worlds: int = 256,
        wrench_scale: float | None = None,
        device: torch.device | str | None = None,
        show_progress: bool = False,
    ) -> None:
        self._policy = deepcopy(policy)  # moved to the device below; the caller's stays where it is
        self._humanoid = humanoid
        self._make_simulator = make_simulator
        self._max_worlds = max_worlds
        self._wrench_scale = policy.config.wrench_scale if wrench_scale is None else wrench_scale
        self._device = device
        self._hide_progress = None if show_progress else True  # None: tqdm hides it where nobody watches
        self._simulator: Simulator | None = None

    @property
    def wrench_scale(self) -> float:
        """What the residual wrench is multiplied by."""
        return self._wrench_scale

    def score(self, motions: list[Motion]) -> DanceScores:
        """Return the verdict on N dances of any lengths, each begun at its first frame, lowest vertex on
        the floor.
        """
        return self._score(motions, None)

    def perform(self, motions: list[Motion]) -> tuple[DanceScores, list[Motion]]:
        """Return the verdict on N dances and what the body made of each, frame by frame.

        The performed motions are the projection of PhysDiff (Yuan et al., ICCV 2023): they begin like the
        originals, hands straight, lie over them (scoring's shift to the floor is undone), and go on to their
        ends even after a fall.
        """
        performed: list[Motion] = []
        return self._score(motions, performed), performed

    def _score(self, motions: list[Motion], performed: list[Motion] | None) -> DanceScores:
        if not motions:
            raise ValueError("no dances to score")
        n_batches = -(-len(motions) // self._max_worlds)
        size = -(-len(motions) // n_batches)
        simulator = self._simulator_for(size)
        batches = [motions[start : start + size] for start in range(0, len(motions), size)]
        parts = [self._score_batch(simulator, batch, performed) for batch in batches]
        n_frames = max(map(len, motions))
        parts = [
            replace(part, frame_rewards=pad(part.frame_rewards, (0, n_frames - part.frame_rewards.shape[1])))
            for part in parts
        ]
        columns = zip(*(vars(part).values() for part in parts), strict=True)
        return DanceScores(*(torch.cat(column).cpu() for column in columns))

    @torch.inference_mode()
    def _score_batch(
        self, simulator: Simulator, motions: list[Motion], performed: list[Motion] | None
    ) -> DanceScores:
        device = torch.device(self._device or simulator.device)
        policy = self._policy.to(device)
        task = self._begin(simulator, motions, device)
        recording = None if performed is None else _Recording(task.state())
        tally = _Tally(simulator.n_worlds, device)
        n_steps = max(len(motion) for motion in motions) - 1
        steps = tqdm(range(n_steps), desc="performing", unit="frame", leave=False, disable=self._hide_progress)
        for step in steps:
            running = task.frame < task.last_frame
            tally.add(task.step(policy(task.observe())), running)
            if step % CONTACT_EVERY == 0:
                tally.add_self_contact(simulator.self_contacts().to(device))
            if recording is not None:
                recording.add(task.state())
        simulator.check()
        if recording is not None:
            performed += recording.motions(motions, task.references)
        return tally.scores(len(motions))

    def _begin(self, simulator: Simulator, motions: list[Motion], device: torch.device) -> ImitationTask:
        """Return the task with every world at the first frame of its dance."""
        references = reference_motions(motions, self._humanoid, device=device)
        task = ImitationTask(simulator, references, device, self._wrench_scale, self._policy.config.future_frames)
        worlds = torch.arange(simulator.n_worlds, device=device)
        # Spare worlds repeat the last dance; their results are cut off in the end.
        clips = worlds.clamp(max=len(motions) - 1)
        task.reset(worlds, clips, torch.zeros_like(clips))
        return task

    def _simulator_for(self, n_dances: int) -> Simulator:
        if self._simulator is None or not n_dances <= self._simulator.n_worlds <= 2 * n_dances:
            self._simulator = self._make_simulator(self._humanoid, n_dances)
        return self._simulator


class _Tally:
    """Running sums over the frames of W performances; a fall or divergence latches."""

    def __init__(self, n_worlds: int, device: torch.device) -> None:
        self._frames, self._counted_frames, self._reward, self._error_m, self._force = torch.zeros(
            5, n_worlds, device=device
        )
        self._counted = torch.zeros(n_worlds, dtype=torch.bool, device=device)
        self._looks, self._contact_m = torch.zeros(2, n_worlds, device=device)
        self._down, self._diverged = torch.zeros(2, n_worlds, dtype=torch.bool, device=device)
        self._rewards: list[torch.Tensor] = []

    def add(self, outcome: StepOutcome, running: torch.Tensor) -> None:
        """Count a step of the worlds whose dance is still `running` [W]."""
        self._diverged |= outcome.diverged & running
        self._down |= running & (outcome.diverged | (outcome.head_height_m < FALL_HEAD_HEIGHT_M))
        upright = running & ~self._down
        # A dance that is down from the start has its first frame looked at: no figure at all would read as perfect.
        self._counted = upright | (running & (self._frames == 0))
        self._frames += running
        self._counted_frames += self._counted
        # Chosen and not multiplied: what a diverged world reports may be NaN.
        self._rewards.append(torch.where(upright, outcome.reward, 0.0))
        self._reward += self._rewards[-1]
        self._error_m += torch.where(self._counted, outcome.body_error_m, 0.0)
        self._force += torch.where(self._counted, outcome.wrench_w[:, :3].norm(dim=-1), 0.0)

    def add_self_contact(self, depth_m: torch.Tensor) -> None:
        """Count the self contact [W] m of the step that `add` has just counted."""
        self._looks += self._counted
        self._contact_m += torch.where(self._counted, depth_m, 0.0)

    def scores(self, n_dances: int) -> DanceScores:
        """Return the scores of the first n worlds."""
        counted = self._counted_frames.clamp(min=1.0)
        imitation = torch.where(self._diverged, 0.0, self._reward / self._frames.clamp(min=1.0))
        rewards = torch.stack(self._rewards[:1] + self._rewards, dim=1)
        scores = DanceScores(
            imitation=imitation,
            success=~self._down,
            body_error_mm=1000.0 * self._error_m / counted,
            residual_force_share=self._force / counted / (TOTAL_MASS_KG * GRAVITY),
            self_contact_mm=1000.0 * self._contact_m / self._looks.clamp(min=1.0),
            frame_rewards=torch.where(self._diverged[:, None], 0.0, rewards),
        )
        return DanceScores(*(value[:n_dances] for value in vars(scores).values()))


class _Recording:
    """The frames of W performances, from the state they begin in."""

    def __init__(self, state: BodyState) -> None:
        self._root_pos_w: list[torch.Tensor] = []
        self._quat_local: list[torch.Tensor] = []
        self.add(state)

    def add(self, state: BodyState) -> None:
        """Append a frame."""
        self._root_pos_w.append(state.pos_w[:, 0].clone())
        self._quat_local.append(state.quat_local.clone())

    def motions(self, originals: list[Motion], references: ReferenceMotions) -> list[Motion]:
        """Return the performance of each original, as long as it and moved back to where it is."""
        poses = quat_to_rotvec(torch.stack(self._quat_local)).cpu().numpy()
        translation = torch.stack(self._root_pos_w).cpu().numpy()
        begun_w = references.frames.pos_w[references.start, 0].cpu().numpy()
        return [
            Motion(
                poses[: len(original), world],
                translation[: len(original), world] + (original.translation[0] - begun_w[world]),
                original.fps,
            )
            for world, original in enumerate(originals)
        ]
