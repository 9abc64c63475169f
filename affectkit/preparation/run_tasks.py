"""Create many recordings, in this process, in worker processes or on a cluster."""

import warnings
from collections.abc import Iterator, Mapping, Sequence

from affectkit.errors import AffectkitError
from affectkit.faces import load_detector
from affectkit.parallel import Progress, map_tasks, no_progress
from affectkit.preparation.create import run_task
from affectkit.preparation.tasks import (
    RecordingStatus,
    RecordingTask,
    TaskResult,
    recording_status,
)

MAX_NAMES = 10  # of failed recordings in an error


def run_tasks(
    tasks: Sequence[RecordingTask],
    *,
    workers: int = 1,
    scheduler: str = "",
    progress: Progress = no_progress,
) -> None:
    """Create the recordings that are missing or not up to date; continue after errors.

    Args:
        tasks: with the same output folder and detector.
        workers: number of local worker processes.
        scheduler: address of a Dask cluster to use instead; "" = none.
        progress: called with the name of a recording, frames done and all frames.

    Raises:
        AffectkitError: after all other recordings are created, names those that failed.
    """
    remaining = []
    for task in tasks:
        if _is_up_to_date(task):
            progress(task.name, 1, 1)
        else:
            remaining.append(task)
    failed = {}
    for result in _results(remaining, workers, scheduler, progress) if remaining else ():
        for text in result.warnings:
            warnings.warn(text, stacklevel=3)
        if not result.error:
            progress(result.name, result.frames, result.frames)
            continue
        failed[result.name] = result.error
        if len(tasks) > 1:
            warnings.warn(f"{result.name}: {result.error}", stacklevel=3)
    if failed:
        raise _failure(failed, len(tasks))


def _is_up_to_date(task: RecordingTask) -> bool:
    try:
        return recording_status(task) is RecordingStatus.UP_TO_DATE
    except (OSError, AffectkitError):  # reported when the task is run
        return False


def _results(
    tasks: Sequence[RecordingTask], workers: int, scheduler: str, progress: Progress
) -> Iterator[TaskResult]:
    if not scheduler:  # otherwise an error of the detector would fail every recording
        load_detector(tasks[0].detector, **tasks[0].options)
    results = map_tasks(
        run_task,
        tasks,
        workers=workers,
        scheduler=scheduler,
        output=tasks[0].path.parent,
        progress=progress,
        lost=lambda task, reason: TaskResult(task.name, 0, reason, ()),
    )
    return (result for _, result in results)


def _failure(failed: Mapping[str, str], count: int) -> AffectkitError:
    names = list(failed)
    if count == 1:
        return AffectkitError(failed[names[0]])
    more = f" and {len(names) - MAX_NAMES} more" if len(names) > MAX_NAMES else ""
    text = ", ".join(names[:MAX_NAMES]) + more
    if len(names) == 1:
        text = f"{names[0]}: {failed[names[0]]}"
    return AffectkitError(f"{len(names)} of {count} recordings could not be created: {text}")
