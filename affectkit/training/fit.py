"""The training loop: plan, read, augment, forward, loss, step, validate, keep the best.

All that is random is drawn from the recipe's seed and the number of the epoch or step. A training
that was cut off anywhere and goes on from its last checkpoint therefore ends with the same weights.
"""

import math
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
import xarray as xr
from torch import Tensor

from affectkit.card import write_card
from affectkit.errors import AffectkitError
from affectkit.metrics import ccc
from affectkit.models.losses import build_loss
from affectkit.models.spread import fit_calibration
from affectkit.models.temporal import State
from affectkit.recording import list_recordings, open_recording
from affectkit.training.augment import augment
from affectkit.training.board import tensorboard
from affectkit.training.contract import Splits, claim_run, split_recordings
from affectkit.training.learner import Learner, build_learner, freeze, frozen_in
from affectkit.training.pieces import backward_in_pieces, cut
from affectkit.training.place import Place, Row, end_epoch, is_over, restore, save
from affectkit.training.processes import companions, gather, own_share, share_statistics, total
from affectkit.training.recipe import Recipe
from affectkit.training.sampling import check_stills, count_batches, plan_epoch
from affectkit.training.stopping import between_steps
from affectkit.training.stream import predict_frames
from affectkit.training.windows import Batch, Source, Window, open_source, read_batches, resize


class Watch(NamedTuple):
    """Who looks on, and may ask to stop."""

    on_epoch: Callable[[Row], None] | None = None
    progress: Callable[[str, int, int], None] | None = None
    stop: Callable[[], bool] = lambda: False


NOBODY = Watch()


class Step(NamedTuple):
    """What came of a step."""

    loss: float
    sound: bool  # loss and gradient are finite; if not, nothing has moved
    broken: Tensor  # (B) whether predictions of a window are not finite
    state: State  # after the last frame of each window


def fit(
    recipe: Recipe,
    recordings: Path,
    run: Path,
    *,
    on_epoch: Callable[[Row], None] | None = None,
    progress: Callable[[str, int, int], None] | None = None,
) -> list[Row]:
    """Train a net and leave the run folder; goes on where an earlier call was cut off.

    Args:
        recipe: how to train.
        recordings: folder of recordings with the splits "train" and "validation", or of any where
            the recipe's `splits.folds` deals them by subject.
        run: the folder to leave.
        on_epoch: called with each new row of the history.
        progress: called with the recipe's name, steps done and steps in all.

    Returns:
        The history, a row an epoch: loss and validation CCC.

    Raises:
        AffectkitError: a split is missing or has no annotations, the recordings are cut
            differently, `run` belongs to another recipe or other data, or the loss is not finite.
        KeyboardInterrupt: on Ctrl-C, once the step at hand is done and saved.
    """
    claim_run(recipe, recordings, run, read_splits(recipe, recordings))
    with (
        companions(recipe.training.devices, train, recipe, recordings, run),
        between_steps() as stop,
    ):
        history = train(recipe, recordings, run, Watch(on_epoch, progress, stop))
    write_card(run)
    return history


def read_splits(recipe: Recipe, recordings: Path) -> Splits:
    """Open the recordings and sort them into their splits; faces stay on disk."""
    opened = [open_recording(path) for path in list_recordings(recordings)]
    return split_recordings(opened, recipe.splits)


def train(recipe: Recipe, recordings: Path, run: Path, watch: Watch = NOBODY) -> list[Row]:
    """Epoch after epoch, on from the last checkpoint. Of several processes, each does this."""
    splits = read_splits(recipe, recordings)
    sources = [open_source(recording) for recording in splits["train"]]
    check_stills(sources, recipe)
    steps = count_batches(sources, recipe.windows)
    learner = build_learner(recipe, steps)
    place = restore(learner, run)

    def pause() -> None:
        """Report, save when it is time to, and stop where asked."""
        if watch.progress:
            done = len(place.history) * steps + place.step
            watch.progress(recipe.name, done, recipe.training.epochs * steps)
        if watch.stop() or place.age() >= recipe.training.checkpoint_seconds:
            save(learner, run, place)
        if watch.stop():
            raise KeyboardInterrupt

    with tensorboard(
        run, wanted=recipe.training.tensorboard and not learner.fabric.global_rank
    ) as show:
        while not is_over(recipe, place.history):
            train_epoch(learner, recipe, sources, place, pause)
            began = time.perf_counter()
            scores, calibration = validate(learner, recipe, splits["validation"], pause)
            seconds = round(place.seconds + time.perf_counter() - began, 2)
            row = {"epoch": len(place.history) + 1, "loss": place.loss / steps, **scores}
            history = [*place.history, row | {"seconds": seconds}]
            place = end_epoch(learner, run, history, calibration)
            for tell in filter(None, (show, watch.on_epoch)):
                tell(place.history[-1])
    return place.history


def train_epoch(
    learner: Learner,
    recipe: Recipe,
    sources: Sequence[Source],
    place: Place,
    pause: Callable[[], None],
) -> None:
    """What is left of an epoch; `place` moves along, and `pause` is called after each step."""
    epoch, rank = len(place.history), learner.fabric.global_rank
    planned = plan_epoch(sources, recipe.windows, (recipe.seed, epoch))
    own = [own_share(learner.fabric, windows) for windows in planned[place.step :]]
    learner.wrapped.train()
    freeze(learner.model, frozen_in(recipe, epoch))
    began = time.perf_counter() - place.seconds
    for windows, batch in zip(own, read_batches(sources, own, recipe.windows.length), strict=False):
        number = epoch * len(planned) + place.step + 1
        torch.manual_seed(hash((recipe.seed, number, rank) if rank else (recipe.seed, number)))
        step = train_step(learner, recipe, batch, carried(place.state, windows))
        check_sound(learner, step, number, [sources[window.recording].name for window in windows])
        place.step += 1
        place.loss += step.loss
        place.state = step.state if recipe.windows.order == "carried" else ()
        place.seconds = time.perf_counter() - began
        pause()


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


def validate(
    learner: Learner,
    recipe: Recipe,
    recordings: Sequence[xr.Dataset],
    pause: Callable[[], None] = lambda: None,
) -> tuple[Row, dict[str, Tensor]]:
    """CCC of whole recordings, their frames pooled; of several processes, each predicts some.

    Of a net that gives spreads, what stretches them to hold as many annotations as they promise.
    """
    fabric, size = learner.fabric, recipe.windows.input_size
    share_statistics(fabric, learner.model)
    learner.model.eval()
    own: dict[int, xr.Dataset] = {}
    for number in range(fabric.global_rank, len(recordings), fabric.world_size):
        own[number] = predict_frames(learner.model, recordings[number], size)
        pause()
    predicted = xr.concat(list(gather(fabric, own).values()), "frame")
    annotation = xr.concat([r["annotation"] for r in recordings], "frame")
    score = ccc(annotation, predicted["prediction"], "frame")
    rows = {f"ccc_{affect}": float(score.sel(affect=affect)) for affect in score["affect"].values}
    rows["ccc_mean"] = float(score.mean())
    if "spread" not in predicted:
        return rows, {}
    values = torch.from_numpy(np.concatenate([predicted[name] for name in predicted], axis=1))
    return rows, {"calibration": fit_calibration(values, torch.from_numpy(annotation.values))}
