"""A batch in pieces, where memory does not hold the whole, with the gradient of the whole.

The concordance loss is not a mean over windows, so the gradients of the pieces' own losses do not
add up to it. Hence two rounds: the first collects the predictions of all pieces and the slope of
the loss at each; the second takes these slopes back through the net, a piece at a time.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from affectkit.models.temporal import State
from affectkit.training.learner import Learner
from affectkit.training.memory import statistics_kept
from affectkit.training.windows import Batch

Run = Callable[[Batch, State], tuple[Tensor, State]]


class Piece(NamedTuple):
    """Some windows of a batch, and what is remembered of the frames before them."""

    batch: Batch
    state: State


def cut(batch: Batch, state: State, count: int) -> list[Piece]:
    """Cut a batch and its state between windows into at most `count` pieces."""
    batches = [Batch(*part) for part in zip(*(t.chunk(count) for t in batch), strict=True)]
    parts = list(zip(*(t.chunk(count, dim=1) for t in state), strict=True))
    return list(map(Piece, batches, parts or [()] * len(batches)))


def backward_in_pieces(
    learner: Learner, pieces: Sequence[Piece], run: Run, loss_of: Callable[[Tensor], Tensor]
) -> tuple[Tensor, Tensor, State]:
    """Add the gradient of one loss over all pieces to the net's weights.

    Args:
        learner: whose net it is.
        pieces: of a batch.
        run: the net's forward pass.
        loss_of: from the predictions of all windows to the loss.

    Returns:
        Predictions, loss and state of all windows.
    """
    seed = torch.initial_seed()

    def once_more(number: int) -> tuple[Tensor, State]:
        torch.manual_seed(hash((seed, number)))  # what drops out in one round does in the other
        return run(*pieces[number])

    with torch.no_grad(), statistics_kept(learner.model):
        outputs, states = zip(*map(once_more, range(len(pieces))), strict=True)
    leaves = [output.requires_grad_() for output in outputs]
    predictions = torch.cat(leaves)
    loss = loss_of(predictions)
    slopes = torch.autograd.grad(loss * learner.fabric.world_size, leaves)
    for number, slope in enumerate(slopes):
        more = number < len(slopes) - 1
        with learner.fabric.no_backward_sync(learner.wrapped, enabled=more):
            learner.fabric.backward(once_more(number)[0], gradient=slope)
    state = tuple(torch.cat(parts, dim=1) for parts in zip(*states, strict=True))
    return predictions, loss, state
