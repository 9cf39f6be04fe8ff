"""Of many videos those that can be made: one bad motion or song in a folder takes no other with it."""

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from skeleton2stage.errors import UserError
from skeleton2stage.motion.motion import Motion
from skeleton2stage.render.jobs import Job
from skeleton2stage.render.soundtrack import Soundtrack


@dataclass(frozen=True)
class Material:
    """What a job is made of, read and found whole."""

    job: Job
    motions: list[Motion]
    soundtrack: Soundtrack | None


def readable(jobs: list[Job], read: Callable[[Job], Material]) -> Iterator[Material]:
    """Yield what is read of each job; one of which `read` raises UserError is named on stderr and left out.

    Raises UserError where there is a single job, its own, and where none can be read.
    """
    n_read = 0
    for job in jobs:
        try:
            material = read(job)
        except UserError as error:
            if len(jobs) == 1:
                raise
            print(f"left out: {error}", file=sys.stderr)
            continue
        n_read += 1
        yield material
    if n_read == 0:
        raise UserError(f"none of {len(jobs)} videos can be made: the lines above say why")
