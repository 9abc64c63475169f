"""Memory for time and time for memory: freed memory kept, a CNN's insides computed twice.

And what to say where there is too little.
"""

import ctypes
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import cache, partial, reduce
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.utils.checkpoint import checkpoint

from affectkit.errors import AffectkitError

ALLOCATE = "allocate memory"  # what torch says when a CPU's does not suffice
RUN = 4  # layers of a long row, or a few more, that are computed twice together

Forward = Callable[[Any], Any]

# numbers of glibc's malloc.h
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3


@cache
def keep_memory() -> None:
    """Let this process keep the memory that it frees, and use it again.

    Pictures and activations take tens of megabytes each. By itself glibc gives these back to the
    system, and the next step begins with a page fault for every 4 kB: a fifth of a step of the
    demo's net. What a process holds does not fall below its peak any more. Other C libraries are
    left as they are.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return
    mallopt(M_MMAP_THRESHOLD, 1 << 30)
    mallopt(M_TRIM_THRESHOLD, -1)


def checkpoint_gradients(cnn: nn.Module) -> None:
    """Keep of each stage of a CNN its input alone; the way back computes the rest once more.

    Gradients stay as they are, and what batch norms see of the data counts once.
    """
    for stage in _stages(cnn):
        forward = _in_runs(stage) if _is_row(stage) else _twice(stage, stage.forward)
        stage.forward = forward


def _stages(cnn: nn.Module) -> list[nn.Module]:
    """The parts of a CNN that have parts of their own, and of lists of such parts the members."""
    stages: list[nn.Module] = []
    for child in cnn.children():
        listed = isinstance(child, nn.Sequential | nn.ModuleList) and not _is_row(child)
        stages += child.children() if listed else [child]
    return [stage for stage in stages if any(True for _ in stage.children())]


def _is_row(part: nn.Module) -> bool:
    """Whether it is layers one after the other, without a structure: VGG's."""
    return isinstance(part, nn.Sequential) and not any(
        True for layer in part for _ in layer.children()
    )


def _in_runs(row: Any) -> Forward:  # noqa: ANN401
    forwards = [_twice(run, run.forward) for run in _runs(row)]

    def forward(image: Tensor) -> Tensor:
        return reduce(lambda value, each: each(value), forwards, image)

    return forward


def _runs(row: Any) -> list[nn.Module]:  # noqa: ANN401
    starts: list[int] = []
    for number, layer in enumerate(row):
        # a layer that writes over what it is given must not be given what is kept
        full = not starts or number - starts[-1] >= RUN
        if full and not getattr(layer, "inplace", False):
            starts.append(number)
    return [row[start:end] for start, end in pairwise([*starts, len(row)])]


def _twice(part: nn.Module, forward: Forward) -> Forward:
    def contexts() -> tuple[AbstractContextManager[None], ...]:
        return nullcontext(), statistics_kept(part)

    return partial(checkpoint, forward, use_reentrant=False, context_fn=contexts)


@contextmanager
def statistics_kept(part: nn.Module) -> Iterator[None]:
    """Let batch norms normalise as ever, but learn nothing about the data from it."""
    norms = [m for m in part.modules() if isinstance(m, _BatchNorm) and m.track_running_stats]
    before = [(norm.momentum, norm.num_batches_tracked) for norm in norms]
    for norm in norms:
        norm.momentum = 0.0  # not track_running_stats: checkpoint wants the same tensors saved
        norm.num_batches_tracked = None
    try:
        yield
    finally:
        for norm, (momentum, count) in zip(norms, before, strict=True):
            norm.momentum, norm.num_batches_tracked = momentum, count


@contextmanager
def told_if_too_little() -> Iterator[None]:
    """Say in one line what to do where memory does not suffice, of a GPU or of the machine.

    Raises:
        AffectkitError: it does not.
    """
    try:
        yield
    except RuntimeError as error:
        if not isinstance(error, torch.OutOfMemoryError) and ALLOCATE not in str(error):
            raise
        raise AffectkitError(
            f"memory does not suffice ({str(error).splitlines()[0][:120]}): lower windows.batch, "
            "raise training.accumulate, or set training.gradient_checkpointing = true; "
            "affectkit train --dry-run shows what a recipe needs"
        ) from error
