"""Keras weights in HDF5 (`.h5`), as rcmalli's VGG-Face and VGGFace2.

Layers and their arrays are named in the attributes `layer_names` and `weight_names`; the names of
the arrays changed between versions of Keras (`conv1_1_W_1:0`, `conv1_1/kernel:0`), their order
never did. Keras' own face and ImageNet weights come from Caffe and want blue-green-red.
"""

from collections.abc import Sequence
from pathlib import Path

import h5py
import numpy as np
from torch import Tensor

from affectkit.errors import AffectkitError
from affectkit.models.pretrained.stored import Stored, flat, from_last

NORM = ("weight", "bias", "running_mean", "running_var")  # gamma, beta, mean, variance


def read_keras(path: Path) -> Stored:
    """Read a file of weights, or of a whole model with its weights.

    Raises:
        AffectkitError: the file has no Keras layers.
    """
    tensors: dict[str, Tensor] = {}
    with h5py.File(path, "r") as file:
        root = file.get("model_weights", file)
        if "layer_names" not in root.attrs:
            raise AffectkitError(
                f"{path} has no Keras layers (no attribute 'layer_names'); "
                "give a file of Keras 2, or one written by model.save('NAME.h5')"
            )
        for layer in map(_text, root.attrs["layer_names"]):
            group = root[layer]
            arrays = [np.asarray(group[_text(name)]) for name in group.attrs["weight_names"]]
            # a "/" is part of a layer's name here, and would be a "_" in Caffe's
            tensors |= _layer(layer.replace("/", "_"), arrays)
    return Stored(tensors, "BGR")


def _text(name: str | bytes) -> str:
    return name.decode() if isinstance(name, bytes) else name


def _layer(name: str, arrays: Sequence[np.ndarray]) -> dict[str, Tensor]:
    if len(arrays) == len(NORM):
        return {f"{name}.{part}": flat(a) for part, a in zip(NORM, arrays, strict=True)}
    kernel = {f"{name}.weight": from_last(array) for array in arrays[:1]}
    return kernel | {f"{name}.bias": flat(array) for array in arrays[1:2]}
