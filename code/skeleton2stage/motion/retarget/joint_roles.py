"""Which joint of a foreign skeleton is what: told by names, by the tree where names do not, and never against either.

Along each way from the root to a tip, names are given roles in the order of a limb, so that a word with two meanings is
read by its neighbours. A limb that no names tell is found as one of two equal chains with two long bones. Which side is
left is a name's to say, or, of limbs without, the feet's (`source_skeleton`).
"""

from dataclasses import dataclass

from skeleton2stage.errors import UserError
from skeleton2stage.motion.retarget.joint_names import JointName, plain, read_names
from skeleton2stage.motion.retarget.joint_tree import JointTree, Limb, LimbPair
from skeleton2stage.motion.retarget.joint_words import ARM, CENTRAL, LEG, OWN

SIDES = ("left", "right")
_LIMBS = {"leg": LEG, "arm": ARM}
_BENDS = {"leg": ("hip", "knee", "ankle"), "arm": ("shoulder", "elbow", "wrist")}
# What a joint further out loses, so that of several that fit alike the first is taken.
_FURTHER = 1e-3
# Of two long bones of a limb, and of the same bone on either side, one is at most so much longer.
_MAX_BONES, _MAX_SIDES = 1.75, 1.3

_FITS = {
    limb: {role: {plain(word): fit for fit, words in uses.items() for word in words} for role, uses in table.items()}
    for limb, table in _LIMBS.items()
}
_CENTRAL = {role: {plain(word) for word in words} for role, words in CENTRAL.items()}


@dataclass(frozen=True)
class Roles:
    """The joints of a skeleton by role, and whether names say which side is which.

    joints: joint index by role: pelvis, chest, head, neck where there is one, and of each side hip, knee, ankle,
        shoulder, elbow, wrist, and toe and collar where there are any.
    sides_named: False where left and right are only a guess so far.
    """

    joints: dict[str, int]
    sides_named: bool

    def mirrored(self) -> "Roles":
        """Return the same with left and right exchanged."""
        other = {"left": "right", "right": "left"}
        swapped = {}
        for role, joint in self.joints.items():
            side, _, part = role.partition("_")
            swapped[f"{other[side]}_{part}" if side in other else role] = joint
        return Roles(swapped, self.sides_named)


def find_roles(names: tuple[str, ...], tree: JointTree) -> Roles:
    """Return what the joints are; raise UserError that names what is not recognised, or told two ways."""
    read = read_names(names)
    by_name = {limb: {side: _named_limb(limb, side, read, tree) for side in SIDES} for limb in _LIMBS}
    whole = {limb: all(set(_BENDS[limb]) <= set(found) for found in sides.values()) for limb, sides in by_name.items()}
    roles, sides_named = {}, True
    pairs = {} if all(whole.values()) else _paired_limbs(tree)
    for limb, sides in by_name.items():
        if not whole[limb]:
            if limb not in pairs:
                raise _unrecognised(names, [f"{side}_{part}" for side in SIDES for part in _BENDS[limb]
                                            if part not in sides[side]])
            sides, named = _limbs_of_tree(limb, pairs[limb], read, tree)
            _check_agreement(limb, sides, read, names)
            sides_named = sides_named and named
        roles |= {f"{side}_{part}": joint for side in SIDES for part, joint in sides[side].items()}
    _check_apart(roles, names)
    for side in SIDES:
        roles |= _tips(side, roles, tree, read)
    roles |= _trunk(roles, read, tree, names)
    _check_lengths(roles, tree)
    return Roles(roles, sides_named)


def _unrecognised(names: tuple[str, ...], missing: list[str]) -> UserError:
    return UserError(
        f"its skeleton has no joint recognisable as {', '.join(missing)}; its joints are {', '.join(names)}"
    )


def _named_limb(limb: str, side: str, read: list[JointName], tree: JointTree) -> dict[str, int]:
    """Return joint by part of one limb, of the way to a tip on which names fit best."""
    best: tuple[float, dict[str, int]] = (0.0, {})
    tips = [joint for joint, children in enumerate(tree.children) if not children]
    for tip in tips:
        best = max(best, _fitted(limb, side, tree.path(tip), read), key=lambda found: found[0])
    return best[1] | _end_of_limb(limb, best[1], tree)


def _end_of_limb(limb: str, found: dict[str, int], tree: JointTree) -> dict[str, int]:
    """Return the last joint of a limb whose name did not tell it: the middle one's only child, an end site as well."""
    _, middle, last = _BENDS[limb]
    below = [] if last in found or "toe" in found or middle not in found else tree.children[found[middle]]
    return {last: below[0]} if len(below) == 1 else {}


def _fitted(limb: str, side: str, path: list[int], read: list[JointName]) -> tuple[float, dict[str, int]]:
    """Return the best fit of a limb's parts, in their order, to joints of a way, and its score."""
    parts = list(_FITS[limb])
    best: list[tuple[float, dict[str, int]]] = [(0.0, {})] * (len(parts) + 1)  # of the first n parts, so far
    for place, joint in enumerate(path):
        for n in range(len(parts), 0, -1):  # backwards, so that a joint is used once
            fit = _fit(limb, parts[n - 1], side, read[joint])
            score = best[n - 1][0] + fit - _FURTHER * place
            if fit > 0 and score > best[n][0]:
                best[n] = (score, best[n - 1][1] | {parts[n - 1]: joint})
        for n in range(1, len(parts) + 1):
            best[n] = max(best[n], best[n - 1], key=lambda found: found[0])
    return best[-1]


def _fit(limb: str, part: str, side: str, name: JointName) -> float:
    if name.helper or (name.side and name.side != side):
        return 0.0
    return max((_FITS[limb][part].get(word, 0.0) for word in name.words(side)), default=0.0)


def _paired_limbs(tree: JointTree) -> dict[str, LimbPair]:
    """Return the pairs of legs and of arms of a tree, none where it has not exactly two pairs of limbs."""
    pairs = tree.limb_pairs()
    if len(pairs) != 2:
        return {}
    first, second = pairs  # the longer limbs are first
    if first.base == second.base:
        return {}
    legs, arms = (second, first) if tree.is_above(second.base, first.base) else (first, second)
    return {"leg": legs, "arm": arms}


def _limbs_of_tree(
    limb: str, pair: LimbPair, read: list[JointName], tree: JointTree
) -> tuple[dict[str, dict[str, int]], bool]:
    """Return joint by part of both sides, and whether names say which is which."""
    said = [_side_of(found, read) for found in pair.limbs]
    named = set(said) == set(SIDES)
    ordered = pair.limbs if not named or said[0] == "left" else pair.limbs[::-1]
    return {side: _parts(limb, found) for side, found in zip(SIDES, ordered, strict=True)}, named


def _side_of(limb: Limb, read: list[JointName]) -> str:
    sides = {read[joint].side for joint in limb.chain} - {""}
    return sides.pop() if len(sides) == 1 else ""


def _parts(limb: str, found: Limb) -> dict[str, int]:
    parts = dict(zip(_BENDS[limb], found.bend, strict=True))
    if limb == "arm" and found.upper > 0:
        parts["collar"] = found.chain[found.upper - 1]
    return parts


def _check_agreement(
    limb: str, sides: dict[str, dict[str, int]], read: list[JointName], names: tuple[str, ...]
) -> None:
    """Raise UserError where a name tells clearly that a joint is another one than its place in the tree."""
    for side, parts in sides.items():
        for part, joint in parts.items():
            said = {role for role in _FITS[limb] if _fit(limb, role, read[joint].side or side, read[joint]) == OWN}
            if said and part not in said:
                raise UserError(
                    f"its joint {names[joint]} is named as a {min(said)} and lies where the {side} {part} would be: "
                    f"rename its joints; they are {', '.join(names)}"
                )


def _check_apart(roles: dict[str, int], names: tuple[str, ...]) -> None:
    taken: dict[int, str] = {}
    for role, joint in roles.items():
        if joint in taken:
            raise UserError(f"its joint {names[joint]} could be {taken[joint]} and {role}: rename its joints")
        taken[joint] = role


def _tips(side: str, roles: dict[str, int], tree: JointTree, read: list[JointName]) -> dict[str, int]:
    """Return the toe of a side, where names tell none apart from the ankle: what the foot reaches furthest."""
    ankle, named = roles[f"{side}_ankle"], roles.pop(f"{side}_toe", None)
    if named is not None and _way(tree, ankle, named) > 0:
        return {f"{side}_toe": named}
    below = [joint for joint in tree.children[ankle] if tree.lengths[joint] > 0]
    if not below:
        return {}
    return {f"{side}_toe": max(below, key=lambda joint: (not read[joint].helper, tree.lengths[joint]))}


def _trunk(roles: dict[str, int], read: list[JointName], tree: JointTree, names: tuple[str, ...]) -> dict[str, int]:
    """Return pelvis, chest, neck (where there is one) and head."""
    hips = tree.common(roles["left_hip"], roles["right_hip"])
    chest = tree.common(roles["left_shoulder"], roles["right_shoulder"])
    named = [joint for joint in tree.path(hips)[::-1] if _is(read[joint], "pelvis")]
    pelvis = named[0] if named else hips
    if _is(read[chest], "neck") and tree.parents[chest] >= 0:
        chest = tree.parents[chest]
    head = _head(chest, roles, read, tree)
    if head is None or chest == hips:
        raise _unrecognised(names, ["head" if head is None else "chest"])
    between = [joint for joint in tree.path(head)[:-1] if tree.is_above(chest, joint) and joint != chest]
    necks = [joint for joint in between if _is(read[joint], "neck", helpers=True)] or between
    return {"pelvis": pelvis, "chest": chest, "head": head} | ({"neck": necks[0]} if necks else {})


def _is(name: JointName, role: str, helpers: bool = False) -> bool:
    return (helpers or not name.helper) and not name.side and any(word in _CENTRAL[role] for word in name.words(""))


def _head(chest: int, roles: dict[str, int], read: list[JointName], tree: JointTree) -> int | None:
    """Return the joint above the chest that is named a head, or else the last or first branching one on the way up."""
    arms = {roles[f"{side}_shoulder"] for side in SIDES}
    above = [joint for joint in range(len(read)) if tree.is_above(chest, joint) and joint != chest]
    named = [joint for joint in above if _is(read[joint], "head")]
    if named:
        return named[0]
    ways = [child for child in tree.children[chest] if not any(tree.is_above(child, arm) for arm in arms)]
    ways = ways or [child for child in tree.children[chest] if not tree.children[child] or tree.reach[child] > 0]
    if not ways:
        return None
    chain = list(tree.longest_chain(max(ways, key=lambda child: tree.reach[child] + tree.lengths[child])))
    chain = [joint for joint in chain if not (read[joint].helper and not tree.children[joint])] or chain[:1]
    branching = [joint for joint in chain[1:] if len(tree.children[joint]) > 1]
    return branching[0] if branching else chain[-1]


def _check_lengths(roles: dict[str, int], tree: JointTree) -> None:
    """Raise UserError where bones are as long as no body's are, which tells that a joint was mistaken."""
    for limb, (upper, middle, lower) in _BENDS.items():
        bones = {side: [_way(tree, roles[f"{side}_{a}"], roles[f"{side}_{b}"])
                        for a, b in ((upper, middle), (middle, lower))] for side in SIDES}
        if min(min(pair) for pair in bones.values()) == 0:
            raise UserError(f"its {limb}s have bones without length, so its size cannot be told")
        for side, pair in bones.items():
            if max(pair) > _MAX_BONES * min(pair):
                raise UserError(f"of its {side} {limb} one bone is {max(pair) / min(pair):.1f} times as long as the "
                                f"other: its {upper}, {middle} and {lower} cannot be told, rename its joints")
        for pair in zip(*bones.values(), strict=True):
            if max(pair) > _MAX_SIDES * min(pair):
                raise UserError(f"its left and right {limb}s are of different lengths, by {max(pair) / min(pair):.2f} "
                                "times: its joints cannot be told, rename them")


def _way(tree: JointTree, above: int, below: int) -> float:
    """Return the length of the bones from a joint to one below it."""
    path = tree.path(below)
    return float(sum(tree.lengths[joint] for joint in path[path.index(above) + 1:]))
