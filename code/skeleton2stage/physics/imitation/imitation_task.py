"""The imitation task: perform reference motions in a simulator, one control step at a time.

Training and scoring share this one loop body: act, advance, compare.
"""

from dataclasses import dataclass

import torch

from skeleton2stage.motion import skeleton
from skeleton2stage.physics.humanoid.humanoid import DAMPING_TIME_S
from skeleton2stage.physics.imitation.observation import N_SHAPE, observe, steps_ahead
from skeleton2stage.physics.imitation.reference_motions import ReferenceFrames, ReferenceMotions
from skeleton2stage.physics.imitation.tracking import mean_body_error, tracking_errors, tracking_reward
from skeleton2stage.physics.quaternions import heading_quat, quat_multiply, quat_rotate, quat_to_rotvec, rotvec_to_quat
from skeleton2stage.physics.simulators.simulator import BodyState, Simulator

N_JOINT_ACTIONS = (skeleton.N_JOINTS - 1) * 3
ACTION_WIDTH = N_JOINT_ACTIONS + 6
WRENCH_UNIT = 31.85  # N or N·m for an action of one
HEAD = skeleton.joint_index("head")


@dataclass(frozen=True)
class StepOutcome:
    """What a control step came to, in W worlds.

    reward: [W] tracking reward; body_error_m: [W]; head_height_m: [W]; diverged: [W] bool;
    at_end: [W] bool, the clip's last frame is reached; wrench_w: [W, 6] N and N·m.
    """

    reward: torch.Tensor
    body_error_m: torch.Tensor
    head_height_m: torch.Tensor
    diverged: torch.Tensor
    at_end: torch.Tensor
    wrench_w: torch.Tensor


class ImitationTask:
    """W worlds, each performing one clip of the references from some frame on.

    Tensors live on `device`; the simulator may have its own. `wrench_scale` multiplies the residual wrench.
    `future_frames` are how many frames after the next one observations show too, each at most a clip's last.
    """

    def __init__(
        self,
        simulator: Simulator,
        references: ReferenceMotions,
        device: torch.device | str = "cpu",
        wrench_scale: float = 1.0,
        future_frames: tuple[int, ...] = (),
    ) -> None:
        self.simulator = simulator
        self.references = references.to(device)
        self.device = torch.device(device)
        self.wrench_scale = wrench_scale
        self._ahead = torch.tensor(steps_ahead(future_frames), dtype=torch.long, device=self.device)
        n = simulator.n_worlds
        self.frame = torch.zeros(n, dtype=torch.long, device=self.device)  # index into references.frames
        self.last_frame = torch.zeros(n, dtype=torch.long, device=self.device)
        self._shape = torch.zeros(N_SHAPE, device=self.device)  # the mean body shape, as everywhere so far

    def reset(self, worlds: torch.Tensor, clips: torch.Tensor, frames: torch.Tensor) -> None:
        """Put worlds [n] into frames [n] (counted from the clip's first) of clips [n]."""
        first = self.references.start[clips]
        self.frame[worlds] = first + frames
        self.last_frame[worlds] = first + self.references.length[clips] - 1
        state = self.references.frames[self.frame[worlds]].reset_state()
        self.simulator.set_state(worlds, state)

    def go_on_from(self, frame: torch.Tensor, last_frame: torch.Tensor) -> None:
        """Take up the references at frames [W] of clips that end at last frames [W], as the attributes have them."""
        self.frame, self.last_frame = frame.to(self.device).clone(), last_frame.to(self.device).clone()

    def state(self) -> BodyState:
        """Return the bodies' present state, on the task's device."""
        return self.simulator.read().to(self.device)

    def observe(self) -> torch.Tensor:
        """Return observations [W, 733 + 74 K] towards the next reference frame and K future ones."""
        future = self.references.ahead(self.frame, self.last_frame, self._ahead) if len(self._ahead) else None
        return observe(self.state(), self._target(), self._shape, future)

    def step(self, action: torch.Tensor) -> StepOutcome:
        """Advance all worlds by one control step under actions [W, 75] and compare with the next frame."""
        if action.shape != (self.simulator.n_worlds, ACTION_WIDTH):
            raise ValueError(f"expected actions [{self.simulator.n_worlds}, {ACTION_WIDTH}], got {action.shape}")
        target = self._target()
        wrench_w = self._wrench(action[:, N_JOINT_ACTIONS:])
        self.simulator.step(_target_rotations(action[:, :N_JOINT_ACTIONS], target), wrench_w)
        self.frame = torch.minimum(self.frame + 1, self.last_frame)
        return self._outcome(target, wrench_w)

    def _target(self) -> ReferenceFrames:
        return self.references.frames[torch.minimum(self.frame + 1, self.last_frame)]

    def _wrench(self, action: torch.Tensor) -> torch.Tensor:
        """Return the residual wrench [W, 6] in world axes of actions in the heading frame."""
        heading = heading_quat(self.state().quat_w[:, 0])
        wrench_h = action * (WRENCH_UNIT * self.wrench_scale)
        return torch.cat((quat_rotate(heading, wrench_h[:, :3]), quat_rotate(heading, wrench_h[:, 3:])), dim=-1)

    def _outcome(self, target: ReferenceFrames, wrench_w: torch.Tensor) -> StepOutcome:
        state = self.state()
        return StepOutcome(
            reward=tracking_reward(tracking_errors(state, target)),
            body_error_m=mean_body_error(state, target),
            head_height_m=state.pos_w[:, HEAD, 2],
            diverged=self.simulator.diverged.to(self.device),
            at_end=self.frame >= self.last_frame,
            wrench_w=wrench_w,
        )


def _target_rotations(offsets: torch.Tensor, target: ReferenceFrames) -> torch.Tensor:
    """Return PD targets exp(reference + offset) exp(feed-forward), [W, 23, 4] wxyz, of offsets [W, 69] rad.

    The feed-forward is the offset that supplies the reference's own torques, and a lead of the damping time
    times its velocity, so that the joints' damping acts on the error of velocity instead of on velocity: an
    offset of zero then follows the reference instead of sagging and trailing behind it.
    """
    reference = quat_to_rotvec(target.quat_local[:, 1:])
    pose = rotvec_to_quat(reference + offsets.unflatten(-1, (-1, 3)))
    lead = DAMPING_TIME_S * target.ang_vel_local[:, 1:]
    return quat_multiply(pose, rotvec_to_quat(lead + target.feedforward))
