"""Motion of a foreign skeleton (BVH) onto SMPL's: rotations carried over, then joints pulled into place.

1. The skeleton is recognised by joint names and scaled so that its legs are as long as SMPL's.
2. Every SMPL bone gets the world rotation of its counterpart, corrected for the difference of rest poses.
3. Short glitches of the capture are bridged, and the clip is resampled to 30 frames a second.
4. Inverse kinematics pulls hips, ankles, wrists and the rest to where the scaled source has them.
5. The floor is put under the feet.
6. Arms that end up inside SMPL's torso, which is wider than the source's, are moved out of it.
"""

from dataclasses import dataclass

import numpy as np
import roma
import torch
from scipy.ndimage import binary_dilation, gaussian_filter1d

from skeleton2stage.motion import skeleton
from skeleton2stage.motion.bvh import Bvh, forward_kinematics, local_transforms
from skeleton2stage.motion.ik import IkWeights, local_to_world, solve, world_positions, world_to_local
from skeleton2stage.motion.motion import FPS, Motion
from skeleton2stage.motion.resample import resample_linear, resample_rotations
from skeleton2stage.motion.source_skeleton import SIDES, SourceSkeleton, shortest_rotation, understand

# Height of SMPL's toe joint over the sole under it: where the toes of a standing foot are put, so that its
# sole touches z = 0. Standing feet vary by about 1 cm in captures: a low percentile stands for them all.
SOLE_M = 0.025
STANDING_PERCENTILE = 25.0
# For a clip in which no foot ever stands: the toe that is lower, at this percentile of the clip.
LOWEST_PERCENTILE = 10.0
MAX_LEVELLING_M = 0.02
# A joint this far from where its surroundings in time say it should be is a glitch of the capture.
GLITCH_REACH_S = 0.09
GLITCH_ROTATION_RAD = 0.35
GLITCH_POSITION_M = 0.12
# Low-pass before dropping to 30 frames a second: 3 dB at 10 Hz, under the new Nyquist frequency of 15 Hz.
SMOOTHING_S = 0.013
STANDING_SPEED_MPS = 0.12
MIN_STANDING_S = 0.25
MAX_FOOT_PITCH_FIX_RAD = 0.3
# How far a joint of a body can turn from rest; captures of hands and feet sometimes flip beyond it.
MAX_TURN_RAD = {"left_ankle": 1.1, "right_ankle": 1.1, "left_wrist": 1.4, "right_wrist": 1.4, "head": 1.0,
                "neck": 0.8}
MAX_TOE_BEND_RAD = 0.9
TOE_REST_HEIGHT_M = 0.06
_MEASURED = ("left_wrist", "right_wrist", "left_ankle", "right_ankle")

WEIGHTS = IkWeights(
    position={
        "left_hip": 4.0, "right_hip": 4.0, "left_ankle": 30.0, "right_ankle": 30.0,
        "left_knee": 1.0, "right_knee": 1.0,
        "left_wrist": 2.0, "right_wrist": 2.0, "left_elbow": 0.7, "right_elbow": 0.7,
        "left_shoulder": 1.0, "right_shoulder": 1.0, "neck": 0.7, "head": 0.7,
    },
    rotation={
        "pelvis": 1.0, "spine1": 0.5, "spine2": 0.5, "spine3": 0.7, "neck": 0.5,
        "left_hip": 0.1, "right_hip": 0.1, "left_knee": 0.1, "right_knee": 0.1,
        "left_collar": 0.4, "right_collar": 0.4,
        "left_shoulder": 0.2, "right_shoulder": 0.2, "left_elbow": 0.2, "right_elbow": 0.2,
    },
)
# The torso that arms have to stay clear of: SMPL joint -> elliptic cylinder in its frame (x left, y up,
# z front), as the open body's surface has it: half-width, middle of z, half-depth, lowest and highest y, m.
TORSO_M = {
    "pelvis": (0.175, -0.025, 0.122, -0.12, 0.124),
    "spine1": (0.148, 0.038, 0.102, 0.0, 0.138),
    "spine2": (0.166, 0.012, 0.110, 0.0, 0.056),
    "spine3": (0.205, 0.0, 0.120, 0.0, 0.14),
}
TORSO_FADE_M = 0.05
# Points along an arm: share of the way from shoulder to elbow (or elbow to wrist, beyond 1 in the hand) and
# the arm's radius there, m.
UPPER_ARM_POINTS = ((0.5, 0.06), (0.75, 0.055), (1.0, 0.05))
FOREARM_POINTS = ((0.25, 0.05), (0.5, 0.05), (0.75, 0.045), (1.0, 0.04), (1.4, 0.03))
CLEARANCE_SWEEPS = 12
# How much of the way to where it is wanted the wrist goes in a sweep, and how far off it may be in the end.
WRIST_PULL = 0.85
MAX_WRIST_PUSH_M = 0.08
CLEARANCE_ROUNDS = 2
CLEARANCE_SMOOTHING_S = 0.07
# Weights of the fit that follows: elbows are where they should be by then, and hold their place.
CLEAR_WEIGHTS = IkWeights(
    WEIGHTS.position | {"left_elbow": 2.0, "right_elbow": 2.0, "left_wrist": 6.0, "right_wrist": 6.0},
    WEIGHTS.rotation | {"left_collar": 0.8, "right_collar": 0.8},
)
# The counterpart of every SMPL joint that a source skeleton names: SMPL joint -> role.
_COUNTERPART = {"pelvis": "pelvis", "spine3": "chest", "neck": "neck", "head": "head"} | {
    f"{side}_{joint}": f"{side}_{role}"
    for side in SIDES
    for joint, role in {
        "hip": "hip", "knee": "knee", "ankle": "ankle", "collar": "collar",
        "shoulder": "shoulder", "elbow": "elbow", "wrist": "wrist",
    }.items()
}
# Where a role's joint is to end up: SMPL joint -> role.
_TARGETS = {"head": "head", "neck": "neck"} | {
    f"{side}_{joint}": f"{side}_{role}"
    for side in SIDES
    for joint, role in {
        "hip": "hip", "knee": "knee", "ankle": "ankle",
        "shoulder": "shoulder", "elbow": "elbow", "wrist": "wrist",
    }.items()
}
# Bones whose direction at rest differs between skeletons (arms down or out): SMPL joint -> its bone's end.
_LIMBS = {
    f"{side}_{start}": f"{side}_{end}"
    for side in SIDES
    for start, end in {"hip": "knee", "knee": "ankle", "shoulder": "elbow", "elbow": "wrist"}.items()
}


@dataclass(frozen=True)
class RetargetReport:
    """How well a clip went over.

    up_axis: the axis of the file that points up ("x", "y" or "z"). scale: metres per source unit.
    errors_m: mean distance from the scaled source for each wrist and ankle.
    bridged_frames: source frames in which at least one joint had a glitch and was interpolated.
    """

    up_axis: str
    scale: float
    errors_m: dict[str, float]
    bridged_frames: int

    @property
    def mean_error_m(self) -> float:
        """Mean over wrists and ankles of the distance from the scaled source."""
        return float(np.mean(list(self.errors_m.values())))


@dataclass(frozen=True)
class _Guide:
    """What the source asks for, z up, metres: rotations in the world and where joints should be."""

    rotmat_w: torch.Tensor  # [T, 24, 3, 3]
    targets_w: torch.Tensor  # [T, P, 3], in the order of _TARGETS


def retarget(bvh: Bvh, fps: float = FPS) -> tuple[Motion, RetargetReport]:
    """Return a BVH clip as SMPL motion, z up, floor at z = 0, and how well it went.

    Raises UserError where the skeleton's joints are not recognised.
    """
    source = understand(bvh)
    rotmat, position = forward_kinematics(bvh.parents, *local_transforms(bvh))
    up = _up_vector(source, position)
    guide = _guide(source, rotmat, position, up, bvh.fps)
    guide, bridged_frames = _without_glitches(guide, bvh.fps)
    guide = _smoothed(guide, bvh.fps)
    levels = _standing_levels(guide, bvh.fps)
    guide = _within_limits(_resampled(_grounded(guide, levels), bvh.fps, fps))
    rotmat_w, root_pos = _clear_of_torso(_levelled(guide, levels), fps)
    report = RetargetReport("xyz"[int(np.abs(up).argmax())], source.scale_m(),
                            _errors(guide, rotmat_w, root_pos), bridged_frames)
    return _finished(rotmat_w, root_pos, fps), report


def _up_vector(source: SourceSkeleton, position: np.ndarray) -> np.ndarray:
    """Return the axis of the file [3] along which heads are above feet, on average over the clip."""
    feet = (position[:, source.roles["left_ankle"]] + position[:, source.roles["right_ankle"]]) / 2
    mean = (position[:, source.roles["head"]] - feet).mean(axis=0)
    axis = int(np.abs(mean).argmax())
    return np.eye(3)[axis] * np.sign(mean[axis])


def _guide(
    source: SourceSkeleton, rotmat: np.ndarray, position: np.ndarray, up: np.ndarray, fps: float
) -> _Guide:
    """Return the source's wishes at its own frame rate, from its world rotations and positions."""
    to_world = shortest_rotation(up, np.array([0.0, 0.0, 1.0]))
    position_w = source.scale_m() * position @ to_world.T
    rotmat_w = to_world @ rotmat
    alignment = _rest_alignment(source)
    for side in SIDES:
        pitch = _standing_pitch(source, position_w, side, fps)
        alignment[f"{side}_ankle"] = _foot_alignment(source, side, pitch)
    bones = {joint: torch.from_numpy(rotmat_w[:, source.roles[role]] @ alignment[joint])
             for joint, role in _COUNTERPART.items() if role in source.roles}
    targets = np.stack([position_w[:, source.roles[role]] for role in _target_roles(source).values()], axis=1)
    return _Guide(_all_bones(bones), torch.from_numpy(targets))


def _target_roles(source: SourceSkeleton) -> dict[str, str]:
    """Return SMPL joint -> role; a skeleton without a neck joint has its head asked for twice."""
    return {joint: role if role in source.roles else "head" for joint, role in _TARGETS.items()}


def _rest_alignment(source: SourceSkeleton) -> dict[str, np.ndarray]:
    """Return for each joint the rotation [3, 3] from SMPL's rest pose to the source's.

    The trunk stands alike in both; a limb's bone is swung onto the source's bone by the shortest way.
    """
    alignment = dict.fromkeys(_COUNTERPART, source.frame)
    rest = skeleton.rest_joints()
    for start, end in _LIMBS.items():
        bone = rest[skeleton.joint_index(end)] - rest[skeleton.joint_index(start)]
        swing = shortest_rotation(source.frame @ (bone / np.linalg.norm(bone)), source.direction(start, end))
        alignment[start] = swing @ source.frame
    for side in SIDES:
        alignment[f"{side}_wrist"] = alignment[f"{side}_elbow"]
    return alignment


def _standing_pitch(source: SourceSkeleton, position_w: np.ndarray, side: str, fps: float) -> float:
    """Return by how much (rad) the foot points further down at rest than where it stands still.

    Rest poses of mocap skeletons are drawn, not measured: what counts as a flat foot is read off the
    frames in which both of its joints rest.
    """
    ankle, toe = (position_w[:, source.roles[f"{side}_{part}"]] for part in ("ankle", "toe"))
    frames = standing_frames(ankle, toe, fps)
    if len(frames) < MIN_STANDING_S * fps:
        return 0.0
    standing = np.median(_pitch((toe - ankle)[frames]))
    direction = source.frame.T @ source.direction(f"{side}_ankle", f"{side}_toe")
    rest = _pitch(direction[[0, 2, 1]])
    return float(np.clip(standing - rest, -MAX_FOOT_PITCH_FIX_RAD, MAX_FOOT_PITCH_FIX_RAD))


def standing_frames(ankle_w: np.ndarray, toe_w: np.ndarray, fps: float) -> np.ndarray:
    """Return the frames in which a foot stands, of its joints' positions [T, 3] m, z up.

    It stands where both joints rest and the ankle is among the lowest third of its heights.
    """
    speed = np.maximum(*(np.linalg.norm(np.diff(p, axis=0), axis=-1) * fps for p in (ankle_w, toe_w)))
    low = ankle_w[:-1, 2] < np.percentile(ankle_w[:, 2], 33)
    return np.flatnonzero((speed < STANDING_SPEED_MPS) & low)


def _pitch(vector_w: np.ndarray) -> np.ndarray:
    """Return the angle over the horizontal, rad, of vectors [..., 3], z up."""
    return np.arctan2(vector_w[..., 2], np.linalg.norm(vector_w[..., :2], axis=-1))


def _foot_alignment(source: SourceSkeleton, side: str, pitch_rad: float) -> np.ndarray:
    """Return the rotation [3, 3] from SMPL's foot at rest to the source's.

    Both soles are level at rest though their toe joints are drawn at different heights: only the heading of
    the foot is matched, and the pitch by which the source's rest pose is not level is taken out.
    """
    rest = skeleton.rest_joints()
    bone = rest[skeleton.joint_index(f"{side}_foot")] - rest[skeleton.joint_index(f"{side}_ankle")]
    wanted = source.frame.T @ source.direction(f"{side}_ankle", f"{side}_toe")
    yaw = np.arctan2(wanted[0], wanted[2]) - np.arctan2(bone[0], bone[2])
    turn = roma.rotvec_to_rotmat(torch.tensor([[0.0, yaw, 0.0], [pitch_rad, 0.0, 0.0]], dtype=torch.float64))
    return source.frame @ (turn[1] @ turn[0]).numpy()


def _all_bones(bones: dict[str, torch.Tensor]) -> torch.Tensor:
    """Return world rotations [T, 24, 3, 3] with what the source does not name filled in."""
    trunk = (bones["pelvis"], bones["spine3"])
    bones = {
        "spine1": _between(*trunk, 1 / 3), "spine2": _between(*trunk, 2 / 3),
        "neck": _between(bones["spine3"], bones["head"], 0.5),
        "left_collar": bones["spine3"], "right_collar": bones["spine3"],
    } | bones
    for side in SIDES:
        bones |= {f"{side}_foot": bones[f"{side}_ankle"], f"{side}_hand": bones[f"{side}_wrist"]}
    return torch.stack([bones[name] for name in skeleton.joint_names()], dim=1)


def _between(first: torch.Tensor, second: torch.Tensor, share: float) -> torch.Tensor:
    """Return rotations [T, 3, 3] a share of the way from one to another."""
    return roma.rotmat_slerp(first, second, torch.tensor([share], dtype=first.dtype))[0]


def _without_glitches(guide: _Guide, fps: float) -> tuple[_Guide, int]:
    """Return the guide with short outliers interpolated over, and the number of frames concerned."""
    reach = max(1, round(GLITCH_REACH_S * fps))
    targets = guide.targets_w.numpy()
    bad_rotation = rotation_deviation(guide.rotmat_w, reach) > GLITCH_ROTATION_RAD
    bad_position = position_deviation(targets, reach) > GLITCH_POSITION_M
    quat = _bridged_rotations(_continuous(roma.rotmat_to_unitquat(guide.rotmat_w)), bad_rotation)
    bad = bad_rotation.any(axis=1) | bad_position.any(axis=1)
    targets = torch.from_numpy(_bridged(targets, bad_position))
    return _Guide(roma.unitquat_to_rotmat(quat), targets), int(bad.sum())


def rotation_deviation(rotmat_w: torch.Tensor, reach: int) -> np.ndarray:
    """Return by how many rad each rotation [T, J, 3, 3] differs from those up to `reach` frames around, [T, J].

    It is the length of the median of the rotation vectors to them. A steady spin, however fast, has opposite
    vectors before and after, whose median is zero; a flip has the same vector to all of them.
    """
    quat = roma.rotmat_to_unitquat(rotmat_w)
    frames = torch.arange(len(quat))
    stride = max(1, reach // 5)
    turns = []
    for k in range(-(reach // stride), reach // stride + 1):
        other = quat[(frames + k * stride).clamp(0, len(quat) - 1)]
        turns.append(roma.unitquat_to_rotvec(roma.quat_product(roma.quat_conjugation(quat), other)))
    return torch.stack(turns).median(dim=0).values.norm(dim=-1).numpy()


def position_deviation(position_w: np.ndarray, reach: int) -> np.ndarray:
    """Return how far (m) each position [T, P, 3] is from where the frames around put it, [T, P].

    Two frames on either side, k and 2k away, predict it by the cubic through them; the deviations' median
    over all k up to `reach` is not moved by the glitches among those frames.
    """
    n_frames = len(position_w)
    if n_frames < 2:
        return np.zeros(position_w.shape[:2])
    padded = np.pad(position_w, ((2 * reach, 2 * reach), (0, 0), (0, 0)), mode="reflect", reflect_type="odd")

    def at(shift: int) -> np.ndarray:
        return padded[2 * reach + shift : 2 * reach + shift + n_frames]

    misses = [
        position_w - (4 * (at(-k) + at(k)) - (at(-2 * k) + at(2 * k))) / 6 for k in range(1, reach + 1)
    ]
    return np.linalg.norm(np.median(misses, axis=0), axis=-1)


def _continuous(quat: torch.Tensor) -> torch.Tensor:
    """Return quaternions [T, J, 4] with signs such that each is nearest to the one before."""
    flips = (quat[1:] * quat[:-1]).sum(-1, keepdim=True).sign()
    flips = torch.where(flips == 0, torch.ones_like(flips), flips)
    return torch.cat((quat[:1], quat[1:] * flips.cumprod(dim=0)))


def _bridged(values: np.ndarray, bad: np.ndarray) -> np.ndarray:
    """Return values [T, J, D] with frames that are bad [T, J], and one on either side, interpolated."""
    values, frames = values.copy(), np.arange(len(values))
    bad = binary_dilation(bad, np.ones((3, 1)))
    for joint in np.flatnonzero(bad.any(axis=0) & ~bad.all(axis=0)):
        good = frames[~bad[:, joint]]
        for d in range(values.shape[2]):
            values[:, joint, d] = np.interp(frames, good, values[good, joint, d])
    return values


def _bridged_rotations(quat: torch.Tensor, bad: np.ndarray) -> torch.Tensor:
    """Return quaternions [T, J, 4] with bad frames interpolated the short way from good ones.

    The signs are made to follow the good frames alone: what a glitch passes through may end on the other
    sign of the same rotation.
    """
    wide = binary_dilation(bad, np.ones((3, 1)))
    quat = quat.clone()
    for joint in np.flatnonzero(wide.any(axis=0) & ~wide.all(axis=0)):
        good = torch.from_numpy(~wide[:, joint])
        quat[good, joint] = _continuous(quat[good, joint][:, None])[:, 0]
    return torch.nn.functional.normalize(torch.from_numpy(_bridged(quat.numpy(), bad)), dim=-1)


def _smoothed(guide: _Guide, fps: float) -> _Guide:
    """Return the guide without what is too fast for the frame rate to come."""
    quat = _continuous(roma.rotmat_to_unitquat(guide.rotmat_w)).numpy()
    quat = torch.from_numpy(gaussian_filter1d(quat, SMOOTHING_S * fps, axis=0, mode="nearest"))
    targets = gaussian_filter1d(guide.targets_w.numpy(), SMOOTHING_S * fps, axis=0, mode="nearest")
    rotmat_w = roma.unitquat_to_rotmat(torch.nn.functional.normalize(quat, dim=-1))
    return _Guide(rotmat_w, torch.from_numpy(targets))


def _resampled(guide: _Guide, fps: float, new_fps: float) -> _Guide:
    """Return the guide at another frame rate: slerp for rotations, linear for positions."""
    return _Guide(
        resample_rotations(guide.rotmat_w, fps, new_fps), resample_linear(guide.targets_w, fps, new_fps)
    )


def _standing_levels(guide: _Guide, fps: float) -> dict[str, float]:
    """Return the height (m) of each side's toe joint where that foot stands, on SMPL's foot.

    Where a foot hardly stands, the height of the other, or of the lower toe over the whole clip, is taken.
    """
    ankles = {side: guide.targets_w[:, list(_TARGETS).index(f"{side}_ankle")] for side in SIDES}
    toes = {side: (ankles[side] + _toe_offset_w(guide, side)).numpy() for side in SIDES}
    levels = {}
    for side in SIDES:
        frames = standing_frames(ankles[side].numpy(), toes[side], fps)
        if len(frames) >= MIN_STANDING_S * fps:
            levels[side] = float(np.percentile(toes[side][frames, 2], STANDING_PERCENTILE))
    lower = np.minimum(toes["left"][:, 2], toes["right"][:, 2])
    usual = np.mean(list(levels.values())) if levels else np.percentile(lower, LOWEST_PERCENTILE)
    return {side: levels.get(side, float(usual)) for side in SIDES}


def _toe_offset_w(guide: _Guide, side: str) -> torch.Tensor:
    """Return the vector [T, 3] m from ankle to toe of SMPL's foot as the guide holds it."""
    foot = guide.rotmat_w[:, skeleton.joint_index(f"{side}_ankle")]
    return foot @ torch.from_numpy(skeleton.offsets()[skeleton.joint_index(f"{side}_foot")])


def _grounded(guide: _Guide, levels: dict[str, float]) -> _Guide:
    """Return the guide moved so that standing feet, on average of both, have their soles at z = 0."""
    floor = np.mean(list(levels.values())) - SOLE_M
    return _Guide(guide.rotmat_w, guide.targets_w - torch.tensor([0.0, 0.0, floor], dtype=torch.float64))


def _levelled(guide: _Guide, levels: dict[str, float]) -> _Guide:
    """Return the guide with ankles raised or lowered by what one foot stands higher than the other.

    Legs of a captured skeleton are not measured to the centimetre, so that one foot would always float.
    """
    targets, usual = guide.targets_w.clone(), np.mean(list(levels.values()))
    for side, level in levels.items():
        shift = float(np.clip(usual - level, -MAX_LEVELLING_M, MAX_LEVELLING_M))
        targets[:, list(_TARGETS).index(f"{side}_ankle"), 2] += shift
    return _Guide(guide.rotmat_w, targets)


def _within_limits(guide: _Guide) -> _Guide:
    """Return the guide with joints turned no further from rest than a body's can.

    Beyond the limit the capture has usually flipped, so what lies between frames within it is interpolated;
    a joint that is never within it is turned back to it.
    """
    joints = [skeleton.joint_index(name) for name in MAX_TURN_RAD]
    limits = torch.tensor(list(MAX_TURN_RAD.values()), dtype=torch.float64)
    local = world_to_local(guide.rotmat_w)
    beyond = roma.rotmat_to_rotvec(local[:, joints]).norm(dim=-1) > limits
    quat = _bridged_rotations(roma.rotmat_to_unitquat(local[:, joints]), beyond.numpy())
    rotvec = roma.unitquat_to_rotvec(quat)
    angle = rotvec.norm(dim=-1, keepdim=True).clamp(min=1e-9)
    local[:, joints] = roma.rotvec_to_rotmat(rotvec * angle.clamp(max=limits[:, None]) / angle)
    return _Guide(local_to_world(local), guide.targets_w)


def _fit(guide: _Guide, weights: IkWeights = WEIGHTS) -> tuple[torch.Tensor, torch.Tensor]:
    """Return world rotations [T, 24, 3, 3] and pelvis [T, 3] that follow the guide."""
    targets = dict(zip(_TARGETS, guide.targets_w.unbind(dim=1), strict=True))
    middle = (targets["left_hip"] + targets["right_hip"]) / 2
    hips = skeleton.offsets()[[skeleton.joint_index("left_hip"), skeleton.joint_index("right_hip")]].mean(axis=0)
    root_pos = middle - guide.rotmat_w[:, 0] @ torch.from_numpy(hips)
    return solve(guide.rotmat_w, root_pos, targets, weights)


def _clear_of_torso(guide: _Guide, fps: float) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the fit to the guide, as `_fit` does, with arms outside the torso.

    Where the torso is, is known from a fit only: elbows and wrists are moved out of it by as much as they are
    inside in one fit, smoothly in time, and fitted again.
    """
    rotmat_w, root_pos = _fit(guide)
    wanted = dict(zip(_TARGETS, guide.targets_w.unbind(dim=1), strict=True))
    targets = dict(wanted)
    for _ in range(CLEARANCE_ROUNDS):
        joints_w = world_positions(rotmat_w, root_pos, torch.from_numpy(skeleton.offsets()))
        for side in SIDES:
            arm = [skeleton.joint_index(f"{side}_{name}") for name in ("shoulder", "elbow", "wrist")]
            wrist = wanted[f"{side}_wrist"]
            clear = arm_clearance(joints_w, rotmat_w, arm, wrist)
            targets[f"{side}_elbow"] = joints_w[:, arm[1]] + _lowpass(clear[:, 0] - joints_w[:, arm[1]], fps)
            targets[f"{side}_wrist"] = wrist + _lowpass(_limited(clear[:, 1] - wrist), fps)
        guided = _Guide(guide.rotmat_w, torch.stack([targets[name] for name in _TARGETS], dim=1))
        rotmat_w, root_pos = _fit(guided, CLEAR_WEIGHTS)
    return rotmat_w, root_pos


def _limited(push: torch.Tensor) -> torch.Tensor:
    """Return pushes [T, 3] m shortened, smoothly, to less than MAX_WRIST_PUSH_M."""
    length = push.norm(dim=-1, keepdim=True).clamp(min=1e-9)
    return push * (MAX_WRIST_PUSH_M * torch.tanh(length / MAX_WRIST_PUSH_M) / length)


def _lowpass(values: torch.Tensor, fps: float) -> torch.Tensor:
    """Return values [T, ...] without quick changes, so that a push sets in and ends softly."""
    sigma = CLEARANCE_SMOOTHING_S * fps
    return torch.from_numpy(gaussian_filter1d(values.numpy(), sigma, axis=0, mode="nearest"))


def arm_clearance(
    joints_w: torch.Tensor, rotmat_w: torch.Tensor, arm: list[int], wrist_w: torch.Tensor
) -> torch.Tensor:
    """Return where an arm's elbow and wrist, [T, 2, 3] m in the world, are clear of the torso.

    joints_w [T, 24, 3] m and rotmat_w [T, 24, 3, 3] are the pose; arm: joints shoulder, elbow, wrist;
    wrist_w [T, 3] m is where the wrist is wanted.

    Position-based dynamics (Mueller et al. 2007): points along the arm are projected out of the torso in
    turn, each moving the joints on its either side by their share, then bones get their lengths back. The
    wrist is drawn to where it is wanted before each sweep, so that the elbow gives way first.
    """
    shoulder, elbow, wrist = (joints_w[:, joint] for joint in arm)
    upper, fore = ((b - a).norm(dim=-1, keepdim=True) for a, b in ((shoulder, elbow), (elbow, wrist)))
    for _ in range(CLEARANCE_SWEEPS):
        wrist = wrist + WRIST_PULL * (wrist_w - wrist)
        for share, radius in UPPER_ARM_POINTS:
            point = shoulder + share * (elbow - shoulder)
            elbow = elbow + share * torso_push(point, joints_w, rotmat_w, radius)
        for share, radius in FOREARM_POINTS:
            push = torso_push(elbow + share * (wrist - elbow), joints_w, rotmat_w, radius)
            push = push / (share**2 + (1 - share) ** 2)
            elbow, wrist = elbow + max(1 - share, 0.0) * push, wrist + share * push
        along = torch.nn.functional.normalize(wrist - elbow, dim=-1)
        excess = ((wrist - elbow).norm(dim=-1, keepdim=True) - fore) * along
        elbow, wrist = elbow + excess / 2, wrist - excess / 2
        elbow = shoulder + upper * torch.nn.functional.normalize(elbow - shoulder, dim=-1)
    return torch.stack((elbow, wrist), dim=1)


def torso_push(
    point_w: torch.Tensor, joints_w: torch.Tensor, rotmat_w: torch.Tensor, radius_m: float
) -> torch.Tensor:
    """Return the displacement [T, 3] m that brings spheres at point_w [T, 3] m out of the torso.

    Each cylinder of TORSO_M pushes along its ellipse's radius, less and less beyond its ends, which keeps
    the push continuous in the position; the pushes of several are averaged with the fourth power of their
    lengths as weights, which is nearly the longest.
    """
    pushes = []
    for name, (half_width, z_middle, half_depth, low, high) in TORSO_M.items():
        joint = skeleton.joint_index(name)
        x, y, z = ((point_w - joints_w[:, joint])[:, None] @ rotmat_w[:, joint])[:, 0].unbind(-1)
        radial = torch.stack((x, torch.zeros_like(x), z - z_middle), dim=-1)
        axes = torch.tensor([half_width + radius_m, 1.0, half_depth + radius_m], dtype=x.dtype)
        depth = (radial / axes).norm(dim=-1).clamp(min=0.1)
        beyond = torch.maximum(low - y, y - high).clamp(min=0.0)
        fade = (1 - beyond / (radius_m + TORSO_FADE_M)).clamp(min=0.0)
        local = radial * ((1 / depth - 1).clamp(min=0.0) * fade)[:, None]
        pushes.append((rotmat_w[:, joint] @ local[..., None])[..., 0])
    stacked = torch.stack(pushes)
    emphasis = stacked.norm(dim=-1, keepdim=True) ** 4 + 1e-12
    return (stacked * emphasis).sum(dim=0) / emphasis.sum(dim=0)


def _errors(guide: _Guide, rotmat_w: torch.Tensor, root_pos: torch.Tensor) -> dict[str, float]:
    joints_w = world_positions(rotmat_w, root_pos, torch.from_numpy(skeleton.offsets()))
    targets = dict(zip(_TARGETS, guide.targets_w.unbind(dim=1), strict=True))
    return {
        name: (joints_w[:, skeleton.joint_index(name)] - targets[name]).norm(dim=-1).mean().item()
        for name in _MEASURED
    }


def _finished(rotmat_w: torch.Tensor, root_pos: torch.Tensor, fps: float) -> Motion:
    """Return the motion with toes resting on the floor and hands in line with the wrists."""
    joints_w = world_positions(rotmat_w, root_pos, torch.from_numpy(skeleton.offsets()))
    toes = [skeleton.joint_index(f"{side}_foot") for side in SIDES]
    local = roma.rotmat_to_rotvec(world_to_local(rotmat_w))
    local[:, toes] = _resting_toes(rotmat_w[:, toes], joints_w[:, toes, 2])
    local[:, [skeleton.joint_index(f"{side}_hand") for side in SIDES]] = 0.0
    return Motion(local.float().numpy(), root_pos.numpy(), fps=fps)


def _resting_toes(foot_rotmat_w: torch.Tensor, toe_height_m: torch.Tensor) -> torch.Tensor:
    """Return toe rotations [T, 2, 3] rad that keep toes level where a lifted heel rests on them.

    A foot's front is its local z; turning about local -x raises it. Few mocap skeletons bend their toes, and
    straight ones would reach centimetres under the floor whenever the dancer stands on the ball of the foot.
    """
    pitch_down = -torch.asin(foot_rotmat_w[..., 2, 2].clamp(-1, 1))
    nearness = ((TOE_REST_HEIGHT_M - toe_height_m) / (TOE_REST_HEIGHT_M - SOLE_M)).clamp(0, 1)
    bend = pitch_down.clamp(0, MAX_TOE_BEND_RAD) * nearness
    return torch.stack((-bend, torch.zeros_like(bend), torch.zeros_like(bend)), dim=-1)
