"""Limbs told by the tree alone: chains, ways and pairs of trees that are drawn by hand."""

import numpy as np
import pytest

from skeleton2stage.motion.retarget.joint_tree import JointTree


def chain(*lengths: float, base: int, start: int) -> tuple[list[int], list[float]]:
    """Parents and lengths of a chain whose first joint has number `start` and hangs from `base`."""
    return [base, *range(start, start + len(lengths) - 1)], list(lengths)


def tree(*chains: tuple[list[int], list[float]]) -> JointTree:
    """A root at 0, a chest at 1, 30 above it, and chains in the order of their numbers."""
    parents, lengths = [-1, 0], [0.0, 30.0]
    for more, bones in chains:
        parents, lengths = parents + more, lengths + bones
    return JointTree(tuple(parents), np.array(lengths))


def body(upper: float = 40.0, other: float = 40.0) -> JointTree:
    """Legs 2-5 and 6-9 from the root, arms 10-13 and 14-17 from the chest, a head 18."""
    return tree(
        chain(10.0, 40.0, 42.0, 12.0, base=0, start=2), chain(10.0, upper, 42.0, 12.0, base=0, start=6),
        chain(12.0, 26.0, 25.0, 8.0, base=1, start=10), chain(12.0, 26.0, 25.0, 8.0, base=1, start=14),
        chain(20.0, base=1, start=18),
    )


def test_ways_up_and_down():
    found = body()
    assert found.children[0] == [1, 2, 6] and found.children[1] == [10, 14, 18] and found.children[5] == []
    assert found.path(5) == [0, 2, 3, 4, 5] and found.path(0) == [0]
    assert found.is_above(2, 5) and found.is_above(5, 5) and not found.is_above(5, 2) and not found.is_above(6, 5)
    assert found.common(5, 9) == 0 and found.common(13, 18) == 1 and found.common(3, 5) == 3


def test_the_reach_of_a_joint_is_the_longest_way_to_a_tip():
    found = body()
    assert found.reach[2] == 40.0 + 42.0 + 12.0 and found.reach[5] == 0.0 and found.reach[18] == 0.0
    assert found.reach[1] == 12.0 + 26.0 + 25.0 + 8.0 and found.reach[0] == 104.0


def test_a_chain_goes_on_to_the_furthest_tip():
    """A hand with a thumb of 9 and fingers of 5 + 8: the fingers' tip is further."""
    found = tree(chain(26.0, 25.0, base=1, start=2), ([3], [9.0]), chain(5.0, 8.0, base=3, start=5))
    assert found.longest_chain(2) == (2, 3, 5, 6)


def test_limbs_come_in_pairs_the_longer_first():
    legs, arms = body().limb_pairs()
    assert (legs.base, arms.base) == (0, 1)
    assert [limb.bend for limb in legs.limbs] == [(2, 3, 4), (6, 7, 8)]
    assert [limb.bend for limb in arms.limbs] == [(10, 11, 12), (14, 15, 16)]
    assert legs.length == 82.0 and arms.length == 51.0


@pytest.mark.parametrize(("upper", "pairs"), [(45.9, 2), (46.1, 1), (34.8, 2), (34.7, 1)])
def test_bones_of_two_limbs_are_alike_within_fifteen_hundredths(upper, pairs):
    assert len(body(upper).limb_pairs()) == pairs


@pytest.mark.parametrize(("lower", "is_limb"), [(67.9, True), (68.1, False), (23.6, True), (23.4, False)])
def test_the_two_long_bones_of_a_limb_are_of_about_one_length(lower, is_limb):
    found = tree(chain(10.0, 40.0, lower, 5.0, base=0, start=2), chain(10.0, 40.0, lower, 5.0, base=0, start=6))
    assert bool(found.limb_pairs()) == is_limb


@pytest.mark.parametrize(("toe", "is_limb"), [(33.2, True), (33.4, False)])
def test_long_bones_stand_out_from_the_others(toe, is_limb):
    found = tree(chain(10.0, 40.0, 42.0, toe, base=0, start=2), chain(10.0, 40.0, 42.0, toe, base=0, start=6))
    assert bool(found.limb_pairs()) == is_limb


@pytest.mark.parametrize(("ear", "n_pairs"), [(15.0, 1), (17.0, 2)])
def test_what_is_much_shorter_than_the_longest_pair_is_no_limb(ear, n_pairs):
    """Legs of 82: of two bones of 15 each they are less than two fifths."""
    found = tree(
        chain(10.0, 40.0, 42.0, base=0, start=2), chain(10.0, 40.0, 42.0, base=0, start=5),
        chain(2.0, ear, ear, base=1, start=8), chain(2.0, ear, ear, base=1, start=11),
    )
    assert len(found.limb_pairs()) == n_pairs


def test_limbs_that_begin_at_other_places_of_their_chains_are_no_pair():
    found = tree(chain(10.0, 40.0, 42.0, 5.0, base=0, start=2), chain(10.0, 8.0, 40.0, 42.0, base=0, start=6))
    assert found.limb_pairs() == []


def test_a_single_bone_or_none_is_no_limb():
    assert tree(chain(10.0, 40.0, base=0, start=2), chain(10.0, 40.0, base=0, start=4)).limb_pairs() == []
    assert JointTree((-1,), np.zeros(1)).limb_pairs() == []
