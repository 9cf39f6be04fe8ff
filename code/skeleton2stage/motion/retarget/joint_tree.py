"""What the tree of a skeleton says without any names: pairs of equal limbs, and the trunk between them."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

# The bones of two limbs of one body, and the two long bones of a limb, are at most so much longer than one another.
_LIKENESS = 1.15
_MAX_RATIO = 1.7
# A limb is at least this share of the longest; fingers, ears and coat tails are not.
_MIN_SHARE = 0.4
# The two long bones of a limb stand out from its others by this much.
_CLEAR = 1.2


@dataclass(frozen=True)
class Limb:
    """A chain of joints from the trunk outwards, and which of them its two long bones begin and end at.

    chain: joints from the trunk's child to a tip. upper: position in it of hip or shoulder; knee and ankle follow.
    """

    chain: tuple[int, ...]
    upper: int
    length: float

    @property
    def bend(self) -> tuple[int, int, int]:
        """Hip, knee and ankle, or shoulder, elbow and wrist."""
        return self.chain[self.upper : self.upper + 3]


@dataclass(frozen=True)
class LimbPair:
    """Two equal limbs, and the joint that both hang from."""

    base: int
    limbs: tuple[Limb, Limb]

    @property
    def length(self) -> float:
        """Length of the two long bones, the mean of both limbs."""
        return sum(limb.length for limb in self.limbs) / 2


@dataclass(frozen=True)
class JointTree:
    """A skeleton's hierarchy: parents (-1: root) of J joints, parents first, and the lengths [J] of their bones."""

    parents: tuple[int, ...]
    lengths: np.ndarray

    @cached_property
    def children(self) -> list[list[int]]:
        """The children of each joint."""
        found: list[list[int]] = [[] for _ in self.parents]
        for joint, parent in enumerate(self.parents):
            if parent >= 0:
                found[parent].append(joint)
        return found

    @cached_property
    def reach(self) -> np.ndarray:
        """The length [J] of the longest way from each joint to a tip."""
        reach = np.zeros(len(self.parents))
        for joint in range(len(self.parents) - 1, 0, -1):
            parent = self.parents[joint]
            reach[parent] = max(reach[parent], reach[joint] + self.lengths[joint])
        return reach

    def path(self, joint: int) -> list[int]:
        """Return the joints from the root to one, itself included."""
        path = [joint]
        while self.parents[path[-1]] >= 0:
            path.append(self.parents[path[-1]])
        return path[::-1]

    def is_above(self, first: int, second: int) -> bool:
        """Return whether the first joint is the second or one of those above it."""
        return first in self.path(second)

    def common(self, first: int, second: int) -> int:
        """Return the lowest joint that is above both."""
        return [a for a, b in zip(self.path(first), self.path(second), strict=False) if a == b][-1]

    def longest_chain(self, joint: int) -> tuple[int, ...]:
        """Return the joints from one to the tip that is furthest from it."""
        chain = [joint]
        while self.children[chain[-1]]:
            chain.append(max(self.children[chain[-1]], key=lambda child: self.reach[child] + self.lengths[child]))
        return tuple(chain)

    def limb_pairs(self) -> list[LimbPair]:
        """Return the pairs of equal limbs, the longest first, that could be arms or legs."""
        pairs = []
        for base, children in enumerate(self.children):
            limbs = [limb for limb in map(self._limb, children) if limb is not None]
            alike = [(a, b) for i, a in enumerate(limbs) for b in limbs[i + 1:] if self._are_alike(a, b)]
            pairs += [LimbPair(base, pair) for pair in alike]
        longest = max((pair.length for pair in pairs), default=0.0)
        return sorted((pair for pair in pairs if pair.length > _MIN_SHARE * longest), key=lambda pair: -pair.length)

    def _limb(self, start: int) -> Limb | None:
        """Return the limb that begins at a joint, where it has two long bones of about one length in a row."""
        chain = self.longest_chain(start)
        bones = [self.lengths[joint] for joint in chain[1:]]
        shorter = [min(pair) for pair in zip(bones, bones[1:], strict=False)]
        if not shorter:
            return None
        upper = int(np.argmax(shorter))
        others = [length for i, length in enumerate(bones) if i not in (upper, upper + 1)]
        longer = max(bones[upper], bones[upper + 1])
        if longer > _MAX_RATIO * shorter[upper] or shorter[upper] < _CLEAR * max(others, default=0.0):
            return None
        return Limb(chain, upper, bones[upper] + bones[upper + 1])

    def _are_alike(self, first: Limb, second: Limb) -> bool:
        a, b = ([self.lengths[joint] for joint in limb.bend[1:]] for limb in (first, second))
        return first.upper == second.upper and all(max(pair) < _LIKENESS * min(pair) for pair in zip(a, b, strict=True))
