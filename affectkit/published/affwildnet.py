"""The networks that Kollias et al. published with Aff-Wild, from their TensorFlow 1 checkpoints.

- `affwildnet-vggface-gru`: VGG-Face -> 4096 -> two GRU layers of 128 -> valence, arousal.
- `affwildnet-resnet-gru`: ResNet-50 of TensorFlow-Slim -> two GRU layers of 128 -> the same.
- `affwild-vggface-4096`, `affwild-vggface-2000`: VGG-Face -> 4096 -> 4096 or 2000 -> the same, each
  frame alone.

All take RGB pictures of 96 x 96 pixels, (x - 128) / 128. The GRUs see windows of 80 frames, each
from an empty state. Layers, names of variables and pixels are those of the authors' code
(github.com/dkollias/Aff-Wild-models: `affwildnet/`, `vggface/`, `eval_script.py`, for TensorFlow
1.8). What their crops of faces contain could not be confirmed, and their checkpoints, which they
give by agreement only, were not at hand.
"""

import logging
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from affectkit.errors import AffectkitError
from affectkit.faces.crop import Crop
from affectkit.models.cnn_rnn import CnnRnn
from affectkit.models.pretrained import (
    affwildnet_vgg_layers,
    first_names,
    read_weights,
    slim_resnet_layers,
)
from affectkit.published.model import PublishedModel

SIZE = 96  # pixels
WINDOW = 80  # frames
MAPS = (3, 3, 512)  # rows, columns and channels of VGG-Face's last pooling, of 96 pixels
GRU_PARTS = {"kernel": "weight", "bias": "bias"}
DENSE_PARTS = {"weights": "weight", "biases": "bias"}
CROP_SOURCE = (
    "The paper cuts out the box of a DPM face detector (Mathias et al. 2014) without alignment, "
    "its margin is not published; this is affectkit's own upright crop of the face"
)
WARNING = (
    "trained on Aff-Wild, for research only: its authors' terms exclude commercial use and passing "
    "on the weights; the crop of the face is similar to theirs, not the same"
)

log = logging.getLogger(__name__)


def _vgg_layers() -> dict[str, str]:
    layers = {variable: f"cnn.{name}" for variable, name in affwildnet_vgg_layers().items()}
    return layers | _dense("linear_1", "fc.0")


def _resnet_layers() -> dict[str, str]:
    return {variable: f"cnn.{name}" for variable, name in slim_resnet_layers().items()}


def _dense(scope: str, layer: str) -> dict[str, str]:
    return {f"{scope}/{variable}": f"{layer}.{part}" for variable, part in DENSE_PARTS.items()}


def _gru(scope: str, output: str) -> dict[str, str]:
    """The GRU in a variable scope, and the output layer, whose variables have a suffix."""
    layers = {
        f"{scope}/rnn/multi_rnn_cell/cell_{number}/gru_cell/{gate}/{variable}": (
            f"temporal.layers.{number}.{gate}.{part}"
        )
        for number in range(2)
        for gate in ("gates", "candidate")
        for variable, part in GRU_PARTS.items()
    }
    head = {f"{scope}/{name}_{output}": f"head.{part}" for name, part in DENSE_PARTS.items()}
    return layers | head


def read_checkpoint(
    path: Path, *, names: Mapping[str, str], recipe: Mapping[str, Mapping[str, Any]]
) -> dict[str, Tensor]:
    """Read the tensors of a `CnnRnn` from a TensorFlow checkpoint.

    Args:
        path: the index of the checkpoint, a data file, or its name without both.
        names: of the tensors, by the names of their variables.
        recipe: the sections of the recipe that builds the model.

    Raises:
        AffectkitError: the file is no such checkpoint, is damaged, or has other variables.
    """
    variables = read_weights(path).tensors
    with torch.device("meta"):  # names and shapes only
        expected = CnnRnn(**recipe["model"], input_size=SIZE).state_dict()
    _check_variables(path, variables, {name: expected[names[name]] for name in names})
    if left_over := sorted(variables.keys() - names.keys()):
        log.info("%s: ignored variables: %s", path, ", ".join(left_over))
    tensors = {name: variables[variable] for variable, name in names.items()}
    if "linear_1/weights" in names:
        tensors["fc.0.weight"] = _channelsfirst_names(tensors["fc.0.weight"])
    return tensors


def _channelsfirst_names(weight: Tensor) -> Tensor:
    # TensorFlow flattens maps as (row, column, channel), PyTorch as (channel, row, column)
    return weight.reshape(len(weight), *MAPS).permute(0, 3, 1, 2).flatten(1)


def _check_variables(
    path: Path, found: Mapping[str, Tensor], expected: Mapping[str, Tensor]
) -> None:
    missing = [name for name in expected if name not in found]
    shapes = [
        f"{name} is {_shape(found[name])}, expected {_shape(tensor)}"
        for name, tensor in expected.items()
        if name in found and found[name].shape != tensor.shape
    ]
    if missing or shapes:
        left_over = sorted(found.keys() - expected.keys())
        named = {"missing": missing, "left over": left_over, "of another shape": shapes}
        faults = "; ".join(
            f"{fault}: {first_names(names)}" for fault, names in named.items() if names
        )
        raise AffectkitError(f"{path} is the checkpoint of another network: {faults}")
    infinite = [name for name in expected if not found[name].isfinite().all()]
    if infinite:
        raise AffectkitError(
            f"{path} has values that are not finite in {first_names(infinite)}; download it again"
        )


def _shape(tensor: Tensor) -> str:
    """The shape as in TensorFlow, with the output channels last."""
    shape = tuple(tensor.shape)
    shape = (*shape[2:], shape[1], shape[0]) if len(shape) == 4 else shape[::-1]
    return " x ".join(map(str, shape))


def _published(names: Mapping[str, str], window: int = 0, **model: object) -> PublishedModel:
    recipe: dict[str, dict[str, Any]] = {
        "model": {"normalisation": "paper", "activation": "relu", "layer_norm": False} | model,
        "windows": {"length": WINDOW, "input_size": SIZE},
        "predict": {"window": window},
    }
    return PublishedModel(
        recipe=recipe,
        crop=Crop(size=SIZE),
        crop_source=CROP_SOURCE,
        read_tensors=partial(read_checkpoint, names=names, recipe=recipe),
        trained_on=("Aff-Wild",),
        warning=WARNING,
    )


def _vggface(width: int) -> PublishedModel:
    return _published(
        _vgg_layers() | _dense("linear2_1", "fc.3") | _dense("linear3_1", "head"),
        backbone="vggface",
        fc=(4096, width),
        dropout=(0.5, 0.0),
        temporal="none",
    )


GRU = {"temporal": "gru_tf1", "hidden": 128, "layers": 2}
MODELS: dict[str, PublishedModel] = {
    "affwildnet-vggface-gru": _published(
        _vgg_layers() | _gru("rnn_1", "rnn"),
        WINDOW,
        backbone="vggface",
        fc=(4096,),
        dropout=(0.5,),
        **GRU,
    ),
    "affwildnet-resnet-gru": _published(
        _resnet_layers() | _gru("rnn", "output"),
        WINDOW,
        backbone="resnet50_slim",
        fc=(),
        **GRU,
    ),
    "affwild-vggface-4096": _vggface(4096),
    "affwild-vggface-2000": _vggface(2000),
}
