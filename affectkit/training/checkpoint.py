"""The checkpoint of a run: progress, model, optimiser and schedule; save and resume training."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from torch import Tensor

from affectkit.errors import AffectkitError
from affectkit.models.temporal import State
from affectkit.run import CHECKPOINT, HISTORY, WEIGHTS, best_epoch, read_history
from affectkit.training.checkpoint_schema import check_checkpoint
from affectkit.training.learner import Learner
from affectkit.training.model import load_weights_of_run, save_weights, write_or_keep
from affectkit.training.recipe import Recipe

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


def resume_training(learner: Learner, recipe: Recipe, run: Path, steps: int) -> TrainingState:
    """Load the last checkpoint into the learner.

    Without a checkpoint, training continues after the last epoch of the history, from the best
    weights and with a new optimiser; without a history or best weights, it starts at the beginning.

    Args:
        learner: a new learner.
        recipe: its recipe.
        run: output folder.
        steps: steps per epoch.

    Raises:
        AffectkitError: the checkpoint or the best weights are damaged, do not match the recipe, or
            are missing.
    """
    content = load_checkpoint(run)
    if content is None:
        return _start_from_best_weights(learner, run, steps)
    fault = check_checkpoint(content, learner, recipe, steps)
    if fault:
        raise _unusable(run, fault)
    learner.model.load_state_dict(content["model"])
    learner.optimizer.load_state_dict(content["optimizer"])
    learner.schedule.load_state_dict(content["schedule"])
    learner.fabric.strategy.precision.load_state_dict(content["precision"])
    state = TrainingState(**content["state"])
    if state.history and not (run / WEIGHTS).is_file():
        raise AffectkitError(
            f"{run} has a checkpoint but no {WEIGHTS}, the weights of its best epoch; restore this "
            "file, or train into a new folder"
        )
    state.hidden = tuple(tensor.to(learner.fabric.device) for tensor in state.hidden)
    if learner.fabric.is_global_zero and state.history:
        _write_history(run, state.history)  # training may have been killed before it was written
    return state


def _start_from_best_weights(learner: Learner, run: Path, steps: int) -> TrainingState:
    if not (run / WEIGHTS).is_file() or not (run / HISTORY).is_file():
        return TrainingState()
    rows = enumerate(read_history(run), 1)
    state = TrainingState([row | {"epoch": epoch} for epoch, row in rows])
    learner.model.load_state_dict(load_weights_of_run(run, learner.model))
    if learner.model.std_head is not None:
        learner.model.calibration.fill_(1)  # as during training; it is fitted after each epoch
    done = len(state.history) * steps
    schedule = learner.schedule.state_dict() | {"last_epoch": done - 1, "_step_count": done}
    learner.schedule.load_state_dict(schedule)
    learner.schedule.step()
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
    except Exception as error:  # torch raises many types for a damaged file
        reason = (str(error).splitlines() or [type(error).__name__])[0][:120]
        fault = f"it is damaged or contains more than tensors ({reason})"
        raise _unusable(run, fault) from None
    return content


def _unusable(run: Path, fault: str) -> AffectkitError:
    has_best = (run / WEIGHTS).is_file() and (run / HISTORY).is_file()
    remedy = (
        "continue from the best weights with a new optimiser" if has_best else "start training anew"
    )
    return AffectkitError(
        f"training cannot resume from {run / CHECKPOINT}: {fault}; restore this file, or delete it "
        f"to {remedy}"
    )


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
    """Write the weights, after the best epoch so far, the checkpoint, and the history.

    If training is killed in between, it resumes from the older or the newer checkpoint to the same
    result. The history is last: without a checkpoint, it says that there are finished epochs.

    Args:
        learner: the model and its optimiser.
        run: output folder.
        history: all epochs, the last one included.
        calibration: tensors that replace those of the model in the saved weights.

    Returns:
        The state at the start of the next epoch.
    """
    is_first_process = learner.fabric.is_global_zero
    if is_first_process and best_epoch(history) == len(history) - 1:
        save_weights(learner.model, run, **calibration)
    state = TrainingState(history)
    save_checkpoint(learner, run, state)
    if is_first_process:
        _write_history(run, history)
    return state


def _write_history(run: Path, history: list[HistoryRow]) -> None:
    text = pd.DataFrame(history).to_csv(index=False)  # all digits: `best_epoch` compares them
    path = run / HISTORY
    if path.is_file() and path.read_bytes() == text.encode():
        return
    with write_or_keep(path) as partial:
        partial.write_text(text, encoding="utf-8")
