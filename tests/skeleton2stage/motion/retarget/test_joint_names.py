"""What names of joints say: sides, words, prefixes, helpers, in the manners of many programs."""

import pytest

from skeleton2stage.motion.retarget.joint_names import plain, read_names


def read(*names: str):
    return read_names(names)


@pytest.mark.parametrize(("text", "told"), [
    ("Knöchel", "knochel"), ("TÊTE", "tete"), ("Fuß", "fuss"), ("ﾋｻﾞ", plain("ヒザ")), ("Ｈｉｐｓ", "hips"),
    ("КОЛЕНО", "колено"),
])
def test_letters_are_compared_without_case_width_and_accents(text, told):
    assert plain(text) == told


@pytest.mark.parametrize("name", [
    "LeftArm", "leftArm", "left_arm", "Left Arm", "left.arm", "LEFT_ARM", "Arm_L", "arm.l", "L_Arm", "lArm", "ArmLeft",
    "leftarm", "armleft", "J_Arm_L", "left-arm", "mixamorig:LeftArm", "rig|Left_Arm", "Arm01_L", "左Arm", "Arm左",
])
def test_the_side_and_the_word_in_every_spelling(name):
    readings = read(name)[0].readings
    assert ("left", "arm") in readings, readings


@pytest.mark.parametrize(("name", "side"), [
    ("LeftArm", "left"), ("R_Hand", "right"), ("Hips", ""), ("left_right_ik", ""), ("Lower_Arm_R", "right"),
    ("Foot_Links", "left"), ("手_右", "right"), ("Main_gauche", "left"),
])
def test_a_side_is_said_by_a_word_of_its_own(name, side):
    assert read(name)[0].side == side


def test_letters_are_sides_only_where_both_of_a_pair_stand():
    """French g and d: alone a d may be anything."""
    both = read("bras_g", "bras_d", "tete")
    alone = read("bras_d", "tete", "hanches")
    assert [name.side for name in both] == ["left", "right", ""]
    assert alone[0].side == ""


@pytest.mark.parametrize(("name", "helper"), [
    ("LeftArmTwist", True), ("LeftFoot_IK", True), ("head_end", True), ("LeftArmRoll1", True), ("LeftForeArm", False),
    ("Bip01 L Toe0Nub", True), ("Hips", False), ("jaw", True),
])
def test_twists_targets_and_ends_are_helpers(name, helper):
    assert read(name)[0].helper == helper


def test_what_all_names_begin_with_is_no_part_of_them():
    readings = [name.readings[-1] for name in read("HeroHips", "HeroHead", "HeroNeck")]
    assert readings == [("", "hips"), ("", "head"), ("", "neck")]
    assert [name.readings[-1][1] for name in read("xhips", "xhead", "xneck")] == ["hips", "head", "neck"]
    # Of two names, or where a name would be nothing without it, they stay.
    assert read("HeroHips", "HeroHead")[0].readings[-1] == ("", "herohips")
    assert read("Hero", "HeroHead", "HeroNeck")[0].readings[-1] == ("", "hero")


def test_a_word_that_most_names_have_says_whose_they_are():
    names = ("CC_Base_Hip", "CC_Base_Head", "CC_Base_L_Calf", "Root")
    assert [name.readings[-1][1] for name in read(*names)[:2]] == ["hip", "head"]


def test_numbers_are_no_words():
    assert read("Spine2")[0].readings == read("Spine")[0].readings
    assert read("LeftArm_01")[0].words("left") == read("LeftArm")[0].words("left")


def test_likelier_readings_come_first():
    """A side that stands by itself is likelier than one that a word begins or ends with."""
    readings = read("L_Leg")[0].readings
    assert readings[0] == ("left", "leg") and readings[-1] == ("", "lleg")
    assert len(readings) == len(set(readings))
