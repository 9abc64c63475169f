"""The checkpoint of a run: progress, model, optimiser and schedule; save and resume training."""

import pickle
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from torch import Tensor

from affectkit.errors import AffectkitError
from affectkit.files import write_text
from affectkit.models.temporal import State
from affectkit.run import CHECKPOINT, HISTORY, WEIGHTS, best_epoch
from affectkit.training.learner import Learner
from affectkit.training.model import save_weights, write_or_keep

HistoryRow = dict[str, float]  # metrics of one epoch


@dataclass
class TrainingState:
    """Progress of training: the finished epochs and the position in the current epoch."""

    history: list[HistoryRow] = field(default_factory=list)
    step: int = 0  # finished steps of the current epoch
    loss: float = 0.0  # sum over the finished steps of the current epoch
    seconds: float = 0.0  # duration of the current epoch so far
    hidden: State = ()  # hidden state after the last batch, if windows.order = "consecutive"
    saved: float = field(default_factory=time.monotonic)  # time of the last checkpoint

    def seconds_since_saved(self) -> float:
        """Seconds since the last checkpoint."""
        return time.monotonic() - self.saved


def resume_training(learner: Learner, run: Path) -> TrainingState:
    """Load the last checkpoint into the learner; without a checkpoint, start at the beginning.

    Raises:
        AffectkitError: the checkpoint is damaged or does not match the recipe, or the best weights
            are missing.
    """
    content = load_checkpoint(run)
    if content is None:
        return TrainingState()
    try:
        learner.model.load_state_dict(content["model"])
        learner.optimizer.load_state_dict(content["optimizer"])
        learner.schedule.load_state_dict(content["schedule"])
        learner.fabric.strategy.precision.load_state_dict(content["precision"])
        state = TrainingState(**content["state"])
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise AffectkitError(
            f"{run / CHECKPOINT} does not match this version of affectkit or the recipe of the run "
            f"({str(error).splitlines()[0]}); train into a new folder"
        ) from error
    if state.history and not (run / WEIGHTS).is_file():
        raise AffectkitError(
            f"{run} has a checkpoint but no {WEIGHTS}, the weights of its best epoch; restore this "
            "file, or train into a new folder"
        )
    state.hidden = tuple(tensor.to(learner.fabric.device) for tensor in state.hidden)
    return state


def load_checkpoint(run: Path) -> dict[str, Any] | None:
    """Read the checkpoint of a run; None if there is none.

    Raises:
        AffectkitError: the file is damaged, or contains more than tensors and plain values.
    """
    path = run / CHECKPOINT
    if not path.is_file():
        return None
    try:
        content: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError) as error:
        reason = str(error).splitlines()[0][:120]
        raise AffectkitError(
            f"{path} was not loaded: it is damaged or contains more than tensors ({reason}); "
            "train into a new folder"
        ) from None
    return content


def save_checkpoint(learner: Learner, run: Path, state: TrainingState) -> None:
    """Write the checkpoint; with several processes, only the first one writes.

    Raises:
        AffectkitError: writing failed; the previous checkpoint is unchanged.
    """
    state.saved = time.monotonic()
    if not learner.fabric.is_global_zero:
        return
    content = {
        "model": learner.model.state_dict(),
        "optimizer": learner.optimizer.state_dict(),
        "schedule": learner.schedule.state_dict(),
        "precision": learner.fabric.strategy.precision.state_dict(),
        "state": {name: value for name, value in vars(state).items() if name != "saved"},
    }
    with write_or_keep(run / CHECKPOINT) as partial, partial.open("wb") as file:
        torch.save(content, file)


def end_epoch(
    learner: Learner, run: Path, history: list[HistoryRow], calibration: Mapping[str, Tensor]
) -> TrainingState:
    """Write the history, the checkpoint and, after the best epoch so far, the weights.

    Args:
        learner: the model and its optimiser.
        run: output folder.
        history: all epochs, the last one included.
        calibration: tensors that replace those of the model in the saved weights.

    Returns:
        The state at the start of the next epoch.
    """
    if learner.fabric.is_global_zero:
        if best_epoch(history) == len(history) - 1:
            save_weights(learner.model, run, **calibration)
        write_text(run / HISTORY, pd.DataFrame(history).to_csv(index=False, float_format="%.6f"))
    state = TrainingState(history)
    save_checkpoint(learner, run, state)
    return state
