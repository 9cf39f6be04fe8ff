"""Skeleton2Stage: what both source trees share, from motion files to the physical verdict."""

from skeleton2stage.interruption import tell_in_a_word
from skeleton2stage.mujoco_gl import keep_mujoco_importable

tell_in_a_word()
keep_mujoco_importable()
