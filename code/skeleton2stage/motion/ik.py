"""Batched inverse kinematics on the SMPL skeleton: damped least squares over all frames at once.

The unknowns are the bones' rotations in the world rather than relative to their parents, so that a turned
thigh does not drag the foot's orientation along, and "stay near the source's rotation" holds bone by bone.
"""

from dataclasses import dataclass

import roma
import torch

from skeleton2stage.motion import skeleton

DAMPING = 1e-6
# Frames solved together: a frame's Jacobian and products take some 100 kB.
BLOCK_FRAMES = 500


@dataclass(frozen=True)
class IkWeights:
    """What pulls on the solution; squared errors are summed with squared weights.

    position: joint name -> weight of its distance from the target, per metre.
    rotation: joint name -> weight of its turn away from the initial world rotation, per radian; joints that
        are not named keep their initial rotation.
    """

    position: dict[str, float]
    rotation: dict[str, float]


@dataclass(frozen=True)
class _Problem:
    targets_w: torch.Tensor  # [T, P, 3]
    initial_rotmat_w: torch.Tensor  # [T, 24, 3, 3]
    target_joints: list[int]
    position_weights: torch.Tensor  # [P]
    free_joints: list[int]
    rotation_weights: torch.Tensor  # [R]
    bone_offsets: torch.Tensor  # [24, 3]


def local_to_world(rotmat_local: torch.Tensor) -> torch.Tensor:
    """Return world rotations [..., 24, 3, 3] of local ones."""
    root = torch.zeros(*rotmat_local.shape[:-3], 3, dtype=rotmat_local.dtype)
    return skeleton.forward_kinematics_rotmat(rotmat_local, root)[1]


def world_to_local(rotmat_w: torch.Tensor) -> torch.Tensor:
    """Return rotations relative to the parents [..., 24, 3, 3] of world ones."""
    parents = skeleton.parents()
    local = rotmat_w[..., parents[1:], :, :].transpose(-1, -2) @ rotmat_w[..., 1:, :, :]
    return torch.cat((rotmat_w[..., :1, :, :], local), dim=-3)


def world_positions(
    rotmat_w: torch.Tensor, root_pos: torch.Tensor, bone_offsets: torch.Tensor
) -> torch.Tensor:
    """Return joint positions [T, 24, 3] m from world rotations [T, 24, 3, 3] and the pelvis [T, 3]."""
    positions = [root_pos]
    for joint, parent in enumerate(skeleton.parents()[1:], start=1):
        positions.append(positions[parent] + rotmat_w[:, parent] @ bone_offsets[joint])
    return torch.stack(positions, dim=1)


def solve(
    rotmat_w: torch.Tensor, root_pos: torch.Tensor, targets_w: dict[str, torch.Tensor], weights: IkWeights,
    iterations: int = 12,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return world rotations [T, 24, 3, 3] and pelvis positions [T, 3] m that bring joints to targets.

    rotmat_w, root_pos: the initial guess, which the rotations are also held to.
    targets_w: joint name -> wanted world position [T, 3] m.

    Each frame is solved by itself, some at a time; the hold on the initial rotations makes the solution unique, so it
    moves as smoothly as targets and initial rotations do.
    """
    blocks = [slice(start, start + BLOCK_FRAMES) for start in range(0, len(rotmat_w), BLOCK_FRAMES)]
    solved = [
        _solve_block(rotmat_w[block], root_pos[block], {name: target[block] for name, target in targets_w.items()},
                     weights, iterations)
        for block in blocks
    ]
    return torch.cat([rotmat for rotmat, _ in solved]), torch.cat([root for _, root in solved])


def _solve_block(
    rotmat_w: torch.Tensor, root_pos: torch.Tensor, targets_w: dict[str, torch.Tensor], weights: IkWeights,
    iterations: int,
) -> tuple[torch.Tensor, torch.Tensor]:
    problem = _problem(rotmat_w.double(), targets_w, weights)
    rotmat_w, root_pos = problem.initial_rotmat_w, root_pos.double()
    for _ in range(iterations):
        residual, jacobian = _linearise(problem, rotmat_w, root_pos)
        normal = jacobian.transpose(1, 2) @ jacobian
        normal.diagonal(dim1=1, dim2=2).add_(DAMPING)
        gradient = jacobian.transpose(1, 2) @ residual[..., None]
        step = -torch.linalg.solve(normal, gradient)[..., 0]
        root_pos = root_pos + step[:, :3]
        turn = roma.rotvec_to_rotmat(step[:, 3:].unflatten(1, (-1, 3)))
        rotmat_w = rotmat_w.clone()
        rotmat_w[:, problem.free_joints] = turn @ rotmat_w[:, problem.free_joints]
    return rotmat_w, root_pos


def _problem(rotmat_w: torch.Tensor, targets_w: dict[str, torch.Tensor], weights: IkWeights) -> _Problem:
    names = [name for name in weights.position if name in targets_w]
    return _Problem(
        targets_w=torch.stack([targets_w[name].double() for name in names], dim=1),
        initial_rotmat_w=rotmat_w,
        target_joints=[skeleton.joint_index(name) for name in names],
        position_weights=torch.tensor([weights.position[name] for name in names], dtype=torch.float64),
        free_joints=[skeleton.joint_index(name) for name in weights.rotation],
        rotation_weights=torch.tensor(list(weights.rotation.values()), dtype=torch.float64),
        bone_offsets=torch.from_numpy(skeleton.offsets()),
    )


def _linearise(
    problem: _Problem, rotmat_w: torch.Tensor, root_pos: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return weighted residuals [T, 3P + 3R] and their Jacobian [T, 3P + 3R, 3 + 3R].

    Columns are the pelvis' displacement, then a world-frame rotation vector applied to each free bone.
    """
    positions = world_positions(rotmat_w, root_pos, problem.bone_offsets)
    miss = positions[:, problem.target_joints] - problem.targets_w
    free = problem.free_joints
    away = roma.rotmat_to_rotvec(rotmat_w[:, free] @ problem.initial_rotmat_w[:, free].transpose(-1, -2))
    residual = torch.cat((miss * problem.position_weights[:, None], away * problem.rotation_weights[:, None]), 1)
    hold = torch.diag(problem.rotation_weights.repeat_interleave(3)).expand(len(residual), -1, -1)
    hold = torch.nn.functional.pad(hold, (3, 0))
    return residual.flatten(1), torch.cat((_position_jacobian(problem, rotmat_w), hold), dim=1)


def _position_jacobian(problem: _Problem, rotmat_w: torch.Tensor) -> torch.Tensor:
    """Return weighted d(target joints)/d(unknowns) [T, 3P, 3 + 3R].

    Turning bone k by a small world rotation d moves everything beyond its end by d x (R_k offset).
    """
    n_frames, parents = len(rotmat_w), skeleton.parents()
    column = {joint: 3 + 3 * index for index, joint in enumerate(problem.free_joints)}
    jacobian = torch.zeros(n_frames, 3 * len(problem.target_joints), 3 + 3 * len(column), dtype=torch.float64)
    arms = torch.stack([rotmat_w[:, max(parent, 0)] @ problem.bone_offsets[joint]
                        for joint, parent in enumerate(parents)], dim=1)
    for index, target in enumerate(problem.target_joints):
        rows, weight = slice(3 * index, 3 * index + 3), problem.position_weights[index]
        jacobian[:, rows, :3] = weight * torch.eye(3, dtype=torch.float64)
        joint = target
        while parents[joint] >= 0:
            if parents[joint] in column:
                start = column[parents[joint]]
                jacobian[:, rows, start : start + 3] = -weight * _cross_matrix(arms[:, joint])
            joint = parents[joint]
    return jacobian


def _cross_matrix(vector: torch.Tensor) -> torch.Tensor:
    """Return [T, 3, 3] matrices that multiply as the cross product with vectors [T, 3]."""
    x, y, z = vector.unbind(-1)
    zero = torch.zeros_like(x)
    rows = ((zero, -z, y), (z, zero, -x), (-y, x, zero))
    return torch.stack([torch.stack(row, dim=-1) for row in rows], dim=-2)
