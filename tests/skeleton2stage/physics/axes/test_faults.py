"""Faults in words, from readings made by hand."""

import re

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from skeleton2stage.motion import skeleton
from skeleton2stage.motion.motion import Motion
from skeleton2stage.physics.axes.fault_words import say
from skeleton2stage.physics.axes.faults import faults, stretches, summary
from skeleton2stage.physics.axes.part_names import joint_name, part_name
from skeleton2stage.physics.axes.read_axes import AXES, GROUPS, WHOLE_BODY, AxisReader
from skeleton2stage.physics.axes.reading import Reading

T = 150


def index(name: str) -> int:
    return skeleton.joint_index(name)


def reading(cells: dict[tuple[int, int, str], tuple[float, float]], unit: str = "cm") -> Reading:
    """A reading with (value, share) at frames and parts, zero elsewhere."""
    value, share = torch.zeros(2, 1, T, 24)
    for (start, stop, name), (amount, fault) in cells.items():
        value[0, start:stop, index(name)], share[0, start:stop, index(name)] = amount, fault
    return Reading(value, share, unit)


def test_the_issues_own_sentence():
    """A forearm in the chest from 2.1 to 2.9 s, 4 cm, and a foot that slides 11 cm at 3.4 s."""
    readings = {
        "penetration": reading({
            (63, 87, "right_elbow"): (4.0, 0.4), (63, 87, "spine3"): (4.0, 0.4),
        }),
        "slide": reading({(101, 105, "left_ankle"): (82.5, 0.4)}, "cm/s"),
    }
    found = faults(readings)
    assert [fault.axis for fault in found] == ["penetration", "slide"]
    expected = "Right forearm 4 cm inside the chest from 2.1 to 2.9 s; left foot slides 11 cm on the floor at 3.4 s."
    assert summary(found) == expected
    assert (found[0].start_s, found[0].stop_s, found[0].peak) == (2.1, 2.9, 4.0)
    assert set(found[0].parts) == {index("right_elbow"), index("spine3")}
    assert found[0].cost == pytest.approx(24 * 0.4)


def test_stretches_bridge_short_gaps_alone():
    marked = torch.zeros(60, dtype=torch.bool)
    marked[5:10] = marked[15:20] = marked[40:41] = True
    assert stretches(marked) == [(5, 20), (40, 41)]
    assert stretches(torch.zeros(5, dtype=torch.bool)) == []


def flipped(degrees: float, frames: int) -> Motion:
    """Return a motion that stands, and turns about the vertical within so many frames from the 60th on."""
    poses, translation = np.zeros((T, 24, 3), np.float32), np.zeros((T, 3), np.float32)
    turned = np.radians(np.interp(np.arange(T), [60, 60 + frames], [0.0, degrees]))
    upright = Rotation.from_rotvec([np.pi / 2, 0.0, 0.0])
    poses[:, 0] = (Rotation.from_rotvec(np.outer(turned, [0.0, 0.0, 1.0])) * upright).as_rotvec()
    translation[:, 2] = 0.95
    return Motion(poses, translation)


@pytest.mark.parametrize(("degrees", "frames"), [(170.0, 1), (120.0, 1), (150.0, 2)])
def test_a_body_turned_about_at_once_is_among_what_is_said_first(degrees, frames):
    readings = AxisReader.of_body().read_motions([flipped(degrees, frames)])[0]
    # Long and lesser faults of three other kinds, which would leave no room for what lasts a frame or two.
    readings |= {
        "sink": reading({(0, 40, "left_foot"): (6.0, 0.25)}), "slide": reading({(70, 110, "left_ankle"): (80.0, 0.25)}),
        "float": reading({(110, 150, "pelvis"): (8.0, 0.25)}),
    }
    said = summary(faults(readings))
    found = re.search(r"the body turns about by (\d+)° faster than a person's can at 2\.\d s", said, re.IGNORECASE)
    assert found, said
    assert float(found[1]) == pytest.approx(degrees, abs=3)


def test_two_flips_near_each_other_add_up():
    speed = torch.zeros(12, 24)
    speed[2:4, 0], speed[7:9, 0] = 40.0, 60.0  # two steps, each the faster one of two frames
    said = say("joint_speed", speed, 7, 0, [0], (1.0, 1.4, 1.2))
    assert said == f"the body turns about by {np.degrees(100 / 30):.0f}° faster than a person's can at 1.2 s"


def test_a_slight_haste_does_not_come_before_what_lasts():
    readings = {
        "joint_speed": reading({(20, 22, "left_elbow"): (24.0, 0.2)}, "rad/s"),
        "float": reading({(30, 60, "pelvis"): (8.0, 0.5)}),
    }
    assert [fault.axis for fault in faults(readings)] == ["float", "joint_speed"]


def test_what_is_hardly_wrong_is_not_said_and_the_worst_comes_first():
    readings = {
        "sink": reading({(0, 90, "left_foot"): (3.0, 0.1)}),
        "float": reading({(30, 60, "pelvis"): (8.0, 0.5)}),
        "support": reading({(90, 150, "pelvis"): (40.0, 1.0)}),
    }
    found = faults(readings)
    assert [fault.axis for fault in found] == ["support", "float"]
    assert summary(found).startswith("The body floats 8 cm over the floor from 1.0 to 2.0 s; the body is held up 40 cm")
    assert summary([]) == "Nothing that a person could not do."


@pytest.mark.parametrize("axis", [axis for axis in AXES if axis != "penetration_area"])
def test_every_axis_has_its_words(axis):
    values = torch.full((30, 24), 300.0)
    part = 0 if axis in WHOLE_BODY else index("left_knee")
    sentence = say(axis, values, 3, part, [part], (1.0, 2.0, 1.1))
    assert sentence.endswith(("from 1.0 to 2.0 s", "at 1.1 s")) and not sentence.endswith(".")
    assert "nan" not in sentence and sentence[0].islower()
    assert GROUPS[axis] in ("kinematics", "contact", "dynamics")


def test_words_follow_what_is_wrong():
    values = torch.zeros(20, 24)
    values[:, index("right_knee")] = 540.0
    torque = say("torque", values, 3, index("right_knee"), [index("right_knee")], (1.0, 1.6, 1.2))
    assert torque == "right knee needs 540 N·m, 2.0 times a person's strength, at 1.2 s"
    everywhere = list(range(24))
    assert say("jerk", values, 0, 20, everywhere, (0.0, 0.7, 0.1)).startswith("the whole body trembles from")
    assert say("jerk", values[:3], 0, 20, everywhere, (3.0, 3.1, 3.0)) == "the whole body leaps in place at 3.0 s"
    assert say("jerk", values, 0, index("left_wrist"), [20], (0.0, 0.7, 0.1)).startswith("left hand trembles")


@pytest.mark.parametrize(("axis", "part", "amount", "sentence"), [
    ("joint_limits", "left_knee", 37.4, "left knee 37° beyond what a person's bends or turns from 1.0 to 2.0 s"),
    ("joint_speed", "right_elbow", 61.6, "right elbow turns at 62 rad/s, faster than a person's at 1.4 s"),
    ("sink", "left_foot", 6.4, "left toes 6 cm under the floor from 1.0 to 2.0 s"),
    ("float", "pelvis", 8.6, "the body floats 9 cm over the floor from 1.0 to 2.0 s"),
    ("support", "pelvis", 24.4, "the body is held up 24 cm outside its feet from 1.0 to 2.0 s"),
    ("torque", "left_elbow", 135.0, "left elbow needs 135 N·m, 1.5 times a person's strength, at 1.4 s"),
    ("ground_force", "pelvis", 80.4,
     "the floor cannot give 80 % of the body's weight that the motion needs from 1.0 to 2.0 s"),
    ("residual", "pelvis", 96.0,
     "an invisible hand must push or turn the body by 96 % of its weight from 1.0 to 2.0 s"),
    ("power", "pelvis", 55.0, "the joints drive with 55 W a kilogram, more than a person's do, at 1.4 s"),
])
def test_each_axis_says_what_it_has_found(axis, part, amount, sentence):
    values = torch.zeros(30, 24)
    values[12, index(part)] = amount
    assert say(axis, values, 12, index(part), [index(part)], (1.0, 2.0, 1.4)) == sentence


def test_the_part_that_moves_is_named_before_the_one_it_is_in():
    values = torch.zeros(30, 24)
    values[:, [index("left_hip"), index("right_wrist")]] = 5.2
    for part in ("left_hip", "right_wrist"):
        said = say("penetration", values, 3, index(part), [index(part)], (1.0, 2.0, 1.4))
        assert said == "right hand 5 cm inside left thigh from 1.0 to 2.0 s"


def test_a_slide_is_told_by_the_way_it_takes_where_it_is_at_fault():
    """Ten frames of 60 cm/s and ten of 20, which is allowed: 10 · 60 / 30 cm."""
    values = torch.zeros(30, 24)
    values[:10, index("left_ankle")], values[10:20, index("left_ankle")] = 60.0, 20.0
    said = say("slide", values, 3, index("left_ankle"), [index("left_ankle")], (1.0, 2.0, 1.4))
    assert said == "left foot slides 20 cm on the floor from 1.0 to 2.0 s"


@pytest.mark.parametrize(("stop_s", "end"), [(1.2, "at 1.1 s"), (1.3, "from 1.0 to 1.3 s")])
def test_what_is_shorter_than_a_quarter_second_happens_at_a_time(stop_s, end):
    said = say("sink", torch.full((9, 24), 5.0), 3, index("left_foot"), [index("left_foot")], (1.0, stop_s, 1.1))
    assert said.endswith(f"under the floor {end}")


@pytest.mark.parametrize(("n_parts", "who"), [(11, "left hand"), (12, "the whole body")])
@pytest.mark.parametrize(("frames", "does"), [(7, "leaps in place"), (8, "trembles")])
def test_twelve_parts_are_the_body_and_what_lasts_trembles(n_parts, who, frames, does):
    values = torch.full((frames, 24), 5000.0)
    said = say("jerk", values, 0, index("left_wrist"), list(range(n_parts)), (1.0, 2.0, 1.1))
    assert said.startswith(f"{who} {does} ")


@pytest.mark.parametrize(("gap", "n_faults"), [(8, 1), (9, 2)])
def test_what_is_apart_by_more_than_eight_frames_is_two_faults(gap, n_faults):
    found = faults({"sink": reading({
        (10, 20, "left_foot"): (6.0, 0.5), (20 + gap, 40, "left_foot"): (7.0, 0.6),
    })})
    assert len(found) == n_faults and found[0].peak == 7.0


@pytest.mark.parametrize(("share", "n_faults"), [(0.14, 0), (0.16, 1)])
def test_what_never_comes_to_fifteen_hundredths_is_not_said(share, n_faults):
    assert len(faults({"sink": reading({(10, 20, "left_foot"): (6.0, share)})})) == n_faults


def test_the_worst_of_equals_is_the_largest_in_units():
    """Shares end at one: of two parts that are wholly wrong the deeper is named, at its deepest frame."""
    (fault,) = faults({"sink": reading({
        (10, 20, "left_foot"): (12.0, 1.0), (10, 20, "right_foot"): (15.0, 1.0), (14, 15, "right_foot"): (19.0, 1.0),
    })})
    assert (fault.part, fault.peak, fault.peak_s) == (index("right_foot"), 19.0, pytest.approx(14 / 30))
    assert (fault.start_s, fault.stop_s) == (pytest.approx(1 / 3), pytest.approx(2 / 3))
    assert fault.cost == 10.0


def test_a_summary_has_three_axes_at_most_in_the_order_of_time():
    readings = {
        "sink": reading({(100, 140, "left_foot"): (8.0, 0.9), (0, 30, "left_foot"): (8.0, 0.8)}),
        "float": reading({(60, 90, "pelvis"): (8.0, 0.7)}),
        "support": reading({(20, 40, "pelvis"): (30.0, 0.6)}),
        "power": reading({(5, 15, "pelvis"): (80.0, 0.5)}, "W/kg"),
    }
    found = faults(readings)
    assert [fault.cost for fault in found] == sorted((fault.cost for fault in found), reverse=True)
    clauses = summary(found).split("; ")
    assert [clause.split(" ")[2] for clause in clauses] == ["is", "floats", "8"] and len(found) == 5
    assert summary(found, most=1).startswith("Left toes 8 cm under the floor from 3.3 to 4.7 s.")


def test_names_are_english():
    names = {part_name(joint) for joint in range(24)} | {joint_name(joint) for joint in range(24)}
    assert {"left thigh", "right forearm", "chest", "left knee", "right toes"} <= names
    assert not any("_" in name or any(character.isdigit() for character in name) for name in names)


def test_a_damaged_motion_is_told_what_was_done(reader, stand):
    """A knee bent back by 45 degrees for a second, found in the words of the axis that must find it."""
    from pretrain.damage.catalogue import DAMAGES
    from skeleton2stage.motion.motion import Motion

    poses, pelvis = stand(np.zeros(T))
    motion = DAMAGES["hyperextended_knee"].apply(Motion(poses.numpy(), pelvis.numpy()), 0, 45.0)
    found = faults(reader.read_motions([motion])[0])
    words = [fault.sentence for fault in found if fault.axis == "joint_limits"]
    assert len(words) == 1 and "knee 37° beyond" in words[0]
