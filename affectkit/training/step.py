"""One training step: augment a batch, forward, loss, backward, update the weights.

If memory is too small for the whole batch, the step splits it into micro-batches. The concordance
loss is not a mean over windows, so the gradients of the micro-batches' own losses do not sum to
the gradient of the batch. Therefore there are two passes: the first collects the predictions of all
micro-batches and the gradient of the loss with respect to each; the second backpropagates these
gradients through the model, one micro-batch at a time. The result is the gradient of the batch.
"""

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

import torch
from torch import Tensor

from affectkit.errors import AffectkitError
from affectkit.models.inputs import resize
from affectkit.models.losses import build_loss
from affectkit.models.temporal import State
from affectkit.training.augment import augment
from affectkit.training.distributed import gather_from_processes, sum_over_processes
from affectkit.training.learner import Learner
from affectkit.training.memory import keep_batch_norm_statistics
from affectkit.training.recipe import Recipe
from affectkit.training.windows import Batch, Window


class Step(NamedTuple):
    """The result of a step."""

    loss: float
    finite: bool  # loss and gradient are finite; if not, the weights are unchanged
    broken: Tensor  # (B), windows with predictions that are not finite
    hidden: State  # hidden state after the last frame of each window


class MicroBatch(NamedTuple):
    """Some windows of a batch, and their hidden state before the first frame."""

    batch: Batch
    hidden: State


def train_step(learner: Learner, recipe: Recipe, batch: Batch, hidden: State = ()) -> Step:
    """Augment a batch, compute its gradient, and update the weights once.

    Args:
        learner: the model and its optimiser.
        recipe: a recipe.
        batch: windows as they are stored.
        hidden: hidden state before the first frame of each window; empty: zeros.
    """
    fabric, settings = learner.fabric, recipe.training
    batch = Batch(*map(fabric.to_device, batch))
    if recipe.windows.augment:
        batch = augment(batch, recipe.windows.input_size, recipe.windows.cutout)
    annotation = batch.annotation.flatten(0, 1)
    loss_function = build_loss(settings.loss, settings.mix.model_dump())

    def loss_of(prediction: Tensor) -> Tensor:
        return loss_function(
            prediction.flatten(0, 1), annotation, partial(sum_over_processes, fabric)
        )

    learner.optimizer.zero_grad()
    if settings.micro_batches > 1:
        micro_batches = split_into_micro_batches(batch, hidden, settings.micro_batches)
        prediction, loss, hidden = backward_in_micro_batches(
            learner, recipe, micro_batches, loss_of
        )
    else:
        prediction, hidden = forward(learner, recipe, batch, hidden)
        loss = loss_of(prediction)
        # DDP averages the gradients of the processes; times their number gives the sum
        fabric.backward(loss * fabric.world_size)
    norm: Any = fabric.clip_gradients(
        learner.wrapped,
        learner.optimizer,
        max_norm=settings.gradient_clip,
        error_if_nonfinite=False,
    )
    # with 16-mixed, the optimiser skips a step with an infinite gradient and lowers its loss scale
    finite = bool(loss.isfinite()) and (bool(norm.isfinite()) or settings.precision == "16-mixed")
    if finite:
        learner.optimizer.step()
        learner.schedule.step()
    broken = ~prediction.detach().isfinite().flatten(1).all(1)
    return Step(float(loss.detach()), finite, broken, tuple(part.detach() for part in hidden))


def forward(
    learner: Learner, recipe: Recipe, batch: Batch, hidden: State = ()
) -> tuple[Tensor, State]:
    """Predictions (B, T, A) for stored faces, and the hidden state after the last frames."""
    image = learner.model.normalise(resize(batch.face, recipe.windows.input_size))
    image = image.view(*batch.face.shape[:2], *image.shape[1:])
    prediction, hidden = learner.wrapped(image, batch.landmark, hidden)
    return prediction, hidden


def split_into_micro_batches(batch: Batch, hidden: State, count: int) -> list[MicroBatch]:
    """Split the windows of a batch, and their hidden state, into at most `count` micro-batches."""
    batches = [Batch(*part) for part in zip(*(t.chunk(count) for t in batch), strict=True)]
    states = list(zip(*(t.chunk(count, dim=1) for t in hidden), strict=True))
    return list(map(MicroBatch, batches, states or [()] * len(batches)))


def backward_in_micro_batches(
    learner: Learner,
    recipe: Recipe,
    micro_batches: Sequence[MicroBatch],
    loss_of: Callable[[Tensor], Tensor],
) -> tuple[Tensor, Tensor, State]:
    """Add the gradient of one loss over all micro-batches to the weights.

    Args:
        learner: the model.
        recipe: a recipe.
        micro_batches: all windows of a batch.
        loss_of: the loss, from the predictions for all windows.

    Returns:
        Predictions, loss and hidden state of all windows.
    """
    seed = torch.initial_seed()

    def seeded_forward(number: int) -> tuple[Tensor, State]:
        torch.manual_seed(hash((seed, number)))  # the same dropout in both passes
        return forward(learner, recipe, *micro_batches[number])

    with torch.no_grad(), keep_batch_norm_statistics(learner.model):
        outputs, states = zip(*map(seeded_forward, range(len(micro_batches))), strict=True)
    leaves = [output.requires_grad_() for output in outputs]
    prediction = torch.cat(leaves)
    loss = loss_of(prediction)
    gradients = torch.autograd.grad(loss * learner.fabric.world_size, leaves)
    for number, gradient in enumerate(gradients):
        is_last = number == len(gradients) - 1
        with learner.fabric.no_backward_sync(learner.wrapped, enabled=not is_last):
            learner.fabric.backward(seeded_forward(number)[0], gradient=gradient)
    hidden = tuple(torch.cat(parts, dim=1) for parts in zip(*states, strict=True))
    return prediction, loss, hidden


def continue_hidden_state(hidden: State, windows: Sequence[Window]) -> State:
    """The hidden state before each window: zero if the window does not continue the previous one.

    Args:
        hidden: after the previous batch; its second dim is the position in the batch.
        windows: of the next batch.
    """
    reset = torch.tensor([not window.continues for window in windows])
    return tuple(
        part.masked_fill(reset.to(part.device).view(1, -1, *[1] * (part.ndim - 2)), 0)
        for part in hidden
    )


def check_finite(learner: Learner, step: Step, number: int, recordings: Sequence[str]) -> None:
    """Stop training if loss or gradient is not finite; the weights are still unchanged.

    Args:
        learner: the model.
        step: the result of the step.
        number: of the step.
        recordings: the name of each window's recording.

    Raises:
        AffectkitError: names the step, and the recordings with predictions that are not finite.
    """
    if step.finite:
        return
    broken = {name for name, bad in zip(recordings, step.broken.tolist(), strict=True) if bad}
    own = {learner.fabric.global_rank: (broken, set(recordings))}
    found = gather_from_processes(learner.fabric, own).values()
    named = set().union(*(each[0] for each in found)) or set().union(*(each[1] for each in found))
    problem = "gradient is not finite" if math.isfinite(step.loss) else f"loss became {step.loss}"
    raise AffectkitError(
        f"the {problem} at step {number} with windows of {', '.join(sorted(named))}; the best "
        "weights and the last checkpoint are unchanged. Check these recordings, or lower "
        "training.learning_rate or training.gradient_clip"
    )
