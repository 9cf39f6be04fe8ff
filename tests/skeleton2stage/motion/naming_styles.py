"""How programs and people name joints, and which joints besides SMPL's they have: name, extras, what they lack."""

from skeleton_manners import HANDS, NAMES, OFFSETS, Extra

TRUNK = ("pelvis", "spine1", "spine2", "spine3", "neck", "head")
LIMBS = ("hip", "knee", "ankle", "foot", "collar", "shoulder", "elbow", "wrist", "hand")


def style(trunk, limbs, left="Left{}", right="Right{}"):
    """Return names by SMPL joint, of words for trunk and limbs; the sides' marks are patterns."""
    names = dict(zip(TRUNK, trunk.split("|"), strict=True))
    for side, mark in (("left", left), ("right", right)):
        names |= {f"{side}_{part}": mark.format(word) for part, word in zip(LIMBS, limbs.split("|"), strict=False)}
    return names


def both(name, parent, rides, share=0.0, takes=()):
    """Return an extra joint on either side, at a share of the way from the joint it rides to its child in SMPL."""
    found = []
    for side, mark in (("left", "Left"), ("right", "Right")):
        joint = f"{side}_{rides}"
        child = next(
            n
            for n in NAMES
            if n.startswith(side)
            and NAMES.index(n) > NAMES.index(joint)
            and n.endswith(LIMBS[LIMBS.index(rides) + 1])
        )
        hangs = f"{side}_{parent}" if parent in LIMBS else parent.format(mark) if parent else None
        at = tuple(share * OFFSETS[NAMES.index(child)])
        found.append(Extra(name.format(mark), hangs, joint, at, tuple(f"{side}_{part}" for part in takes)))
    return found


HUMAN_IK = "UpLeg|Leg|Foot|ToeBase|Shoulder|Arm|ForeArm|Hand"
UNREAL = "thigh|calf|foot|ball|clavicle|upperarm|lowerarm|hand"
FINGERS = [
    extra
    for finger, z in (("Thumb", 0.02), ("Index", 0.01), ("Pinky", -0.02))
    for side, x in (("left", 1), ("right", -1))
    for extra in (
        Extra(f"{side.title()}Hand{finger}1", f"{side}_wrist", f"{side}_wrist", (0.08 * x, 0, z)),
        Extra(f"{side.title()}Hand{finger}2", f"{side.title()}Hand{finger}1", f"{side}_wrist", (0.11 * x, 0, z)),
    )
]
FACE = [
    Extra("Jaw", "head", "head", (0, 0, 0.03)),
    Extra("LeftEye", "head", "head", (0.03, 0.08, 0.08)),
    Extra("RightEye", "head", "head", (-0.03, 0.08, 0.08)),
    Extra("HeadTop_End", "head", "head", (0, 0.2, 0)),
]
REFERENCE = [Extra("Reference", None, "pelvis", (0, 0, 0), ("pelvis",))]
BIPED = style(
    "Bip01 Pelvis|Bip01 Spine|Bip01 Spine1|Bip01 Spine2|Bip01 Neck|Bip01 Head",
    "Thigh|Calf|Foot|Toe0|Clavicle|UpperArm|Forearm|Hand",
    "Bip01 L {}",
    "Bip01 R {}",
)

# Those that the field's files come in: each is read whole, and must come back as the motion it was made of.
MANNERS = {
    "LAFAN1": (style("Hips|Spine|Spine1|Spine2|Neck|Head", HUMAN_IK.replace("ToeBase", "Toe")), []),
    "Mixamo": (
        {joint: f"mixamorig:{name}" for joint, name in style("Hips|Spine|Spine1|Spine2|Neck|Head", HUMAN_IK).items()},
        FINGERS + FACE[-1:],
    ),
    "Rokoko": (
        style("Hips|Spine1|Spine2|Spine3|Neck|Head", "Thigh|Shin|Foot|Toe|Shoulder|Arm|ForeArm|Hand"),
        FINGERS,
    ),
    "Xsens": (style("Pelvis|L5|L3|T8|Neck|Head", "UpperLeg|LowerLeg|Foot|Toe|Shoulder|UpperArm|ForeArm|Hand"), []),
    "Perception Neuron": (
        style(
            "Robot_Hips|Robot_Spine|Robot_Spine1|Robot_Spine2|Robot_Neck|Robot_Head",
            HUMAN_IK.replace("|ToeBase", "|"),
            "Robot_Left{}",
            "Robot_Right{}",
        ),
        FINGERS,
    ),
    "Unreal": (
        style("pelvis|spine_01|spine_02|spine_03|neck_01|head", UNREAL, "{}_l", "{}_r"),
        [
            Extra("root", None, "pelvis", (0, 0, 0), ("pelvis",)),
            *both("thigh_twist_01_{}", "hip", "hip", 0.5),
            *both("upperarm_twist_01_{}", "shoulder", "shoulder", 0.5),
            Extra("ik_foot_root", "root", "pelvis"),
        ],
    ),
    "VRoid": (
        style(
            "J_Bip_C_Hips|J_Bip_C_Spine|J_Bip_C_Chest|J_Bip_C_UpperChest|J_Bip_C_Neck|J_Bip_C_Head",
            "UpperLeg|LowerLeg|Foot|ToeBase|Shoulder|UpperArm|LowerArm|Hand",
            "J_Bip_L_{}",
            "J_Bip_R_{}",
        ),
        [
            Extra("J_Sec_Hair1_01", "head", "head", (0, 0.1, -0.1)),
            Extra("J_Sec_Hair2_01", "J_Sec_Hair1_01", "head", (0, -0.4, -0.1)),
            Extra("J_Sec_L_Bust1", "spine3", "spine3", (0.08, 0, 0.1)),
            Extra("J_Sec_R_Bust1", "spine3", "spine3", (-0.08, 0, 0.1)),
        ],
    ),
    "Biped": (
        BIPED,
        [
            Extra("Bip01", None, "pelvis", (0, 0, 0), ("pelvis",)),
            Extra("Bip01 HeadNub", "head", "head", (0, 0.2, 0)),
            Extra("Bip01 Ponytail1", "head", "head", (0, 0.1, -0.15)),
        ],
    ),
    "MotionBuilder": (
        {
            joint: f"Character1_{name}"
            for joint, name in style("Hips|Spine|Spine1|Spine2|Neck|Head", HUMAN_IK).items()
        },
        REFERENCE + both("Character1_{}UpLegRoll", "hip", "hip", 0.5),
    ),
}

# Joints told by names, in other words, other languages and other hierarchies.
STYLES = MANNERS | {
    "SOMA": (
        style("Hips|Spine1|Spine2|Chest|Neck1|Head", "Leg|Shin|Foot|ToeBase|Shoulder|Arm|ForeArm|Hand"),
        FACE + FINGERS,
    ),
    "CMU": (
        style("Hips|LowerBack|Spine|Spine1|Neck|Head", HUMAN_IK),
        [
            Extra("LHipJoint", "pelvis", "pelvis", (0, 0, 0), ("left_hip",)),
            Extra("RHipJoint", "pelvis", "pelvis", (0, 0, 0), ("right_hip",)),
            *both("{}FingerBase", "wrist", "wrist", 0.5),
        ],
    ),
    "ASF": (
        style(
            "root|lowerback|upperback|thorax|lowerneck|head",
            "femur|tibia|foot|toes|clavicle|humerus|radius|wrist",
            "l{}",
            "r{}",
        ),
        [],
    ),
    "MVN": (style("Hips|Chest|Chest2|Chest3|Neck|Head", "Hip|Knee|Ankle|Toe|Collar|Shoulder|Elbow|Wrist"), []),
    "Poser": (
        style("hip|abdomen|abdomen2|chest|neck|head", "Thigh|Shin|Foot|Toe|Collar|Shldr|ForeArm|Hand", "l{}", "r{}"),
        [
            Extra("lButtock", "pelvis", "pelvis", (0.02, 0, 0), ("left_hip",)),
            Extra("rButtock", "pelvis", "pelvis", (-0.02, 0, 0), ("right_hip",)),
        ],
    ),
    "DAZ": (
        style(
            "pelvis|abdomenLower|abdomenUpper|chestLower|neckLower|head",
            "ThighBend|Shin|Foot|Toe|Collar|ShldrBend|ForearmBend|Hand",
            "l{}",
            "r{}",
        ),
        [
            Extra("hip", None, "pelvis", (0, 0, 0), ("pelvis", "spine1")),
            *both("{}ThighTwist", "hip", "hip", 0.5, ("knee",)),
            *both("{}ShldrTwist", "shoulder", "shoulder", 0.5, ("elbow",)),
            *both("{}ForearmTwist", "elbow", "elbow", 0.5, ("wrist",)),
            *both("{}Metatarsals", "ankle", "ankle", 0.5),
        ],
    ),
    "Character Creator": (
        style(
            "CC_Base_Hip|CC_Base_Waist|CC_Base_Spine01|CC_Base_Spine02|CC_Base_NeckTwist01|CC_Base_Head",
            "Thigh|Calf|Foot|ToeBase|Clavicle|Upperarm|Forearm|Hand",
            "CC_Base_L_{}",
            "CC_Base_R_{}",
        ),
        [
            Extra("CC_Base_BoneRoot", None, "pelvis", (0, 0, 0), ("pelvis",)),
            *both("CC_Base_{}_ThighTwist01", "hip", "hip", 0.3),
            *both("CC_Base_{}_KneeShareBone", "knee", "knee"),
        ],
    ),
    "OptiTrack": (
        style(
            "Skeleton1_Hip|Skeleton1_Ab|Skeleton1_Chest|Skeleton1_Chest2|Skeleton1_Neck|Skeleton1_Head",
            "Thigh|Shin|Foot|Toe|Shoulder|UArm|FArm|Hand",
            "Skeleton1_L{}",
            "Skeleton1_R{}",
        ),
        [],
    ),
    "Rigify": (
        style(
            "spine|spine.001|spine.002|spine.003|spine.004|spine.006",
            "thigh|shin|foot|toe|shoulder|upper_arm|forearm|hand",
            "{}.L",
            "{}.R",
        ),
        [Extra("pelvis.L", "pelvis", "pelvis", (0.1, 0.1, 0)), Extra("pelvis.R", "pelvis", "pelvis", (-0.1, 0.1, 0))],
    ),
    "Rigify's DEF bones": (
        style(
            "DEF-spine|DEF-spine.001|DEF-spine.002|DEF-spine.003|DEF-spine.004|DEF-spine.006",
            "thigh|shin|foot|toe|shoulder|upper_arm|forearm|hand",
            "DEF-{}.L",
            "DEF-{}.R",
        ),
        both("DEF-thigh.{}.001", "hip", "hip", 0.5, ("knee",))
        + both("DEF-upper_arm.{}.001", "shoulder", "shoulder", 0.5, ("elbow",)),
    ),
    "MakeHuman": (
        style(
            "root|spine05|spine03|spine01|neck01|head",
            "upperleg01|lowerleg01|foot|toe1-1|clavicle|upperarm01|lowerarm01|wrist",
            "{}.L",
            "{}.R",
        ),
        both("upperleg02.{}", "hip", "hip", 0.5, ("knee",))
        + both("lowerleg02.{}", "knee", "knee", 0.5, ("ankle",))
        + both("upperarm02.{}", "shoulder", "shoulder", 0.5, ("elbow",)),
    ),
    "SMPL's own": ({name: f"m_avg_{name.title()}" for name in NAMES}, []),
    "PHC": (
        style(
            "Pelvis|Torso|Spine|Chest|Neck|Head",
            "Hip|Knee|Ankle|Toe|Thorax|Shoulder|Elbow|Wrist|Hand",
            "L_{}",
            "R_{}",
        ),
        [],
    ),
    "Valve": (
        style(
            "ValveBiped.Bip01_Pelvis|ValveBiped.Bip01_Spine|ValveBiped.Bip01_Spine1|ValveBiped.Bip01_Spine2|"
            "ValveBiped.Bip01_Neck1|ValveBiped.Bip01_Head1",
            "Thigh|Calf|Foot|Toe0|Clavicle|UpperArm|Forearm|Hand",
            "ValveBiped.Bip01_L_{}",
            "ValveBiped.Bip01_R_{}",
        ),
        [],
    ),
    "Maya": (
        style(
            "c_hips_JNT|c_spine1_JNT|c_spine2_JNT|c_spine3_JNT|c_neck_JNT|c_head_JNT",
            "upLeg|loLeg|foot|ball|clav|upArm|loArm|hand",
            "l_{}_JNT",
            "r_{}_JNT",
        ),
        [],
    ),
    "small letters": (
        style(
            "hips|spine|spine1|chest|neck|head", "upleg|leg|foot|toe|shoulder|arm|forearm|hand", "left{}", "right{}"
        ),
        [],
    ),
    "mixamorig in small letters": (
        {
            joint: f"mixamorig{name.lower()}"
            for joint, name in style("Hips|Spine|Spine1|Spine2|Neck|Head", HUMAN_IK).items()
        },
        [],
    ),
    "side last": (
        style(
            "hips|spine|spine1|chest|neck|head",
            "thigh|shin|foot|toe|collar|upperarm|forearm|hand",
            "{}Left",
            "{}Right",
        ),
        [],
    ),
    "namespaces": (
        {
            joint: f"scene|actor:rig:{name}"
            for joint, name in style("Hips|Spine|Spine1|Spine2|Neck|Head", HUMAN_IK).items()
        },
        [],
    ),
    "French": (
        style(
            "Bassin|Colonne1|Colonne2|Poitrine|Cou|Tête",
            "Cuisse|Jambe|Pied|Orteils|Épaule|Bras|AvantBras|Main",
            "{}G",
            "{}D",
        ),
        [],
    ),
    "French in words": (
        style(
            "Hanches|Dos|Dos1|Thorax|Cou|Tete",
            "cuisse|genou|cheville|orteil|clavicule|épaule|coude|poignet",
            "{} gauche",
            "{} droit",
        ),
        [],
    ),
    "German": (
        style(
            "Becken|Wirbel1|Wirbel2|Brust|Hals|Kopf",
            "Oberschenkel|Unterschenkel|Fuß|Zehen|Schlüsselbein|Oberarm|Unterarm|Hand",
            "{}_links",
            "{}_rechts",
        ),
        [],
    ),
    "Spanish": (
        style(
            "Cadera|Columna1|Columna2|Pecho|Cuello|Cabeza",
            "Muslo|Pantorrilla|Pie|Dedos|Clavícula|Brazo|Antebrazo|Mano",
            "{}_Izq",
            "{}_Der",
        ),
        [],
    ),
    "Italian": (
        style(
            "Bacino|Colonna1|Colonna2|Petto|Collo|Testa",
            "Coscia|Gamba|Piede|Punta|Clavicola|Braccio|Avambraccio|Mano",
            "{}_Sx",
            "{}_Dx",
        ),
        [],
    ),
    "Japanese (MikuMikuDance)": (
        style("下半身|上半身|上半身2|上半身3|首|頭", "足|ひざ|足首|つま先|肩|腕|ひじ|手首", "左{}", "右{}"),
        [],
    ),
    "Chinese": (style("骨盆|脊椎|脊椎1|胸|颈|头", "大腿|小腿|脚|脚趾|锁骨|上臂|前臂|手", "左{}", "右{}"), []),
    "Russian": (
        style(
            "таз|хребет1|хребет2|грудь|шея|голова",
            "бедро|голень|стопа|носок|ключица|плечо|предплечье|кисть",
            "левая {}",
            "правая {}",
        ),
        [],
    ),
}

# Joints told by the tree alone, with or without sides.
UNKNOWN = {
    "numbers": {name: f"joint{i}" for i, name in enumerate(NAMES)},
    "Blender's numbers": {name: f"Bone.{i:03d}" for i, name in enumerate(NAMES)},
    "sides and numbers": {name: f"{name[0].upper() if '_' in name else 'C'}{i}" for i, name in enumerate(NAMES)},
    "letters": {name: 3 * chr(ord("a") + i) for i, name in enumerate(NAMES)},
    "Swedish": style(
        "Bäcken|Rygg1|Rygg2|Bröst|Hals|Huvud",
        "Lår|Smalben|Fot|Tå|Nyckelben|Överarm|Underarm|Handled",
        "Vänster{}",
        "Höger{}",
    ),
}


def lacking(names):
    """Return the SMPL joints that a style does not have."""
    return (
        tuple(
            name
            for name in NAMES
            if not names.get(name) or names[name] in ("Left", "Right", "Robot_Left", "Robot_Right")
        )
        or HANDS
    )
