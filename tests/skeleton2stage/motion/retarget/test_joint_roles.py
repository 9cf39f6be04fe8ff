import numpy as np
import pytest
from naming_styles import MANNERS, STYLES, UNKNOWN, lacking
from skeleton_manners import NAMES, along, bvh_of, dance, misses

from skeleton2stage.errors import UserError
from skeleton2stage.motion.bvh import read_bvh, usual_offsets
from skeleton2stage.motion.retarget.joint_names import plain, read_names
from skeleton2stage.motion.retarget.joint_roles import find_roles
from skeleton2stage.motion.retarget.joint_tree import JointTree
from skeleton2stage.motion.retarget.retarget import retarget
from skeleton2stage.motion.retarget.source_skeleton import understand

ROLES = (
    "pelvis",
    "neck",
    "head",
    *(
        f"{side}_{part}"
        for side in ("left", "right")
        for part in ("hip", "knee", "ankle", "collar", "shoulder", "elbow", "wrist")
    ),
)
POSES, PELVIS = dance(60)


def written(tmp_path, names, extras=(), **options):
    (tmp_path / "a.bvh").write_text(bvh_of(POSES, PELVIS, names, extras, left_out=lacking(names), **options))
    return read_bvh(tmp_path / "a.bvh")


def roles_of(bvh):
    return find_roles(bvh.names, JointTree(bvh.parents, np.linalg.norm(usual_offsets(bvh), axis=1)))


@pytest.mark.parametrize("name", STYLES)
def test_joints_are_told_by_their_names(tmp_path, name):
    names, extras = STYLES[name]
    bvh = written(tmp_path, names, extras)
    found = roles_of(bvh)
    assert {role: bvh.names[found.joints[role]] for role in ROLES} == {role: names[role] for role in ROLES}
    for side in ("left", "right"):
        toe = names[f"{side}_foot"] if f"{side}_foot" not in lacking(names) else names[f"{side}_ankle"] + "_end"
        assert bvh.names[found.joints[f"{side}_toe"]] == toe
    assert found.sides_named and bvh.names[found.joints["chest"]] == names["spine3"]


@pytest.mark.parametrize("name", UNKNOWN)
@pytest.mark.parametrize("axes", [None, "x"])
def test_joints_without_known_names_are_told_by_the_tree(tmp_path, name, axes):
    names = UNKNOWN[name]
    source = understand(written(tmp_path, names, axes=axes and along(axes)))
    control = understand(written(tmp_path, STYLES["LAFAN1"][0], axes=axes and along(axes)))
    for role in ROLES:
        np.testing.assert_allclose(source.position[role], control.position[role], atol=1e-9)


@pytest.mark.parametrize("name", MANNERS)
@pytest.mark.parametrize("axes", [None, "x"])
def test_motion_comes_back_from_the_manners_of_the_field(tmp_path, name, axes):
    motion, report = retarget(written(tmp_path, *MANNERS[name], axes=axes and along(axes)))
    away_m, turned_rad = misses(motion, POSES, PELVIS)
    assert away_m < 0.01 and np.degrees(turned_rad) < 5
    assert report.rest_pose == ("motion" if axes else "zero pose")


def test_exchanged_sides_are_refused(tmp_path):
    names = STYLES["LAFAN1"][0]
    exchanged = {
        joint: name.replace("Left", "#").replace("Right", "Left").replace("#", "Right")
        for joint, name in names.items()
    }
    with pytest.raises(UserError, match="left and right are exchanged"):
        understand(written(tmp_path, exchanged))


def test_names_that_the_tree_contradicts_are_refused(tmp_path):
    names = STYLES["LAFAN1"][0] | {"left_knee": "LeftThigh", "left_hip": "Left1", "right_hip": "Right1"}
    with pytest.raises(UserError, match="LeftThigh is named as a hip and lies where the left knee would be"):
        roles_of(written(tmp_path, names))


def test_names_moved_along_a_limb_are_refused(tmp_path):
    names = STYLES["LAFAN1"][0]
    for side in ("Left", "Right"):
        low = side.lower()
        moved = {"collar": "UpperArm", "shoulder": "Elbow", "elbow": "Wrist", "wrist": "Finger"}
        names = names | {f"{low}_{part}": side + word for part, word in moved.items()}
    with pytest.raises(UserError, match="the other: its shoulder, elbow and wrist cannot be told"):
        roles_of(written(tmp_path, names))


def test_nobody_is_found_in_a_tree_without_limbs(tmp_path):
    tree = JointTree((-1, 0, 1, 2, 3), np.array([0.0, 1.0, 1.0, 1.0, 1.0]))
    with pytest.raises(UserError, match="recognisable as left_hip.*its joints are a, b, c, d, e"):
        find_roles(("a", "b", "c", "d", "e"), tree)


def test_three_pairs_of_equal_limbs_are_not_guessed_at(tmp_path):
    names = {name: f"j{i}" for i, name in enumerate(NAMES)}
    bvh = written(tmp_path, names)
    parents, lengths = list(bvh.parents), list(np.linalg.norm(bvh.offsets, axis=1))
    for _ in range(2):  # wings
        start = len(parents)
        parents += [bvh.names.index("j9"), start, start + 1]
        lengths += [10.0, 40.0, 40.0]
    with pytest.raises(UserError, match="recognisable"):
        find_roles((*bvh.names, *"abcdef"), JointTree(tuple(parents), np.array(lengths)))


@pytest.mark.parametrize(
    ("name", "reading"),
    [
        ("LeftForeArm", ("left", "forearm")),
        ("upper_arm.L", ("left", "upperarm")),
        ("mixamorig1:RightUpLeg", ("right", "upleg")),
        ("Bip001 R Toe0", ("right", "toe")),
        ("rShldr", ("right", "shldr")),
        ("左ひざ", ("left", plain("ひざ"))),
        ("Fuß_rechts", ("right", "fuss")),
    ],
)
def test_readings(name, reading):
    assert reading in read_names((name,))[0].readings


def test_prefixes_that_all_names_share_are_no_words():
    first, second, third = read_names(("CC_Base_L_Calf", "CC_Base_Hip", "CC_Base_R_Foot"))
    assert (
        ("left", "calf") in first.readings and ("", "hip") in second.readings and ("right", "foot") in third.readings
    )
