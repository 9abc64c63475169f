"""Local worker processes, each on a line of its own: one that dies takes no other along."""

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import suppress
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from typing import NamedTuple, cast

import cv2

from affectkit.errors import AffectkitError
from affectkit.prepare.job import Job, Outcome, Progress
from affectkit.prepare.making import attempt

TRIES = 3  # of a job whose process was ended from outside
PATIENCE = 5  # seconds for a worker to put things away
READY = "ready"


class _Task(NamedTuple):
    job: Job
    tries: int = 1


class _Worker(NamedTuple):
    process: SpawnProcess
    task: _Task | None = None  # none until it has started


Staff = dict[Connection, _Worker]
Said = Outcome | tuple[str, int, int] | str | None  # an outcome, progress, `READY`; None = it died


def in_processes(jobs: Sequence[Job], workers: int, progress: Progress) -> Iterator[Outcome]:
    """Attempt jobs in several processes; what a killed one was at is given to another one.

    Args:
        jobs: what is to be made.
        workers: processes.
        progress: called in this process.

    Raises:
        AffectkitError: processes cannot be started.
    """
    waiting, staff, leaving = deque(map(_Task, jobs)), Staff(), list[SpawnProcess]()
    threads = max(1, (os.cpu_count() or 1) // workers)
    try:
        for _ in range(min(workers, len(jobs))):
            _hire(staff, threads)
        while staff:
            line = cast(Connection, wait(list(staff))[0])
            said = _hear(line)
            if said is None:
                yield from _bury(staff, line, waiting)
                if waiting:
                    _hire(staff, threads)
            elif isinstance(said, Outcome):
                yield said
                _employ(staff, line, waiting, leaving)
            elif isinstance(said, tuple):
                progress(*said)
            else:
                _employ(staff, line, waiting, leaving)
    finally:
        _dismiss(staff)
        for process in leaving:
            process.join()


def _hire(staff: Staff, threads: int) -> None:
    context = multiprocessing.get_context("spawn")  # forking is unsafe once a library has threads
    line, far_end = context.Pipe()
    process = context.Process(target=_work, args=(far_end, threads), daemon=True)
    process.start()
    far_end.close()  # so that the line breaks when the process ends
    staff[line] = _Worker(process)


def _hear(line: Connection) -> Said:
    try:
        return cast(Said, line.recv())
    except (EOFError, OSError):
        return None


def _employ(
    staff: Staff, line: Connection, waiting: deque[_Task], leaving: list[SpawnProcess]
) -> None:
    if waiting:
        staff[line] = staff[line]._replace(task=waiting.popleft())
        with suppress(OSError):  # a broken line shows when it is listened to
            line.send(cast(_Task, staff[line].task).job)
        return
    line.close()  # nothing more to do: it goes, and nobody waits for it while others work
    leaving.append(staff.pop(line).process)


def _bury(staff: Staff, line: Connection, waiting: deque[_Task]) -> Iterator[Outcome]:
    process, task = staff.pop(line)
    line.close()
    process.join()
    if task is None:
        raise AffectkitError(
            f"worker processes cannot be started (exit code {process.exitcode}); a script that "
            "asks for workers needs `if __name__ == '__main__':` before it calls prepare"
        )
    if task.tries < TRIES:
        waiting.appendleft(task._replace(tries=task.tries + 1))
        return
    reason = (
        f"the process that made it was ended {TRIES} times (exit code {process.exitcode}), "
        "perhaps for want of memory: run again with fewer workers"
    )
    yield Outcome(task.job.name, 0, reason, ())


def _dismiss(staff: Staff) -> None:
    for line in staff:
        line.close()  # a worker ends when it can tell nobody how far it is
    for worker in staff.values():
        worker.process.join(PATIENCE)
        worker.process.kill()
        worker.process.join()


def _work(line: Connection, threads: int) -> None:
    """What a worker process does: a job after the other, until the line is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which ends this one
    threading.Thread(target=end_with_parent, daemon=True).start()
    cv2.setNumThreads(1)
    os.environ["OMP_NUM_THREADS"] = str(threads)
    with suppress(EOFError, OSError):
        line.send(READY)
        while True:
            line.send(attempt(line.recv(), lambda *report: line.send(report)))


def end_with_parent() -> None:
    """In a thread of a worker: one that outlives its parent would write where the next try does."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)
