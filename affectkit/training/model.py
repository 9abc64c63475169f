"""Build the model of a recipe, and save and load the weights of a run (safetensors, no pickle)."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from affectkit.errors import AffectkitError
from affectkit.files import StrPath, atomic_write
from affectkit.models.cnn_rnn import CnnRnn
from affectkit.run import ENSEMBLE, METADATA, RECIPE, WEIGHTS, read_metadata
from affectkit.training.matching import difference
from affectkit.training.recipe import Recipe, read_recipe

FRAME_LAYERS = ("cnn.", "fc.")  # layers that process single frames, before the temporal module


def build_model(recipe: Recipe) -> CnnRnn:
    """Build the model of a recipe; weights that are not loaded use torch's global random state.

    If `model.weights` is the folder of a run, the CNN and the fully connected layers start with
    the weights of that run. In this way, a joint model starts from a CNN that was trained alone.

    Raises:
        AffectkitError: the weights are missing, or their shapes do not match the recipe.
    """
    keys = recipe.model.model_dump() | {"input_size": recipe.windows.input_size}
    start = Path(keys["weights"])
    if not keys["weights"] or not (start / WEIGHTS).is_file():
        return CnnRnn(**keys)
    model = CnnRnn(**(keys | {"weights": ""}))
    tensors = load_model(start).state_dict()
    loaded = {name: tensors[name] for name in tensors if name.startswith(FRAME_LAYERS)}
    try:
        model.load_state_dict(model.state_dict() | loaded)
    except RuntimeError as error:
        reason = str(error).splitlines()[-1].strip()
        raise AffectkitError(
            f"the CNN of the run {start} (model.weights) does not match the recipe "
            f"{recipe.name!r}: {reason}; use a run with the same backbone and model.fc"
        ) from None
    return model


def load_model(run: StrPath) -> CnnRnn:
    """Build the model of a run with its best weights, in evaluation mode, on the CPU.

    The metadata of the run (crop settings, input size, prediction settings, ...) is in
    `model.metadata`.

    Raises:
        AffectkitError: `run` is not the folder of a run, it has no weights yet, or the weights do
            not match its recipe or are not finite.
    """
    run = Path(run)
    metadata = read_metadata(run)
    members = metadata.get(ENSEMBLE)
    if members:
        raise AffectkitError(
            f"{run} is an ensemble (the mean of {', '.join(members)}) and has no model of its own; "
            "load one of these runs"
        )
    if not (run / WEIGHTS).is_file():
        raise AffectkitError(
            f"{run} has no {WEIGHTS} yet: training has not finished an epoch; run affectkit train "
            "with the same arguments to resume it"
        )
    recipe = read_recipe(run / RECIPE)
    _check_same_model(run, metadata, recipe)
    empty = recipe.model.model_copy(update={"pretrained": False, "weights": ""})
    model = build_model(recipe.model_copy(update={"model": empty}))
    model.load_state_dict(load_weights_of_run(run, model))
    model.metadata = metadata
    return model.eval()


def _check_same_model(run: Path, metadata: Mapping[str, Any], recipe: Recipe) -> None:
    own = {
        "backbone": recipe.model.backbone,
        "temporal": recipe.model.temporal,
        "input_size": recipe.windows.input_size,
    }
    for key, value in own.items():
        if metadata.get(key, value) != value:
            raise AffectkitError(
                f"{run / METADATA} and {run / RECIPE} are of different runs: {key} is "
                f"{metadata[key]!r} in one and {value!r} in the other; restore both files, or "
                "train into a new folder"
            )


def load_weights_of_run(run: Path, model: CnnRnn) -> dict[str, torch.Tensor]:
    """Read the best weights of a run, and check them against its model.

    Raises:
        AffectkitError: the file is damaged, does not match the model, or has values that are not
            finite.
    """
    path = run / WEIGHTS
    try:
        tensors = load_file(path)
    except Exception as error:  # safetensors raises many types for a damaged file
        fault = (str(error).splitlines() or [type(error).__name__])[0]
    else:
        fault = difference(model.state_dict(), tensors)
    if fault:
        raise AffectkitError(
            f"{path} does not match {run / RECIPE}: {fault}; restore both files, or train into a "
            "new folder"
        )
    return tensors


def save_weights(model: torch.nn.Module, run: Path, **replaced: torch.Tensor) -> None:
    """Write the weights of a model to a run; tensors in `replaced` replace those of the model.

    Raises:
        AffectkitError: writing failed; the previous file is unchanged.
    """
    tensors = model.state_dict() | replaced
    tensors = {name: tensor.contiguous() for name, tensor in tensors.items()}
    with write_or_keep(run / WEIGHTS) as partial:
        save_file(tensors, partial)


@contextmanager
def write_or_keep(path: Path) -> Iterator[Path]:
    """Write a file as `atomic_write` does; a failure keeps the previous file.

    Raises:
        AffectkitError: writing failed, for example because the disk is full.
    """
    try:
        with atomic_write(path, overwrite=True) as partial:
            yield partial
    except (OSError, RuntimeError, SafetensorError) as error:
        reason = str(error).splitlines()[0]
        raise AffectkitError(
            f"{path} could not be written ({reason}); the previous file is unchanged. Check the "
            "free space of the disk; the same command resumes from the last checkpoint"
        ) from error
