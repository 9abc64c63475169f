"""An existing Dask cluster: the same jobs on other machines, which share the disk.

Dask gives a job whose worker was lost to another worker, at most three times.
"""

import os
from collections.abc import Iterator, Sequence
from importlib.metadata import version
from pathlib import Path
from queue import SimpleQueue
from threading import Lock
from typing import Any
from uuid import uuid4

import cv2

from affectkit.errors import AffectkitError, missing_extra
from affectkit.files import PARTIAL
from affectkit.prepare.job import Job, Outcome, Progress
from affectkit.prepare.making import attempt

PATIENCE = 10  # seconds for the scheduler to answer
PACKAGES = ("affectkit", "av", "numpy", "opencv-python")  # pixels depend on them
_one_at_a_time = Lock()  # of a worker process: detectors cannot be shared by threads


def in_cluster(jobs: Sequence[Job], address: str, progress: Progress) -> Iterator[Outcome]:
    """Attempt jobs on the workers of a Dask cluster.

    Args:
        jobs: what is to be made; all paths lie on a disk that the workers share.
        address: of the scheduler, such as `tcp://10.0.0.1:8786`.
        progress: called in this process.

    Raises:
        AffectkitError: there is no scheduler, it has no workers, or they have other versions or
            do not see the output folder.
    """
    try:
        from distributed import Client
    except ImportError:
        raise missing_extra("distributed", "cluster") from None
    try:
        client = Client(address, timeout=PATIENCE, set_as_default=False)
    except (OSError, ValueError, ImportError) as error:
        raise AffectkitError(
            f"no Dask scheduler answers at {address!r} ({error}); "
            "expected an address such as tcp://10.0.0.1:8786"
        ) from None
    with client:
        _check_workers(client, jobs[0].path.parent)
        yield from _gather(client, jobs, progress)


def _gather(client: Any, jobs: Sequence[Job], progress: Progress) -> Iterator[Outcome]:  # noqa: ANN401
    news: SimpleQueue[Any] = SimpleQueue()
    topic = f"affectkit-{uuid4()}"
    client.subscribe_topic(topic, lambda event: news.put(tuple(event[1])))
    futures = {client.submit(_on_worker, job, topic, pure=False): job.name for job in jobs}
    for future in futures:
        future.add_done_callback(news.put)
    waiting = set(futures.values())
    while waiting:
        said = news.get()
        if not isinstance(said, tuple):
            waiting.discard(futures[said])
            yield _outcome(said, futures[said])
        elif said[0] in waiting:  # reports may come late
            progress(*said)


def _outcome(future: Any, name: str) -> Outcome:  # noqa: ANN401
    if future.status == "finished":
        outcome: Outcome = future.result()
        return outcome
    if future.status == "error":
        reason = " ".join(str(future.exception()).split())
        return Outcome(name, 0, f"the cluster gave it up: {reason}", ())
    raise AffectkitError(
        "the Dask scheduler is gone; what is made is kept: run again when it is back"
    )


def _on_worker(job: Job, topic: str) -> Outcome:
    from distributed import get_worker

    worker = get_worker()
    cv2.setNumThreads(1)
    with _one_at_a_time:
        return attempt(job, lambda *report: worker.log_event(topic, report))


def _check_workers(client: Any, out: Path) -> None:  # noqa: ANN401
    """Refuse workers that would make other recordings, or make them elsewhere.

    Raises:
        AffectkitError: naming the worker.
    """
    mark = out / f"{PARTIAL}shared-{uuid4()}"
    mark.touch()
    try:
        answers = client.run(_introduce, str(mark))
    finally:
        mark.unlink()
    if not answers:
        raise AffectkitError(
            f"the scheduler {client.scheduler.address} has no workers; start some: "
            f"dask worker {client.scheduler.address} --nworkers 4 --nthreads 1"
        )
    own = versions()
    for worker, (theirs, sees) in answers.items():
        other = [
            f"{name} {theirs[name]}, not {own[name]}" for name in own if theirs[name] != own[name]
        ]
        if other:
            raise AffectkitError(f"worker {worker} has {', '.join(other)}; install the same there")
        if not sees:
            raise AffectkitError(
                f"worker {worker} does not see {out}; "
                "the output folder should lie on a disk that all workers share"
            )


def _introduce(mark: str) -> tuple[dict[str, str], bool]:
    return versions(), os.path.exists(mark)


def versions() -> dict[str, str]:
    """The versions of what recordings depend on."""
    return {name: version(name) for name in PACKAGES}
