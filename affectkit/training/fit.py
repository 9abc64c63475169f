"""The training loop: read windows, train on them, validate, keep the best weights.

All random numbers depend on the recipe's seed and on the number of the epoch or step. Training
that was interrupted anywhere and resumes from its last checkpoint ends with the same weights.
"""

import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import torch

from affectkit.card import write_card
from affectkit.errors import missing_extra
from affectkit.files import StrPath, lock
from affectkit.models.device import AUTO, memory_error_hint, resolve_device
from affectkit.parallel import Progress, no_progress
from affectkit.training.checkpoint import (
    HistoryRow,
    TrainingState,
    end_epoch,
    resume_training,
    save_checkpoint,
)
from affectkit.training.distributed import launch_workers, share_of_batch
from affectkit.training.learner import Learner, build_learner, freeze, frozen_parts
from affectkit.training.memory import MEMORY_HINT
from affectkit.training.recipe import Recipe, read_recipe
from affectkit.training.run_metadata import check_run, create_run, is_untrained, read_splits
from affectkit.training.sampling import check_frames_are_video, count_batches, plan_epoch
from affectkit.training.step import check_finite, continue_hidden_state, train_step
from affectkit.training.validation import is_finished, validate
from affectkit.training.windows import WindowSource, open_window_source, read_batches

TENSORBOARD = "tensorboard"  # folder in the run


def fit(
    recipe: Recipe | StrPath,
    recordings: StrPath,
    run: StrPath,
    *,
    device: str = AUTO,
    on_epoch: Callable[[HistoryRow], None] | None = None,
    progress: Progress = no_progress,
) -> list[HistoryRow]:
    """Train a model and write it to a run folder; interrupted training resumes.

    Args:
        recipe: a recipe, the path of a recipe file, or the name of a shipped recipe.
        recordings: folder of recordings with the splits "train" and "validation"; with
            `splits.folds` in the recipe, their subjects are split into folds instead.
        run: output folder. If it has a checkpoint of the same recipe and recordings, training
            resumes from there, also on another device.
        device: "cpu", "cuda", "cuda:1", "mps", or "auto": a GPU if there is one.
        on_epoch: called with each new row of the history.
        progress: called with the recipe's name, the finished steps and all steps.

    Returns:
        The history: one row per epoch with the loss, the validation CCC and the seconds.

    Raises:
        AffectkitError: a split is missing or has no annotations, the recordings have different
            crop settings, `run` belongs to another recipe or other recordings or another process
            trains it, the device is not available, memory is too small, or the loss is not finite.
        KeyboardInterrupt: after Ctrl-C, when the current step is finished and saved.
    """
    recipe = recipe if isinstance(recipe, Recipe) else read_recipe(recipe)
    recordings, run = Path(recordings), Path(run)
    resolve_device(device)
    splits = read_splits(recipe, recordings)
    with lock(run, "train"):
        check_run(recipe, recordings, run, splits)
        with (
            launch_workers(recipe.training.devices, train, recipe, recordings, run, device),
            defer_interrupt() as interrupted,
            memory_error_hint(MEMORY_HINT),
        ):
            history = train(recipe, recordings, run, device, on_epoch=on_epoch, progress=progress,
                            interrupted=interrupted)  # fmt: skip
        write_card(run)
    return history


def train(
    recipe: Recipe,
    recordings: Path,
    run: Path,
    device: str = AUTO,
    *,
    on_epoch: Callable[[HistoryRow], None] | None = None,
    progress: Progress = no_progress,
    interrupted: Callable[[], bool] = lambda: False,
) -> list[HistoryRow]:
    """Train all remaining epochs, from the last checkpoint. Each training process runs this.

    Args:
        recipe: a recipe.
        recordings: folder of recordings.
        run: output folder; created when the model has been built.
        device: as in `fit`.
        on_epoch: as in `fit`.
        progress: as in `fit`.
        interrupted: asked after each step; if it returns True, training saves and stops.
    """
    splits = read_splits(recipe, recordings)
    sources = [open_window_source(recording) for recording in splits["train"]]
    check_frames_are_video(sources, recipe)
    steps = count_batches(sources, recipe.windows)
    learner = build_learner(recipe, steps, device)
    state = resume_training(learner, recipe, run, steps)

    def after_step() -> None:
        done = len(state.history) * steps + state.step
        progress(recipe.name, done, recipe.training.epochs * steps)
        if interrupted() or state.seconds_since_saved() >= recipe.training.checkpoint_seconds:
            save_checkpoint(learner, run, state)
        if interrupted():
            raise KeyboardInterrupt

    curves = recipe.training.tensorboard and learner.fabric.is_global_zero
    with tensorboard_writer(run, enabled=curves) as write_curves:
        if learner.fabric.is_global_zero and is_untrained(run):
            create_run(recipe, recordings, run, splits)
        while not is_finished(recipe, state.history):
            train_epoch(learner, recipe, sources, state, after_step)
            began = time.perf_counter()
            scores, calibration = validate(learner, recipe, splits["validation"], after_step)
            seconds = round(state.seconds + time.perf_counter() - began, 2)
            row = {"epoch": len(state.history) + 1, "loss": state.loss / steps, **scores}
            history = [*state.history, row | {"seconds": seconds}]
            state = end_epoch(learner, run, history, calibration)
            write_curves(history[-1])
            if on_epoch:
                on_epoch(history[-1])
    return state.history


def train_epoch(
    learner: Learner,
    recipe: Recipe,
    sources: Sequence[WindowSource],
    state: TrainingState,
    after_step: Callable[[], None] = lambda: None,
) -> None:
    """Train the remaining steps of the current epoch.

    Args:
        learner: the model and its optimiser.
        recipe: a recipe.
        sources: the training recordings.
        state: where to start; updated after each step.
        after_step: called after each step.
    """
    epoch, rank = len(state.history), learner.fabric.global_rank
    planned = plan_epoch(sources, recipe.windows, (recipe.seed, epoch))
    own = [share_of_batch(learner.fabric, windows) for windows in planned[state.step :]]
    learner.wrapped.train()
    freeze(learner.model, frozen_parts(recipe, epoch))
    began = time.perf_counter() - state.seconds
    batches = read_batches(sources, own, recipe.windows.length, learner.fabric.device)
    for windows, batch in zip(own, batches, strict=False):
        number = epoch * len(planned) + state.step + 1
        torch.manual_seed(hash((recipe.seed, number, rank) if rank else (recipe.seed, number)))
        step = train_step(learner, recipe, batch, continue_hidden_state(state.hidden, windows))
        check_finite(learner, step, number, [sources[window.recording].name for window in windows])
        state.step += 1
        state.loss += step.loss
        state.hidden = step.hidden if recipe.windows.order == "consecutive" else ()
        state.seconds = time.perf_counter() - began
        after_step()


@contextmanager
def defer_interrupt() -> Iterator[Callable[[], bool]]:
    """Defer the first Ctrl-C, so that the current step can finish; a second one stops at once.

    Yields:
        A function that returns whether Ctrl-C was pressed. Outside the main thread, where Python
        receives no signals, it always returns False.
    """
    if threading.current_thread() is not threading.main_thread():
        yield lambda: False
        return
    pressed = False
    previous = signal.getsignal(signal.SIGINT)

    def handle(*_: object) -> None:
        nonlocal pressed
        pressed = True
        signal.signal(signal.SIGINT, previous)

    signal.signal(signal.SIGINT, handle)
    try:
        yield lambda: pressed
    finally:
        signal.signal(signal.SIGINT, previous)


@contextmanager
def tensorboard_writer(run: Path, *, enabled: bool) -> Iterator[Callable[[HistoryRow], None]]:
    """Yield a function that adds a row of the history to the run's TensorBoard curves.

    Raises:
        AffectkitError: `enabled`, but the package tensorboard is not installed.
    """
    if not enabled:
        yield lambda row: None
        return
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        raise missing_extra("tensorboard", "tensorboard") from None
    with SummaryWriter(run / TENSORBOARD) as writer:

        def write(row: HistoryRow) -> None:
            for name, value in row.items():
                if name != "epoch":
                    writer.add_scalar(name, value, int(row["epoch"]))
            writer.flush()

        yield write
