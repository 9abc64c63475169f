"""Many recordings: in turn, by several processes or by a cluster, always with the same result."""

import warnings
from collections.abc import Iterator, Mapping, Sequence

from affectkit.errors import AffectkitError
from affectkit.faces import load_detector
from affectkit.prepare.cluster import in_cluster
from affectkit.prepare.job import Job, Outcome, Progress
from affectkit.prepare.making import attempt
from affectkit.prepare.processes import in_processes
from affectkit.prepare.source import State, state

NAMED = 10  # of those that failed


def make_all(jobs: Sequence[Job], progress: Progress, workers: int, scheduler: str) -> None:
    """Make the recordings that are not there yet; what goes wrong is told as it happens.

    Args:
        jobs: what is to be made, all in one folder.
        progress: called with a name, frames done and frames in all.
        workers: processes on this machine.
        scheduler: address of a Dask cluster that is used instead; "" = none.

    Raises:
        AffectkitError: after all the others are made, names the ones that could not be.
    """
    due = []
    for job in jobs:
        if _is_made(job):
            progress(job.name, 1, 1)
        else:
            due.append(job)
    failed = {}
    for outcome in _outcomes(due, progress, workers, scheduler) if due else ():
        for text in outcome.warnings:
            warnings.warn(text, stacklevel=3)
        if not outcome.error:
            progress(outcome.name, outcome.frames, outcome.frames)
            continue
        failed[outcome.name] = outcome.error
        if len(jobs) > 1:
            warnings.warn(f"{outcome.name}: {outcome.error}", stacklevel=3)
    if failed:
        raise _failure(failed, len(jobs))


def _is_made(job: Job) -> bool:
    try:
        return state(job) is State.MADE
    except OSError:  # told when it is tried
        return False


def _outcomes(
    due: Sequence[Job], progress: Progress, workers: int, scheduler: str
) -> Iterator[Outcome]:
    if scheduler:
        return in_cluster(due, scheduler, progress)
    load_detector(due[0].detector, **due[0].options)  # what fails here would fail for each of them
    if workers > 1 and len(due) > 1:
        return in_processes(due, workers, progress)
    return (attempt(job, progress) for job in due)


def _failure(failed: Mapping[str, str], count: int) -> AffectkitError:
    names = list(failed)
    if count == 1:
        return AffectkitError(failed[names[0]])
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    told = f"{names[0]}: {failed[names[0]]}" if len(names) == 1 else ", ".join(names[:NAMED]) + more
    return AffectkitError(f"{len(names)} of {count} recordings could not be made: {told}")
