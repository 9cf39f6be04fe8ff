"""Skeleton2Stage: what both source trees share, from motion files to the physical verdict."""

from skeleton2stage.interruption import tell_in_a_word

tell_in_a_word()
