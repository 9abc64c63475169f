"""One step of training: from a batch as it is stored to weights that have moved."""

import math
from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple

import torch
from torch import Tensor

from affectkit.errors import AffectkitError
from affectkit.models.losses import build_loss
from affectkit.models.temporal import State
from affectkit.training.augment import augment
from affectkit.training.learner import Learner
from affectkit.training.pieces import backward_in_pieces, cut
from affectkit.training.processes import gather, total
from affectkit.training.recipe import Recipe
from affectkit.training.windows import Batch, Window, resize


class Step(NamedTuple):
    """What came of a step."""

    loss: float
    sound: bool  # loss and gradient are finite; if not, nothing has moved
    broken: Tensor  # (B) whether predictions of a window are not finite
    state: State  # after the last frame of each window


def train_step(learner: Learner, recipe: Recipe, batch: Batch, state: State = ()) -> Step:
    """Forward, loss, backward and one step of the optimiser."""
    fabric, settings = learner.fabric, recipe.training
    if recipe.windows.augment:
        batch = augment(batch, recipe.windows.input_size, recipe.windows.cutout)
    annotation = fabric.to_device(batch.annotation).flatten(0, 1)
    loss_by_name = build_loss(settings.loss, settings.mix.model_dump())

    def loss_of(prediction: Tensor) -> Tensor:
        return loss_by_name(prediction.flatten(0, 1), annotation, partial(total, fabric))

    learner.optimizer.zero_grad()
    if settings.accumulate > 1:
        pieces = cut(batch, state, settings.accumulate)
        run = partial(forward, learner, recipe)
        prediction, loss, state = backward_in_pieces(learner, pieces, run, loss_of)
    else:
        prediction, state = forward(learner, recipe, batch, state)
        loss = loss_of(prediction)
        fabric.backward(loss * fabric.world_size)  # of which the processes' gradients are the mean
    norm: Any = fabric.clip_gradients(
        learner.wrapped, learner.optimizer, max_norm=settings.clip, error_if_nonfinite=False
    )
    # with 16-mixed the optimiser leaves such a step out by itself, and tries a smaller scale
    sound = bool(loss.isfinite()) and (bool(norm.isfinite()) or settings.precision == "16-mixed")
    if sound:
        learner.optimizer.step()
        learner.schedule.step()
    broken = ~prediction.detach().isfinite().flatten(1).all(1)
    return Step(float(loss.detach()), sound, broken, tuple(part.detach() for part in state))


def forward(
    learner: Learner, recipe: Recipe, batch: Batch, state: State = ()
) -> tuple[Tensor, State]:
    """From stored faces to predictions (B, T, A), and the state after the last frames."""
    face, landmark = learner.fabric.to_device(batch.face), learner.fabric.to_device(batch.landmark)
    image = learner.model.normalise(resize(face, recipe.windows.input_size))
    image = image.view(*face.shape[:2], *image.shape[1:])
    prediction, state = learner.wrapped(image, landmark, state)
    return prediction, state


def carried(state: State, windows: Sequence[Window]) -> State:
    """What each window (second dim of the state) may know of before: nothing, at a fresh start."""
    fresh = torch.tensor([not window.carried for window in windows])
    return tuple(
        part.masked_fill(fresh.to(part.device).view(1, -1, *[1] * (part.ndim - 2)), 0)
        for part in state
    )


def check_sound(learner: Learner, step: Step, number: int, names: Sequence[str]) -> None:
    """Stop where loss or gradient is not finite, before it has moved the weights.

    Raises:
        AffectkitError: naming the step, and the recordings whose predictions are not finite.
    """
    if step.sound:
        return
    broken = {name for name, bad in zip(names, step.broken.tolist(), strict=True) if bad}
    found = gather(learner.fabric, {learner.fabric.global_rank: (broken, set(names))}).values()
    culprits = set().union(*(each[0] for each in found)) or set().union(*(e[1] for e in found))
    what = "gradient is not finite" if math.isfinite(step.loss) else f"loss became {step.loss}"
    raise AffectkitError(
        f"the {what} at step {number} with windows of {', '.join(sorted(culprits))}; the best "
        "weights and the last checkpoint are kept. Look at these recordings, or lower "
        "training.learning_rate or training.clip"
    )
