"""The training loop: plan, read, augment, forward, loss, step, validate, keep the best.

All that is random is drawn from the recipe's seed and the number of the epoch or step. A training
that was cut off anywhere and goes on from its last checkpoint therefore ends with the same weights.
"""

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import torch

from affectkit.card import write_card
from affectkit.recording import list_recordings, open_recording
from affectkit.training.board import tensorboard
from affectkit.training.contract import Splits, claim_run, split_recordings
from affectkit.training.learner import Learner, build_learner, freeze, frozen_in
from affectkit.training.memory import told_if_too_little
from affectkit.training.place import Place, Row, end_epoch, is_over, restore, save
from affectkit.training.processes import companions, own_share
from affectkit.training.recipe import Recipe
from affectkit.training.sampling import check_stills, count_batches, plan_epoch
from affectkit.training.step import carried, check_sound, train_step
from affectkit.training.stopping import between_steps
from affectkit.training.validation import validate
from affectkit.training.windows import Source, open_source, read_batches


class Watch(NamedTuple):
    """Who looks on, and may ask to stop."""

    on_epoch: Callable[[Row], None] | None = None
    progress: Callable[[str, int, int], None] | None = None
    stop: Callable[[], bool] = lambda: False


NOBODY = Watch()


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
            differently, `run` belongs to another recipe or other data, memory does not suffice,
            or the loss is not finite.
        KeyboardInterrupt: on Ctrl-C, once the step at hand is done and saved.
    """
    claim_run(recipe, recordings, run, read_splits(recipe, recordings))
    with (
        companions(recipe.training.devices, train, recipe, recordings, run),
        between_steps() as stop,
        told_if_too_little(),
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
