"""Many recordings: one after the other, or several processes at once, with the same result."""

import multiprocessing
import os
import threading
import warnings
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.connection import wait as wait_for
from multiprocessing.queues import SimpleQueue
from typing import NamedTuple

import cv2

from affectkit.errors import AffectkitError
from affectkit.faces import load_detector
from affectkit.prepare.making import Job, Progress, is_made, make

Report = tuple[str, int, int]


class Outcome(NamedTuple):
    """What became of a job."""

    name: str
    error: str | None
    warnings: list[str]


def make_all(jobs: Sequence[Job], workers: int, progress: Progress) -> None:
    """Make the recordings that are not there yet.

    Raises:
        AffectkitError: after all the others are made, lists the ones that could not be.
    """
    due = []
    for job in jobs:
        if is_made(job):
            progress(job.name, 1, 1)
        else:
            due.append(job)
    if due:  # what fails here would fail for each of them
        load_detector(due[0].detector, **due[0].options)
    several = workers > 1 and len(due) > 1
    outcomes = _in_processes(due, workers, progress) if several else _in_turn(due, progress)
    failed = []
    for outcome in outcomes:
        for text in outcome.warnings:
            warnings.warn(text, stacklevel=3)
        if outcome.error:
            failed.append(f"{outcome.name}: {outcome.error}")
    if failed:
        raise AffectkitError(
            f"{len(failed)} of {len(jobs)} recordings could not be made: {'; '.join(failed)}"
        )


def _attempt(job: Job, progress: Progress) -> Outcome:
    error = None
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            make(job, progress)
        except (AffectkitError, OSError) as failure:
            error = str(failure)
    return Outcome(job.name, error, [str(warning.message) for warning in caught])


def _in_turn(jobs: Sequence[Job], progress: Progress) -> Iterator[Outcome]:
    for job in jobs:
        yield _attempt(job, progress)


def _in_processes(jobs: Sequence[Job], workers: int, progress: Progress) -> Iterator[Outcome]:
    context = multiprocessing.get_context("spawn")  # forking is unsafe once a library has threads
    reports: SimpleQueue[Report] = context.SimpleQueue()
    workers = min(workers, len(jobs))
    threads = max(1, (os.cpu_count() or 1) // workers)
    with ProcessPoolExecutor(workers, context, _begin, (reports, threads)) as pool:
        pending = {pool.submit(_in_process, job) for job in jobs}
        try:
            while pending:
                done, pending = wait(pending, timeout=0.2, return_when=FIRST_COMPLETED)
                while not reports.empty():
                    progress(*reports.get())
                yield from map(_result, done)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _result(future: Future[Outcome]) -> Outcome:
    try:
        return future.result()
    except BrokenProcessPool:
        raise AffectkitError(
            "a worker process was ended from outside, perhaps for want of memory; "
            "run again with fewer workers: what is made is kept"
        ) from None


_reports: SimpleQueue[Report]  # of this worker process


def _begin(reports: SimpleQueue[Report], threads: int) -> None:
    global _reports
    _reports = reports
    cv2.setNumThreads(1)
    os.environ["OMP_NUM_THREADS"] = str(threads)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    # a worker that outlives its parent would write where the next try does
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait_for([parent.sentinel])
        os._exit(1)


def _in_process(job: Job) -> Outcome:
    return _attempt(job, lambda *report: _reports.put(report))
