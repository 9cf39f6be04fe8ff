"""Parts of the body and joints in plain English."""

from skeleton2stage.motion import skeleton

_PARTS = {
    "pelvis": "hips", "hip": "thigh", "knee": "shin", "ankle": "foot", "foot": "toes", "spine1": "waist",
    "spine2": "belly", "spine3": "chest", "neck": "neck", "head": "head", "collar": "collarbone",
    "shoulder": "upper arm", "elbow": "forearm", "wrist": "hand", "hand": "fingers",
}
_JOINTS = {
    "pelvis": "hips", "foot": "toes", "spine1": "lower back", "spine2": "middle back", "spine3": "upper back",
    "collar": "collarbone", "hand": "fingers",
}
_MIDDLE = ("hips", "waist", "belly", "chest", "neck", "head", "lower back", "middle back", "upper back")


def part_name(joint: int) -> str:
    """Return what hangs on a joint, as "right forearm"."""
    return _named(joint, _PARTS)


def joint_name(joint: int) -> str:
    """Return a joint, as "right elbow"."""
    return _named(joint, _JOINTS)


def with_article(name: str) -> str:
    """Return a part's name as it stands in a sentence: "the chest", but "right forearm"."""
    return f"the {name}" if name in _MIDDLE else name


def _named(joint: int, words: dict[str, str]) -> str:
    side, _, part = skeleton.joint_names()[joint].rpartition("_")
    word = words.get(part, part)
    return f"{side} {word}" if side else word
