"""What a checkpoint contains, and its check against the recipe and the model of its run."""

from typing import Annotated, Any

import torch
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from torch import Tensor

from affectkit.run import HISTORY_COLUMNS
from affectkit.training.learner import Learner
from affectkit.training.matching import difference
from affectkit.training.recipe import Recipe

MOVING = {"last_epoch", "_step_count", "_last_lr"}  # state of a schedule that each step changes
Finite = Annotated[float, Field(allow_inf_nan=False)]
Table = dict[Any, Any]


class _Schema(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", arbitrary_types_allowed=True)


class StateSchema(_Schema):
    """The fields of a `TrainingState` that are saved."""

    history: list[dict[str, float]]
    step: int = Field(ge=0)
    loss: Finite
    seconds: Finite
    hidden: tuple[Tensor, ...]


class CheckpointSchema(_Schema):
    """The content of the checkpoint file."""

    model: Table
    optimizer: Table
    schedule: Table
    precision: Table
    state: StateSchema


def check_checkpoint(content: object, learner: Learner, recipe: Recipe, steps: int) -> str:
    """Why a checkpoint cannot be loaded into a learner; "" if it can.

    Args:
        content: of the file.
        learner: a new learner.
        recipe: its recipe.
        steps: steps per epoch.
    """
    try:
        checkpoint = CheckpointSchema.model_validate(content)
    except ValidationError as error:
        fault = error.errors()[0]
        return f"{'.'.join(map(str, fault['loc'])) or 'the content'}: {fault['msg'].lower()}"
    state = checkpoint.state
    done = len(state.history) * steps + state.step
    return (
        _check_progress(state, recipe, steps)
        or _check_hidden(state, learner, recipe, steps)
        or difference(learner.model.state_dict(), checkpoint.model, "model")
        or _check_optimizer(checkpoint.optimizer, learner)
        or _check_schedule(checkpoint.schedule, learner, done)
        or difference(learner.fabric.strategy.precision.state_dict(), checkpoint.precision, "scale")
    )


def _unequal(name: str, value: object, expected: object) -> str:
    return "" if value == expected else f"{name} is {value!r}, expected {expected!r}"


def _check_progress(state: StateSchema, recipe: Recipe, steps: int) -> str:
    epochs, step = len(state.history), state.step
    if epochs > recipe.training.epochs or step > (steps if epochs < recipe.training.epochs else 0):
        return (
            f"it is at step {step} after {epochs} epochs, but the recipe has "
            f"{recipe.training.epochs} epochs of {steps} steps"
        )
    for number, row in enumerate(state.history, 1):
        if row.keys() != HISTORY_COLUMNS.keys() or row["epoch"] != number:
            return f"row {number} of its history has other columns or another epoch"
    return ""


def _check_hidden(state: StateSchema, learner: Learner, recipe: Recipe, steps: int) -> str:
    if not state.hidden:
        return ""
    if recipe.windows.order != "consecutive":
        return "state.hidden is not empty, but windows.order is not 'consecutive'"
    # an epoch of one batch, which may be smaller, carries no hidden state over
    batch = recipe.windows.batch if steps > 1 else state.hidden[0].shape[1]
    return difference(learner.model.temporal.empty_state(batch), state.hidden, "state.hidden")


def _check_schedule(given: Table, learner: Learner, done: int) -> str:
    own = learner.schedule.state_dict()
    expected = {key: own[key] for key in own.keys() - MOVING} | {"last_epoch": done}
    found = (_unequal(f"schedule.{key}", given[key], value) for key, value in expected.items())
    return difference(own, given, "schedule") or next(filter(None, found), "")


def _check_optimizer(given: Table, learner: Learner) -> str:
    """The state of AdamW has two moments of each parameter that has had a gradient."""
    own = learner.optimizer.state_dict()
    parameters = [each for group in learner.optimizer.param_groups for each in group["params"]]
    moments = given.get("state")
    if isinstance(moments, dict) and moments.keys() <= set(range(len(parameters))):
        own["state"] = {
            number: {"step": torch.zeros(()), "exp_avg": value, "exp_avg_sq": value}
            for number, value in enumerate(parameters)
            if number in moments
        }
    return difference(own, given, "optimizer")
