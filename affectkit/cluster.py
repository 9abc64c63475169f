"""Dask clusters: an existing one, or a local one of worker processes for one call."""

import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile
from typing import IO, Any
from urllib.parse import urlsplit
from uuid import uuid4

from affectkit.errors import AffectkitError
from affectkit.files import PARTIAL

TRIES = 3  # of a task if its worker process is killed
STOP_SECONDS = 5  # to wait for running tasks before their processes are killed
CONNECT_SECONDS = 10  # to wait for the scheduler of a cluster
# the pixels of a recording can depend on the versions of these packages
PACKAGES = ("affectkit", "av", "numpy", "opencv-python")
ENDED = (
    "the Dask scheduler or the process that manages the workers ended; "
    "completed work is kept: run again to continue"
)


def check_address(address: str) -> None:
    """Check the address of a scheduler: a client of Dask does not clean up after a wrong one.

    Raises:
        AffectkitError: it is not tcp://HOST:PORT.
    """
    try:
        parts = urlsplit(address)
        valid = parts.scheme == "tcp" and parts.hostname and parts.port and not parts.path
    except ValueError:  # the port is not a number from 0 to 65535
        valid = False
    if not valid:
        raise AffectkitError(
            f"{address!r} is not the address of a Dask scheduler: expected tcp://HOST:PORT, such "
            "as tcp://10.0.0.1:8786"
        )


@contextmanager
def connect(address: str) -> Iterator[Any]:
    """Yield a client of a scheduler; log messages of Dask are silenced until it is closed.

    Raises:
        AffectkitError: no scheduler answers at this address.
    """
    from distributed import Client
    from distributed.utils import silence_logging_cmgr

    try:
        with silence_logging_cmgr(logging.CRITICAL):
            client = Client(address, timeout=CONNECT_SECONDS, set_as_default=False)
    except (OSError, ValueError, ImportError) as error:
        raise AffectkitError(
            f"no Dask scheduler answers at {address!r} ({error}); "
            "expected an address such as tcp://10.0.0.1:8786"
        ) from None
    with silence_logging_cmgr(logging.CRITICAL), client:
        yield client


@contextmanager
def local_cluster(workers: int) -> Iterator[str]:
    """Yield the address of a scheduler in a new process, which starts and replaces workers.

    That process and its workers end when their standard input is closed: by this function, or by
    the end of this process.
    """
    threads = max(1, (os.cpu_count() or 1) // workers)
    command = [
        sys.executable,
        "-P",
        "-c",
        f"from affectkit.cluster import _serve; _serve({workers}, {threads})",
    ]
    paths = os.pathsep.join(path or os.getcwd() for path in sys.path)
    try:
        log = TemporaryFile("w+")  # noqa: SIM115  # closed below
    except OSError as error:
        raise AffectkitError(
            f"worker processes need a temporary folder ({error.strerror}); set TMPDIR to a folder "
            "that can be written to, or use one worker"
        ) from None
    with log:
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            env=os.environ | {"PYTHONPATH": paths},
            start_new_session=True,  # Ctrl-C is for this process, which then ends that one
        )
        with process:
            try:
                import distributed  # noqa: F401  # while that process imports it too

                yield _address(process, log)
            finally:
                _end(process)


def _address(process: subprocess.Popen[str], log: IO[str]) -> str:
    address = process.stdout.readline().strip() if process.stdout else ""
    if not address:
        process.wait()
        log.seek(0)
        reason = (log.read().strip().splitlines() or [f"exit code {process.returncode}"])[-1]
        raise AffectkitError(f"worker processes cannot be started: {reason}")
    return address


def _end(process: subprocess.Popen[str]) -> None:
    if process.stdin:
        process.stdin.close()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()


def _serve(workers: int, threads: int) -> None:
    """Run a scheduler and worker processes until standard input is closed."""
    import dask
    from distributed import LocalCluster

    output = os.fdopen(os.dup(1), "w")  # not inherited by workers, which cannot fill the pipe
    os.dup2(2, 1)
    settings = {
        "distributed.scheduler.allowed-failures": TRIES - 1,
        "distributed.scheduler.worker-saturation": 1.0,  # a worker is assigned one task at a time
        "distributed.scheduler.active-memory-manager.start": False,
        "distributed.worker.profile.enabled": False,
        "distributed.diagnostics.nvml": False,
        "distributed.nanny.pre-spawn-environ": {
            name: threads for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
        },
    }
    with TemporaryDirectory(ignore_cleanup_errors=True) as folder, dask.config.set(settings):
        cluster = LocalCluster(
            n_workers=workers,
            threads_per_worker=1,
            memory_limit=0,
            host="127.0.0.1",
            dashboard_address=None,
            local_directory=folder,
        )
        # Without this, a few tasks are all assigned at once, and Dask counts the end of a worker
        # as a failure of every task assigned to it, also of those that were not running.
        cluster.scheduler.is_rootish = lambda task: True
        output.write(f"{cluster.scheduler_address}\n")
        output.close()
        sys.stdin.read()
    os._exit(0)  # the workers end with this process, even in the middle of a task


def check_workers(client: Any, output: Path | None) -> None:  # noqa: ANN401
    """Check that all workers give the same results and write to the same folder.

    Raises:
        AffectkitError: there are no workers, or one has other versions or does not see `output`.
    """
    mark = output / f"{PARTIAL}shared-{uuid4()}" if output else None
    if mark:
        mark.touch()
    try:
        answers = client.run(_describe_worker, mark)
    except OSError:
        raise AffectkitError(ENDED) from None
    finally:
        if mark:
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
            raise AffectkitError(
                f"worker {worker} has {', '.join(other)}; install the same versions there"
            )
        if not sees:
            raise AffectkitError(
                f"worker {worker} does not see {output}; "
                "the output folder must be on a disk that all workers share"
            )


def _describe_worker(mark: Path | None) -> tuple[dict[str, str], bool]:
    return versions(), mark is None or mark.exists()


def versions() -> dict[str, str]:
    """The versions of the packages that results depend on."""
    return {name: version(name) for name in PACKAGES}
