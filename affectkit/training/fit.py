"""The training loop: plan, read, augment, forward, loss, step, validate, keep the best.

All that is random is drawn from the recipe's seed and the number of the epoch or step. A training
that was cut off and goes on from its last whole epoch therefore ends with the same weights.
"""

import math
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
import torch
import xarray as xr
from lightning_fabric import Fabric
from torch.optim.lr_scheduler import LRScheduler, OneCycleLR

from affectkit.errors import AffectkitError
from affectkit.files import write_text
from affectkit.metrics import ccc
from affectkit.models.cnn_rnn import CnnRnn
from affectkit.models.losses import build_loss
from affectkit.recording import list_recordings, open_recording
from affectkit.run import CONTRACT, HISTORY, RECIPE, read_contract, write_contract
from affectkit.training.augment import augment
from affectkit.training.checkpoint import (
    build_model,
    load_checkpoint,
    save_checkpoint,
    save_weights,
)
from affectkit.training.contract import Splits, describe, split_recordings
from affectkit.training.recipe import Recipe, read_recipe, recipe_text
from affectkit.training.sampling import check_stills, count_batches, plan_epoch
from affectkit.training.stream import predict_affect
from affectkit.training.windows import Source, open_source, read_batches, resize

Row = dict[str, float]
Progress = Callable[[str, int, int], None]


class Learner(NamedTuple):
    """All that moves in training. `wrapped` is `model` on its device, as Fabric wants it called."""

    fabric: Fabric
    model: CnnRnn
    wrapped: Any
    optimizer: Any
    schedule: LRScheduler


def fit(
    recipe: Recipe,
    recordings: Path,
    run: Path,
    *,
    on_epoch: Callable[[Row], None] | None = None,
    progress: Progress | None = None,
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
    """
    opened = [open_recording(path) for path in list_recordings(recordings)]
    splits = split_recordings(opened, recipe.splits)
    claim_run(recipe, recordings, run, splits)
    sources = [open_source(recording) for recording in splits["train"]]
    check_stills(sources, recipe)
    learner = build_learner(recipe, count_batches(sources, recipe.windows))
    history = restore(learner, run)
    for epoch in range(len(history), recipe.training.epochs):
        began = time.perf_counter()
        loss = train_epoch(learner, recipe, sources, epoch, progress)
        scores = validate(learner.model, recipe, splits["validation"])
        seconds = round(time.perf_counter() - began, 2)
        history.append({"epoch": epoch + 1, "loss": loss, **scores, "seconds": seconds})
        keep(learner, run, history)
        if on_epoch:
            on_epoch(history[-1])
    return history


def claim_run(recipe: Recipe, recordings: Path, run: Path, splits: Splits) -> None:
    """Write recipe and contract into a new run folder, or check that it belongs to both."""
    contract = describe(recipe, recordings, splits)
    if not (run / CONTRACT).is_file():
        write_text(run / RECIPE, recipe_text(recipe))
        write_contract(run, contract)
        return
    if read_recipe(run / RECIPE) != recipe:
        raise AffectkitError(f"{run} was trained by another recipe; choose another folder")
    standing = read_contract(run)
    if standing["fingerprint"] != contract["fingerprint"]:
        raise AffectkitError(f"{run} was trained on other recordings; choose another folder")
    if standing["splits"] != contract["splits"]:
        raise AffectkitError(f"{run} was trained on other splits; choose another folder")


def build_learner(recipe: Recipe, steps: int) -> Learner:
    """Net, optimiser and schedule (one cycle over the whole training) on the recipe's device."""
    settings = recipe.training
    fabric = Fabric(accelerator=settings.accelerator, devices=1, precision=settings.precision)
    torch.manual_seed(recipe.seed)
    model = build_model(recipe).to(memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(
        model.parameters(), settings.learning_rate, weight_decay=settings.weight_decay
    )
    schedule = OneCycleLR(
        optimizer,
        settings.learning_rate,
        total_steps=steps * settings.epochs,
        pct_start=settings.warmup,
    )
    wrapped, wrapped_optimizer = fabric.setup(model, optimizer)
    return Learner(fabric, model, wrapped, wrapped_optimizer, schedule)


def train_epoch(
    learner: Learner,
    recipe: Recipe,
    sources: Sequence[Source],
    epoch: int,
    progress: Progress | None = None,
) -> float:
    """One pass over all recordings; gives the mean loss."""
    planned = plan_epoch(sources, recipe.windows, (recipe.seed, epoch))
    steps = len(planned)
    batches = read_batches(sources, planned, recipe.windows.length)
    learner.wrapped.train()
    total = 0.0
    for done, batch in enumerate(batches, start=1):
        step = epoch * steps + done
        torch.manual_seed(hash((recipe.seed, step)))
        loss = train_step(learner, recipe, batch)
        if not math.isfinite(loss):
            raise AffectkitError(
                f"the loss became {loss} at step {step}; the weights of the best epoch are kept. "
                "Lower training.learning_rate or training.clip"
            )
        total += loss
        if progress:
            progress(recipe.name, step, steps * recipe.training.epochs)
    return total / steps


def train_step(learner: Learner, recipe: Recipe, batch: Any) -> float:  # noqa: ANN401
    """Forward, loss, backward and one step of the optimiser."""
    size = recipe.windows.input_size
    if recipe.windows.augment:
        batch = augment(batch, size, recipe.windows.cutout)
    face, landmark, annotation = (learner.fabric.to_device(part) for part in batch)
    image = learner.model.normalise(resize(face, size))
    image = image.view(*face.shape[:2], *image.shape[1:])
    prediction, _ = learner.wrapped(image, landmark)
    measure = build_loss(recipe.training.loss, recipe.training.mix.model_dump())
    loss = measure(prediction.flatten(0, 1), annotation.flatten(0, 1))
    learner.optimizer.zero_grad()
    learner.fabric.backward(loss)
    # a gradient that is not finite shows in the next loss, where it is reported with its step
    learner.fabric.clip_gradients(
        learner.wrapped,
        learner.optimizer,
        max_norm=recipe.training.clip,
        error_if_nonfinite=False,
    )
    learner.optimizer.step()
    learner.schedule.step()
    return float(loss.detach())


def validate(model: CnnRnn, recipe: Recipe, recordings: Sequence[xr.Dataset]) -> Row:
    """CCC of whole recordings, their frames pooled."""
    model.eval()
    size = recipe.windows.input_size
    predictions = xr.concat([predict_affect(model, r, size) for r in recordings], "frame")
    annotations = xr.concat([r["annotation"] for r in recordings], "frame")
    score = ccc(annotations, predictions, "frame")
    rows = {f"ccc_{affect}": float(score.sel(affect=affect)) for affect in score["affect"].values}
    return {**rows, "ccc_mean": float(score.mean())}


def restore(learner: Learner, run: Path) -> list[Row]:
    """Load the last whole epoch, if there is one; gives the history so far."""
    checkpoint = load_checkpoint(run)
    if checkpoint is None:
        return []
    learner.model.load_state_dict(checkpoint["model"])
    learner.optimizer.load_state_dict(checkpoint["optimizer"])
    learner.schedule.load_state_dict(checkpoint["schedule"])
    history: list[Row] = checkpoint["history"]
    return history


def keep(learner: Learner, run: Path, history: list[Row]) -> None:
    """Write the best weights if this epoch is the best, the history, and last the checkpoint."""
    if history[-1]["ccc_mean"] >= max(row["ccc_mean"] for row in history):
        save_weights(learner.model, run)
    write_text(run / HISTORY, pd.DataFrame(history).to_csv(index=False, float_format="%.6f"))
    save_checkpoint(
        run,
        {
            "model": learner.model.state_dict(),
            "optimizer": learner.optimizer.state_dict(),
            "schedule": learner.schedule.state_dict(),
            "history": history,
        },
    )
