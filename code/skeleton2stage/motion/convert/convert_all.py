"""Many motion files converted in several processes, and entered into the library."""

import multiprocessing
import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool

import torch
from tqdm import tqdm

from skeleton2stage.errors import UserError
from skeleton2stage.motion.convert.conversion_jobs import Job, forget
from skeleton2stage.motion.convert.convert_config import ConvertConfig
from skeleton2stage.motion.convert.convert_file import Outcome, convert_file
from skeleton2stage.motion.library import Clip, claim, forget_claims, write_library
from skeleton2stage.orphans import end_with_main

SAVE_EVERY_S = 20.0


def convert_all(jobs: list[Job], config: ConvertConfig, library: dict[str, Clip]) -> tuple[list[str], int]:
    """Convert files, enter them into the library, save it now and then; return lines on files that gave nothing,
    and how many of these the disk failed.
    """
    skipped, n_failed, saved_at = [], 0, time.monotonic()
    claim(config.out, [job.file for job in jobs])
    progress = tqdm(total=len(jobs), desc="converting", unit="file", disable=not jobs)
    try:
        for outcomes in _outcomes(jobs, config.workers or len(os.sched_getaffinity(0))):
            progress.update()
            _enter(outcomes, config, library)
            n_failed += sum(outcome.failed for outcome in outcomes)
            skipped += [outcome.line for outcome in outcomes if outcome.clip is None]
            if time.monotonic() - saved_at > SAVE_EVERY_S:
                write_library(config.out, library)
                saved_at = time.monotonic()
    finally:
        progress.close()
        write_library(config.out, library)
    forget_claims(config.out)
    return skipped, n_failed


def _enter(outcomes: list[Outcome], config: ConvertConfig, library: dict[str, Clip]) -> None:
    """Enter what came of a file, and say so; take out what an earlier run made of it and this one did not."""
    clips = [outcome.clip for outcome in outcomes if outcome.clip is not None]
    files = {clip.file for clip in clips}
    for old in [old for old in library.values() if clips and old.source == clips[0].source and old.file not in files]:
        forget(config.out, library, old)
    library |= {clip.file: clip for clip in clips}
    for outcome in outcomes:
        if outcome.clip is not None and outcome.clip.accepted:
            tqdm.write(outcome.line)


def _outcomes(jobs: list[Job], workers: int) -> Iterator[list[Outcome]]:
    """Yield the outcomes of jobs as they come, from several processes where there is enough to do."""
    if min(workers, len(jobs)) <= 1:
        torch.set_num_threads(1)
        yield from map(convert_file, jobs)
        return
    context = multiprocessing.get_context("forkserver")
    # torch is imported once for all workers
    context.set_forkserver_preload(["skeleton2stage.motion.formats.read_motion"])
    with ProcessPoolExecutor(min(workers, len(jobs)), context, _start_worker) as pool:
        try:
            for future in as_completed([pool.submit(convert_file, job) for job in jobs]):
                yield future.result()
        except BrokenProcessPool:
            raise UserError("a worker died, perhaps for memory: run again to go on, with fewer workers=") from None
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _start_worker() -> None:
    """Leave Ctrl-C to the parent, the other cores to the other workers, and the world when the parent does."""
    end_with_main()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    torch.set_num_threads(1)
