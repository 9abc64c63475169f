"""How far training has come: in memory, and in the run folder for the call that goes on."""

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd
from torch import Tensor

from affectkit.errors import AffectkitError
from affectkit.files import write_text
from affectkit.models.temporal import State
from affectkit.run import CHECKPOINT, HISTORY, WEIGHTS
from affectkit.training.checkpoint import load_checkpoint, save_checkpoint, save_weights
from affectkit.training.learner import Learner
from affectkit.training.recipe import Recipe

Row = dict[str, float]


@dataclass
class Place:
    """Epochs that are done, and how much of the one at hand."""

    history: list[Row] = field(default_factory=list)
    step: int = 0  # steps done in the epoch at hand
    loss: float = 0.0  # the sum of theirs
    seconds: float = 0.0
    state: State = ()  # what is remembered of the windows before, where it is carried on
    saved: float = field(default_factory=time.monotonic)

    def age(self) -> float:
        """Seconds since the last checkpoint."""
        return time.monotonic() - self.saved


def restore(learner: Learner, run: Path) -> Place:
    """Load the last checkpoint, if there is one.

    Raises:
        AffectkitError: it is damaged, does not fit, or the best weights beside it are gone.
    """
    content = load_checkpoint(run)
    if content is None:
        return Place()
    device = learner.fabric.device
    try:
        learner.model.load_state_dict(content["model"])
        learner.optimizer.load_state_dict(content["optimizer"])
        learner.schedule.load_state_dict(content["schedule"])
        learner.fabric.strategy.precision.load_state_dict(content["precision"])
        place = Place(**content["place"])
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise AffectkitError(
            f"{run / CHECKPOINT} does not fit this affectkit or the recipe of the run "
            f"({str(error).splitlines()[0]}); train into a new folder"
        ) from error
    if place.history and not (run / WEIGHTS).is_file():
        raise AffectkitError(
            f"{run} has lost its {WEIGHTS}, the weights of its best epoch; train into a new folder"
        )
    place.state = tuple(tensor.to(device) for tensor in place.state)
    return place


def save(learner: Learner, run: Path, place: Place) -> None:
    """Write the checkpoint; of several processes the first does."""
    place.saved = time.monotonic()
    if not learner.fabric.is_global_zero:
        return
    marks = {name: value for name, value in vars(place).items() if name != "saved"}
    content = {
        "model": learner.model.state_dict(),
        "optimizer": learner.optimizer.state_dict(),
        "schedule": learner.schedule.state_dict(),
        "precision": learner.fabric.strategy.precision.state_dict(),
        "place": marks,
    }
    save_checkpoint(run, content)


def end_epoch(
    learner: Learner, run: Path, history: list[Row], instead: Mapping[str, Tensor]
) -> Place:
    """Write the best weights if the last epoch is the best, the history, then the checkpoint."""
    if learner.fabric.is_global_zero:
        if best_epoch(history) == len(history) - 1:
            save_weights(learner.model, run, **instead)
        write_text(run / HISTORY, pd.DataFrame(history).to_csv(index=False, float_format="%.6f"))
    place = Place(history)
    save(learner, run, place)
    return place


def best_epoch(history: list[Row]) -> int:
    """The epoch with the highest mean CCC, counted from 0; the latest of equal ones."""

    def score(epoch: int) -> tuple[float, int]:
        ccc = history[epoch]["ccc_mean"]
        return (-math.inf if math.isnan(ccc) else ccc), epoch

    return max(range(len(history)), key=score)


def is_over(recipe: Recipe, history: list[Row]) -> bool:
    """Whether all epochs are done, or so many since the best that no better one is expected."""
    settings = recipe.training
    if not history or len(history) >= settings.epochs:
        return bool(history)
    since = len(history) - 1 - best_epoch(history)
    return bool(settings.patience) and since >= settings.patience
