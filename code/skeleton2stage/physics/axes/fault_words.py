"""How each axis puts a fault into words."""

import torch

from skeleton2stage.motion.motion import FPS
from skeleton2stage.physics.axes.contact_axes import ALLOWED_SLIDE_CMPS
from skeleton2stage.physics.axes.part_names import joint_name, part_name, with_article
from skeleton2stage.physics.axes.person_limits import speeds_radps, strengths_nm

When = tuple[float, float, float]
_SHORT_S = 0.25  # what is shorter happens "at" a time
PELVIS = 0
_WHOLE_BODY = 12  # so many parts at fault at once are the body


def say(axis: str, values: torch.Tensor, frame: int, part: int, parts: list[int], when: When) -> str:
    """Return a fault as a clause that begins with a small letter.

    values [F, 24] of its frames in the axis' unit, worst at `frame` and `part`; parts, all at fault; when: start, stop
    and worst moment, s.
    """
    words = _WORDS[axis](values, frame, part, parts)
    start_s, stop_s, peak_s = when
    # Of peaks the worst moment tells more than the stretch.
    if axis in ("torque", "power", "joint_speed") or stop_s - start_s < _SHORT_S:
        return f"{words} at {peak_s:.1f} s"
    return f"{words} from {start_s:.1f} to {stop_s:.1f} s"


def _penetration(values: torch.Tensor, frame: int, part: int, _: list[int]) -> str:
    depth = values[frame, part]
    same = ((values[frame] - depth).abs() < 1e-4).nonzero().squeeze(-1).tolist()
    others = [other for other in same if other != part]
    # The part that moves is further from the trunk: the later of the two in SMPL's order.
    outer, inner = (max(part, others[0]), min(part, others[0])) if others else (part, part)
    return f"{part_name(outer)} {depth:.0f} cm inside {with_article(part_name(inner))}"


def _joint_limits(values: torch.Tensor, frame: int, part: int, _: list[int]) -> str:
    return f"{joint_name(part)} {values[frame, part]:.0f}° beyond what a person's bends or turns"


def _joint_speed(values: torch.Tensor, frame: int, part: int, _: list[int]) -> str:
    if part == PELVIS:
        return f"the body turns about by {_turned_deg(values[:, PELVIS]):.0f}° faster than a person's can"
    return f"{joint_name(part)} turns at {values[frame, part]:.0f} rad/s, faster than a person's"


def _turned_deg(speed: torch.Tensor) -> float:
    """Return by how much the body turns in its fast steps, of speeds [F] rad/s.

    A frame's speed is the faster of the steps before and after it, so that n fast steps in a row are n + 1 fast frames.
    """
    fast = speed > speeds_radps()[PELVIS]
    rows = int((fast & ~torch.cat((fast.new_zeros(1), fast[:-1]))).sum())
    frames = int(fast.sum())
    return float(torch.rad2deg(speed[fast].mean())) / FPS * (frames - rows) if frames else 0.0


def _jerk(values: torch.Tensor, _: int, part: int, parts: list[int]) -> str:
    what = "the whole body" if len(parts) >= _WHOLE_BODY else part_name(part)
    return f"{what} {'trembles' if len(values) > _SHORT_S * FPS else 'leaps in place'}"


def _slide(values: torch.Tensor, _: int, part: int, __: list[int]) -> str:
    speed = values[:, part]
    return f"{part_name(part)} slides {float(speed[speed > ALLOWED_SLIDE_CMPS].sum()) / FPS:.0f} cm on the floor"


def _sink(values: torch.Tensor, frame: int, part: int, _: list[int]) -> str:
    return f"{part_name(part)} {values[frame, part]:.0f} cm under the floor"


def _float(values: torch.Tensor, frame: int, _: int, __: list[int]) -> str:
    return f"the body floats {values[frame, 0]:.0f} cm over the floor"


def _support(values: torch.Tensor, frame: int, _: int, __: list[int]) -> str:
    return f"the body is held up {values[frame, 0]:.0f} cm outside its feet"


def _torque(values: torch.Tensor, frame: int, part: int, _: list[int]) -> str:
    times = float(values[frame, part]) / strengths_nm()[part]
    return f"{joint_name(part)} needs {values[frame, part]:.0f} N·m, {times:.1f} times a person's strength,"


def _ground_force(values: torch.Tensor, frame: int, _: int, __: list[int]) -> str:
    return f"the floor cannot give {values[frame, 0]:.0f} % of the body's weight that the motion needs"


def _residual(values: torch.Tensor, frame: int, _: int, __: list[int]) -> str:
    return f"an invisible hand must push or turn the body by {values[frame, 0]:.0f} % of its weight"


def _power(values: torch.Tensor, frame: int, _: int, __: list[int]) -> str:
    return f"the joints drive with {values[frame, 0]:.0f} W a kilogram, more than a person's do,"


_WORDS = {
    "penetration": _penetration,
    "joint_limits": _joint_limits,
    "joint_speed": _joint_speed,
    "jerk": _jerk,
    "slide": _slide,
    "sink": _sink,
    "float": _float,
    "support": _support,
    "torque": _torque,
    "ground_force": _ground_force,
    "residual": _residual,
    "power": _power,
}
