"""Run a function on many tasks: in this process, in local worker processes or on a cluster."""

import pickle
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from queue import SimpleQueue
from threading import Lock
from typing import Any, TypeVar
from uuid import uuid4

from affectkit.cluster import (
    ENDED,
    STOP_SECONDS,
    check_address,
    check_workers,
    connect,
    local_cluster,
)
from affectkit.errors import AffectkitError

Progress = Callable[[str, int, int], None]  # what is being done, steps done, all steps (0: unknown)
Task = TypeVar("Task")
Result = TypeVar("Result")


def no_progress(name: str, done: int, total: int) -> None:
    """Report nothing: the default of every `progress` argument."""


def raise_lost(task: object, reason: str) -> Any:  # noqa: ANN401
    """Raise `reason` as an AffectkitError: what `map_tasks` does with a lost task by default."""
    raise AffectkitError(reason)


def check_parallel(workers: int, scheduler: str) -> None:
    """Check the arguments of `map_tasks`, before work that comes first.

    Raises:
        AffectkitError: `workers` is below 1, both are given, or `scheduler` is not an address.
    """
    if workers < 1:
        raise AffectkitError(f"workers should be at least 1, got {workers}")
    if workers > 1 and scheduler:
        raise AffectkitError(
            "give either a number of workers or a scheduler (--workers, --scheduler): a cluster "
            "has its own workers"
        )
    if scheduler:
        check_address(scheduler)


def map_tasks(
    function: Callable[[Task, Progress], Result],
    tasks: Sequence[Task],
    *,
    workers: int = 1,
    scheduler: str = "",
    output: Path | None = None,
    progress: Progress = no_progress,
    lost: Callable[[Task, str], Result] = raise_lost,
) -> Iterator[tuple[Task, Result]]:
    """Call `function(task, progress)` for every task and yield `(task, result)` as they complete.

    With one worker, everything runs in this process, in the order of the tasks. With several
    workers, or on a cluster, the function, the tasks and the results are pickled. Worker processes
    never import the main module of the caller, so this is safe in a notebook, in a script without
    a main guard and on standard input. A worker process runs one task at a time, on its share of
    the processors, and is used for many tasks: to load a model once in each process, load it
    in a function with `functools.cache`. Warnings of a task are issued again in this process.

    A worker process that is killed is replaced, and its task runs again, so a task should have the
    same result if it is repeated. When the iterator is closed early (by an exception or Ctrl-C),
    no other task starts; running tasks get a `TaskStopped` from their next call of `progress`.
    Local workers end with this process, even if it is killed.

    Args:
        function: what to do with a task, and how to report its progress.
        tasks: its inputs.
        workers: number of local worker processes.
        scheduler: address of an existing Dask cluster, such as `tcp://10.0.0.1:8786`, to use
            instead of local workers.
        output: the folder that the tasks write to. The workers of a cluster need access to it
            under the same path; this is checked with a hidden file, which is removed again.
        progress: called in this process with each report of the function.
        lost: called with a task and a reason in one line if the worker process of the task was
            killed three times; returns the result of the task. By default the reason is raised.

    Raises:
        AffectkitError: `workers` or `scheduler` is invalid, the worker processes cannot be
            started, or the cluster does not answer, has no workers, has other versions of
            affectkit or its packages, does not see `output`, or ended before the work was done.
        Exception: whatever the function raises; the other tasks are stopped.
    """
    check_parallel(workers, scheduler)
    if not tasks:
        return iter(())
    if scheduler:
        return _map_on_cluster(function, tasks, scheduler, output, progress, lost)
    workers = min(workers, len(tasks))
    if workers > 1:
        return _map_on_local_workers(function, tasks, workers, progress, lost)
    return ((task, function(task, progress)) for task in tasks)


class TaskStopped(BaseException):
    """Raised by the `progress` of a task in a worker process after the caller has stopped."""


def _map_on_cluster(
    function: Callable[[Task, Progress], Result],
    tasks: Sequence[Task],
    address: str,
    output: Path | None,
    progress: Progress,
    lost: Callable[[Task, str], Result],
) -> Iterator[tuple[Task, Result]]:
    with connect(address) as client:
        check_workers(client, output)
        yield from _map_with_client(client, function, tasks, progress, lost)


def _map_on_local_workers(
    function: Callable[[Task, Progress], Result],
    tasks: Sequence[Task],
    workers: int,
    progress: Progress,
    lost: Callable[[Task, str], Result],
) -> Iterator[tuple[Task, Result]]:
    with local_cluster(workers) as address, connect(address) as client:
        yield from _map_with_client(client, function, tasks, progress, lost)


def _map_with_client(
    client: Any,  # noqa: ANN401
    function: Callable[[Task, Progress], Result],
    tasks: Sequence[Task],
    progress: Progress,
    lost: Callable[[Task, str], Result],
) -> Iterator[tuple[Task, Result]]:
    """Submit all tasks, then handle progress reports and completed tasks as they arrive."""
    from distributed.protocol.pickle import dumps
    from distributed.scheduler import KilledWorker

    events: SimpleQueue[Any] = SimpleQueue()
    call = f"affectkit-{uuid4()}"
    client.subscribe_topic(call, lambda event: events.put(tuple(event[1])))
    futures = client.map(
        _run_task, [dumps((function, task)) for task in tasks], range(len(tasks)),
        call=call, pure=False, key=call,
    )  # fmt: skip
    waiting = {future: number for number, future in enumerate(futures)}
    for future in futures:
        future.add_done_callback(events.put)
    del futures, future  # the cluster keeps the result of a task until its future is deleted
    try:
        while waiting:
            event = events.get()
            if isinstance(event, tuple):
                number, *report = event
                if number in waiting.values():  # reports may arrive after the result
                    progress(*report)
                continue
            task = tasks[waiting.pop(event)]
            error = event.exception() if event.status == "error" else None
            if isinstance(error, KilledWorker):
                yield task, lost(task, _lost_reason(error.allowed_failures + 1))
            elif error:
                raise error
            else:
                yield task, _result(event)
    finally:
        if waiting and client.status == "running":
            _stop(client, list(waiting), call)


def _lost_reason(kills: int) -> str:
    return (
        f"its worker process was killed {kills} times, perhaps for lack of memory: "
        "run again with fewer workers"
    )


def _result(future: Any) -> Any:  # noqa: ANN401
    """The result of a task that succeeded; issues its warnings."""
    from distributed.client import FutureCancelledError

    try:
        result, caught = future.result()
    except (OSError, FutureCancelledError):
        raise AffectkitError(ENDED) from None
    for category, text in caught:
        warnings.warn(text, category, stacklevel=4)
    return result


def _stop(client: Any, futures: list[Any], call: str) -> None:  # noqa: ANN401
    """Cancel all tasks, and give the running ones time to remove their partial files."""
    with suppress(Exception):  # the cluster may have ended, which may be why the caller stops
        client.cancel(futures, force=True)
        client.run(_stop_tasks, call, STOP_SECONDS)


# The following runs in the worker processes.

_stopped: set[str] = set()  # calls of `map_tasks` that have ended
_running: set[str] = set()  # the call of the task that is running
_one_at_a_time = Lock()  # detectors cannot be shared by the threads of a worker


def _run_task(content: bytes, number: int, *, call: str) -> tuple[Any, list[tuple[type, str]]]:
    import cv2
    from distributed import get_worker

    worker = get_worker()

    def progress(*report: Any) -> None:  # noqa: ANN401
        if call in _stopped:
            raise TaskStopped
        worker.log_event(call, (number, *report))

    with _one_at_a_time, warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        cv2.setNumThreads(1)
        if call in _stopped:
            raise TaskStopped
        _running.add(call)
        try:
            function, task = pickle.loads(content)
            result = function(task, progress)
        finally:
            _running.discard(call)
    return result, [(warning.category, str(warning.message)) for warning in caught]


async def _stop_tasks(call: str, seconds: float) -> None:
    """Make the running task raise TaskStopped, and wait for it, in the event loop of a worker."""
    import asyncio

    _stopped.add(call)
    deadline = time.monotonic() + seconds
    while call in _running and time.monotonic() < deadline:
        await asyncio.sleep(0.02)
