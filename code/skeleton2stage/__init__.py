"""Skeleton2Stage: what both source trees share, from motion files to the physical verdict."""
