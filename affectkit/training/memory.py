"""Gradient checkpointing, and the hint of the error when memory is too small."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial, reduce
from itertools import pairwise
from typing import Any

from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.utils.checkpoint import checkpoint

MEMORY_HINT = (
    "lower windows.batch, raise training.micro_batches, or set training.gradient_checkpointing = "
    "true; affectkit train --dry-run shows how much a recipe needs"
)
GROUP = 4  # layers (or a few more) of a long sequence that are recomputed together

Forward = Callable[[Any], Any]


def enable_gradient_checkpointing(cnn: nn.Module) -> None:
    """Let each stage of a CNN keep only its input; the backward pass recomputes the rest.

    The gradients are the same, and each batch updates the batch norm statistics only once.
    """
    for stage in _stages(cnn):
        forward = _in_groups(stage) if _is_plain(stage) else _recomputed(stage, stage.forward)
        stage.forward = forward


def _stages(cnn: nn.Module) -> list[nn.Module]:
    """The children of a CNN that have children; of a list of modules, its members."""
    stages: list[nn.Module] = []
    for child in cnn.children():
        is_list = isinstance(child, nn.Sequential | nn.ModuleList) and not _is_plain(child)
        stages += child.children() if is_list else [child]
    return [stage for stage in stages if any(True for _ in stage.children())]


def _is_plain(module: nn.Module) -> bool:
    """Whether a module is a sequence of single layers without blocks, as VGG's is."""
    return isinstance(module, nn.Sequential) and not any(
        True for layer in module for _ in layer.children()
    )


def _in_groups(layers: Any) -> Forward:  # noqa: ANN401
    forwards = [_recomputed(group, group.forward) for group in _groups(layers)]

    def forward(image: Tensor) -> Tensor:
        return reduce(lambda value, each: each(value), forwards, image)

    return forward


def _groups(layers: Any) -> list[nn.Module]:  # noqa: ANN401
    starts: list[int] = []
    for number, layer in enumerate(layers):
        # a group keeps its input, so it must not start with a layer that overwrites its input
        is_full = not starts or number - starts[-1] >= GROUP
        if is_full and not getattr(layer, "inplace", False):
            starts.append(number)
    return [layers[start:end] for start, end in pairwise([*starts, len(layers)])]


def _recomputed(module: nn.Module, forward: Forward) -> Forward:
    def contexts() -> tuple[AbstractContextManager[None], ...]:
        return nullcontext(), keep_batch_norm_statistics(module)

    return partial(checkpoint, forward, use_reentrant=False, context_fn=contexts)


@contextmanager
def keep_batch_norm_statistics(module: nn.Module) -> Iterator[None]:
    """Batch norms normalise as usual in this block, but do not update their running statistics."""
    norms = [m for m in module.modules() if isinstance(m, _BatchNorm) and m.track_running_stats]
    before = [(norm.momentum, norm.num_batches_tracked) for norm in norms]
    for norm in norms:
        norm.momentum = 0.0  # not track_running_stats: checkpoint needs the same saved tensors
        norm.num_batches_tracked = None
    try:
        yield
    finally:
        for norm, (momentum, count) in zip(norms, before, strict=True):
            norm.momentum, norm.num_batches_tracked = momentum, count
