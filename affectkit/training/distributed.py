"""Training one model in several processes, and the communication between them.

Each process trains on its share of every batch. The concordance loss is not a mean over frames, so
the mean of the processes' own losses would be a different loss. Instead, its moments are summed
over all processes, and each process computes the gradient of the one loss with respect to its own
predictions.
"""

import os
import pickle
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import IO, Any, NamedTuple, TypeVar, cast

import torch
from lightning_fabric import Fabric
from lightning_fabric.plugins.environments.lightning import find_free_network_port
from torch import Tensor, nn

from affectkit.errors import AffectkitError
from affectkit.models.device import memory_error_hint
from affectkit.training.memory import MEMORY_HINT

STARTED = "started"
# a worker is terminated, and Python would warn that it did not release its locks
NO_WARNING = "ignore:resource_tracker"
# a worker only trains, so it keeps freed memory, as the command line does (`keep_freed_memory`)
KEEP_FREED_MEMORY = {"MALLOC_MMAP_THRESHOLD_": str(1 << 30), "MALLOC_TRIM_THRESHOLD_": str(1 << 62)}
# the worker does not import the caller's main module, so scripts need no main guard
WORKER = """
import pickle, signal, sys
signal.signal(signal.SIGINT, signal.SIG_IGN)  # the first process handles Ctrl-C
sys.path[:] = pickle.load(sys.stdin.buffer)
from affectkit.training.distributed import run_worker
run_worker()
"""
Item = TypeVar("Item")


class Worker(NamedTuple):
    """A further training process, and the pipe that reports that it started or why it failed."""

    process: subprocess.Popen[bytes]
    report: IO[bytes]


@contextmanager
def launch_workers(devices: int, work: Callable[..., object], *arguments: object) -> Iterator[None]:
    """Run `work` in `devices` - 1 further processes during the block; this process is the first.

    Args:
        devices: number of processes; with 1, nothing is started.
        work: a function that the workers can import.
        arguments: of `work`; they must be picklable.

    Raises:
        AffectkitError: a worker could not be started, or failed; states its reason.
    """
    if devices == 1:
        yield
        return
    environment, threads = os.environ.copy(), torch.get_num_threads()
    port = str(find_free_network_port())
    os.environ.update(LOCAL_RANK="0", MASTER_ADDR="127.0.0.1", MASTER_PORT=port)
    workers: list[Worker] = []
    try:
        for rank in range(1, devices):
            workers.append(_start(rank, work, arguments))
        for worker in workers:
            _wait_until_started(worker)
        yield
    except RuntimeError as error:  # torch only reports a lost connection
        failure = _worker_error(workers)
        if failure is None:
            raise
        raise failure from error
    finally:
        _stop(workers)
        torch.set_num_threads(threads)
        os.environ.clear()
        os.environ.update(environment)


def _start(rank: int, work: Callable[..., object], arguments: tuple[object, ...]) -> Worker:
    warnings = ",".join(filter(None, (os.environ.get("PYTHONWARNINGS"), NO_WARNING)))
    process = subprocess.Popen(
        [sys.executable, "-c", WORKER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=KEEP_FREED_MEMORY | os.environ | {"LOCAL_RANK": str(rank), "PYTHONWARNINGS": warnings},
    )
    with suppress(OSError), cast(IO[bytes], process.stdin) as stdin:  # a failed worker closes it
        pickle.dump(sys.path, stdin)
        pickle.dump((work, arguments), stdin)
    return Worker(process, cast(IO[bytes], process.stdout))


def run_worker() -> None:
    """Run the work that the first process sent; report that it started, and why it failed."""
    report = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # whatever the work prints must not be mistaken for the report
    work, arguments = pickle.load(sys.stdin.buffer)  # from the process that started this one
    print(STARTED, file=report, flush=True)
    try:
        with memory_error_hint(MEMORY_HINT):
            work(*arguments)
    except Exception as error:
        name = "" if isinstance(error, AffectkitError) else f"{type(error).__name__}: "
        reason = " ".join(f"{name}{error}".split())
        with suppress(OSError):  # the first process may have ended
            print(reason, file=report, flush=True)


def _wait_until_started(worker: Worker) -> None:
    if _read_report(worker) != STARTED:
        raise AffectkitError(
            "a training process could not be started, see the messages above; "
            "training.devices = 1 trains in a single process"
        )


def _stop(workers: list[Worker]) -> None:
    for worker in workers:
        worker.process.terminate()  # it may be waiting for this process
        worker.process.wait()
        worker.report.close()
    if torch.distributed.is_initialized():
        torch.distributed.destroy_process_group()


def _read_report(worker: Worker) -> str:
    """The next line of a worker's report, or "" if the worker has ended."""
    return worker.report.readline().decode("utf-8", "replace").strip()


def _worker_error(workers: list[Worker]) -> AffectkitError | None:
    """The error of the first worker that has ended, if any."""
    for worker in workers:
        with suppress(subprocess.TimeoutExpired):
            status = worker.process.wait(10)
            reason = _read_report(worker) or f"it ended with status {status}"
            return AffectkitError(
                f"a training process failed: {reason}; "
                "the same command resumes from the last checkpoint"
            )
    return None


def share_of_batch(fabric: Fabric, batch: Sequence[Item]) -> Sequence[Item]:
    """The windows of a batch that this process trains on.

    Raises:
        AffectkitError: the batch has fewer windows than there are processes.
    """
    if len(batch) < fabric.world_size:
        raise AffectkitError(
            f"{fabric.world_size} processes cannot share a batch of {len(batch)}: "
            "raise windows.batch or lower training.devices"
        )
    return batch[fabric.global_rank :: fabric.world_size]


def sum_over_processes(fabric: Fabric, own: Tensor) -> Tensor:
    """The sum of a tensor over all processes, with the gradient of this process's own tensor."""
    if fabric.world_size == 1:
        return own
    whole = own.detach().clone()
    torch.distributed.all_reduce(whole)
    return own + (whole - own.detach())


def gather_from_processes(fabric: Fabric, own: dict[int, Any]) -> dict[int, Any]:
    """The items of all processes in one dict, sorted by key."""
    if fabric.world_size == 1:
        return own
    found: list[Any] = [None] * fabric.world_size
    torch.distributed.all_gather_object(found, own)
    merged = {number: value for each in found for number, value in each.items()}
    return dict(sorted(merged.items()))


def broadcast_buffers(fabric: Fabric, model: nn.Module) -> None:
    """Copy the first process's buffers (batch norm statistics) to all; each has its own."""
    if fabric.world_size > 1:
        for buffer in model.buffers():
            torch.distributed.broadcast(buffer, 0)
