"""Several processes that train one net, and what they have to tell each other.

Each sees its share of every batch. The concordance loss is not a mean over frames, so the mean of
the processes' own losses would be another loss: instead its moments are added up over all of them,
and each process has the gradient of the one loss by its own predictions.
"""

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from multiprocessing import connection
from multiprocessing.context import SpawnProcess
from typing import Any, NamedTuple, TypeVar

import torch
from lightning_fabric import Fabric
from lightning_fabric.plugins.environments.lightning import find_free_network_port
from torch import Tensor, nn

from affectkit.errors import AffectkitError

BEGUN = "begun"
QUIET = "ignore:resource_tracker"
Shared = TypeVar("Shared")


class Companion(NamedTuple):
    """Another process, and the pipe by which it says that it has begun, or why it failed."""

    process: SpawnProcess
    words: Any


@contextmanager
def companions(devices: int, work: Callable[..., object], *arguments: object) -> Iterator[None]:
    """Let `devices` - 1 further processes do `work` meanwhile; this process is the first.

    Raises:
        AffectkitError: one of them could not be started, or failed, with its reason.
    """
    if devices == 1:
        yield
        return
    before, threads = os.environ.copy(), torch.get_num_threads()
    port = str(find_free_network_port())
    os.environ.update(LOCAL_RANK="0", MASTER_ADDR="127.0.0.1", MASTER_PORT=port)
    # a process that is ended leaves locks behind, which are cleared away with a warning
    os.environ["PYTHONWARNINGS"] = ",".join(filter(None, (before.get("PYTHONWARNINGS"), QUIET)))
    others = [_start(number, work, arguments) for number in range(1, devices)]
    try:
        _wait(others)
        yield
    except RuntimeError as error:  # torch says only that a connection is gone
        raise _failure(others, error) from error
    finally:
        _end(others)
        torch.set_num_threads(threads)
        os.environ.clear()
        os.environ.update(before)


def _start(number: int, work: Callable[..., object], arguments: tuple[object, ...]) -> Companion:
    context = multiprocessing.get_context("spawn")
    mine, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_accompany, args=(number, theirs, work, arguments))
    process.daemon = True
    process.start()
    theirs.close()
    return Companion(process, mine)


def _accompany(number: int, words: Any, work: Any, arguments: Any) -> None:  # noqa: ANN401
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the first process decides when to stop
    os.environ["LOCAL_RANK"] = str(number)
    words.send(BEGUN)
    try:
        work(*arguments)
    except Exception as error:
        with suppress(OSError):  # the first process may be gone
            words.send(f"{type(error).__name__}: {error}")


def _wait(others: list[Companion]) -> None:
    for other in others:
        connection.wait([other.words, other.process.sentinel])
        if _said(other) != BEGUN:
            raise AffectkitError(
                "a process of training could not be started; a script that calls fit with several "
                "devices should do so under: if __name__ == '__main__'"
            )


def _end(others: list[Companion]) -> None:
    for other in others:
        other.process.terminate()  # it may wait for this one for ever
        other.process.join()
    if torch.distributed.is_initialized():
        torch.distributed.destroy_process_group()


def _said(other: Companion) -> str:
    try:
        return str(other.words.recv()) if other.words.poll() else ""
    except EOFError:
        return ""


def _failure(others: list[Companion], error: Exception) -> Exception:
    for other in others:
        other.process.join(10)
        if not other.process.is_alive():
            reason = _said(other) or f"it ended with status {other.process.exitcode}"
            return AffectkitError(
                f"a process of training failed: {reason}; "
                "the same command goes on from the last checkpoint"
            )
    return error


def own_share(fabric: Fabric, batch: Sequence[Shared]) -> Sequence[Shared]:
    """The windows of a batch that this process sees.

    Raises:
        AffectkitError: there are fewer windows than processes.
    """
    if len(batch) < fabric.world_size:
        raise AffectkitError(
            f"{fabric.world_size} processes cannot share a batch of {len(batch)}: "
            "raise windows.batch or lower training.devices"
        )
    return batch[fabric.global_rank :: fabric.world_size]


def total(fabric: Fabric, own: Tensor) -> Tensor:
    """The sum of a tensor over all processes, which carries the gradient of the own one."""
    if fabric.world_size == 1:
        return own
    whole = own.detach().clone()
    torch.distributed.all_reduce(whole)
    return own + (whole - own.detach())


def gather(fabric: Fabric, own: dict[int, Any]) -> dict[int, Any]:
    """What every process has found, together and in order."""
    if fabric.world_size == 1:
        return own
    found: list[Any] = [None] * fabric.world_size
    torch.distributed.all_gather_object(found, own)
    together = {number: value for each in found for number, value in each.items()}
    return dict(sorted(together.items()))


def share_statistics(fabric: Fabric, model: nn.Module) -> None:
    """Give every process the first one's batch norm statistics; each has counted its own frames."""
    if fabric.world_size > 1:
        for buffer in model.buffers():
            torch.distributed.broadcast(buffer, 0)
