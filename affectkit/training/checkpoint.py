"""Weights to disk and back, without unpickling: a stranger's checkpoint cannot run code."""

import pickle
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from affectkit.errors import AffectkitError
from affectkit.files import beside
from affectkit.models.cnn_rnn import CnnRnn
from affectkit.run import CHECKPOINT, ENSEMBLE, RECIPE, WEIGHTS, read_contract
from affectkit.training.recipe import Recipe, read_recipe

FRAME_PART = ("cnn.", "connected.")  # what sees one frame by itself


def build_model(recipe: Recipe) -> CnnRnn:
    """Build the net of a recipe; what it does not start from is drawn from torch's random state.

    Where `model.weights` names a run, its part that sees single frames is taken over: a CNN that
    was trained by itself, and is now trained on jointly with a memory.

    Raises:
        AffectkitError: the weights cannot be had, or do not fit.
    """
    keys = recipe.model.model_dump() | {"input_size": recipe.windows.input_size}
    start = Path(keys["weights"])
    if not (start / WEIGHTS).is_file():
        return CnnRnn(**keys)
    model = CnnRnn(**(keys | {"weights": ""}))
    tensors = load_model(start).state_dict()
    taken = {name: tensors[name] for name in tensors if name.startswith(FRAME_PART)}
    try:
        model.load_state_dict(model.state_dict() | taken)
    except RuntimeError as error:
        reason = str(error).splitlines()[-1].strip()
        raise AffectkitError(
            f"the CNN of {start} does not fit recipe {recipe.name!r}: {reason}"
        ) from None
    return model


def save_weights(model: torch.nn.Module, run: Path, **instead: torch.Tensor) -> None:
    """Write the weights as safetensors; what is in `instead` goes in place of the net's own.

    Raises:
        AffectkitError: they could not be written; the older ones stand.
    """
    tensors = model.state_dict() | instead
    tensors = {name: tensor.contiguous() for name, tensor in tensors.items()}
    with _kept_if_full(run / WEIGHTS) as partial:
        save_file(tensors, partial)


def load_model(run: Path) -> CnnRnn:
    """Build the net of a run and load its best weights; in evaluation mode, on the CPU.

    Raises:
        AffectkitError: `run` is not a run, has no weights yet, or they do not fit its recipe.
    """
    members = read_contract(run).get(ENSEMBLE)
    if members:
        raise AffectkitError(
            f"{run} is the mean of {', '.join(members)} and has no net of its own; take one of them"
        )
    path = run / WEIGHTS
    if not path.is_file():
        raise AffectkitError(f"{run} has no {WEIGHTS} yet: its training has not finished an epoch")
    recipe = read_recipe(run / RECIPE)
    started = recipe.model.model_copy(update={"pretrained": False, "weights": ""})
    model = build_model(recipe.model_copy(update={"model": started}))
    try:
        model.load_state_dict(load_file(path))
    except (SafetensorError, RuntimeError) as error:
        reason = str(error).splitlines()[0]
        raise AffectkitError(f"{path} does not fit {run / RECIPE}: {reason}") from None
    return model.eval()


def save_checkpoint(run: Path, content: dict[str, Any]) -> None:
    """Write all that training needs to go on.

    Raises:
        AffectkitError: it could not be written; the older one stands.
    """
    with _kept_if_full(run / CHECKPOINT) as partial, partial.open("wb") as file:
        torch.save(content, file)


@contextmanager
def _kept_if_full(path: Path) -> Iterator[Path]:
    try:
        with beside(path, overwrite=True) as partial:
            yield partial
    except (OSError, RuntimeError, SafetensorError) as error:
        reason = str(error).splitlines()[0]
        raise AffectkitError(
            f"{path} could not be written ({reason}); what stood there is kept. "
            "Make room, and the same command goes on from the last checkpoint"
        ) from error


def load_checkpoint(run: Path) -> dict[str, Any] | None:
    """Read the checkpoint of a run, or None where it has none.

    Raises:
        AffectkitError: the file holds more than tensors and plain values, or is damaged.
    """
    path = run / CHECKPOINT
    if not path.is_file():
        return None
    try:
        content: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError) as error:
        reason = str(error).splitlines()[0][:120]
        raise AffectkitError(
            f"{path} was refused: it is damaged or holds more than tensors ({reason})"
        ) from None
    return content
