"""Readers of weight files: PyTorch, safetensors, Keras (HDF5) and MatConvNet (Matlab).

- PyTorch: state dicts (`.pth`, `.pt`, `.bin`, `.ckpt`), also inside a checkpoint or with prefixes.
- Keras: the attributes `layer_names` and `weight_names` list layers and arrays. The names of the
  arrays differ between versions of Keras (`conv1_1_W_1:0`, `conv1_1/kernel:0`), their order does
  not. Keras' face and ImageNet weights come from Caffe and expect BGR images.
- MatConvNet: the layers are at the top level of the file or in `net`. Each has `weights`, a cell of
  kernel and bias; older files have `filters` and `biases`. MatConvNet uses RGB. The mean image in
  the file shows an exception: skin is more red than blue. scipy detects a truncated file but trusts
  its content, so use only files of a trusted source.
"""

import pickle
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

import h5py
import numpy as np
import torch
from numpy.typing import ArrayLike
from safetensors.torch import load_file
from scipy.io import loadmat
from torch import Tensor

from affectkit.errors import AffectkitError

CHECKPOINT_KEYS = ("state_dict", "model_state_dict", "model", "net", "state_dict_ema")
PREFIXES = ("module.", "_orig_mod.", "model.", "backbone.")
TRY_TO_READ_MAT = "import sys, scipy.io; scipy.io.loadmat(sys.argv[1], simplify_cells=True)"
KERAS_BATCH_NORM = ("weight", "bias", "running_mean", "running_var")  # gamma, beta, mean, variance


class PretrainedWeights(NamedTuple):
    """Tensors by name, with convolutions as (out, in, row, col) and matrices as (out, in).

    `channel_order` is the order that the first convolution expects; "" if the file has no such
    information.
    """

    tensors: dict[str, Tensor]
    channel_order: Literal["RGB", "BGR", ""] = ""


def read_safetensors(path: Path) -> PretrainedWeights:
    """Read a safetensors file."""
    return PretrainedWeights(_without_prefixes(load_file(path)))


def read_torch(path: Path) -> PretrainedWeights:
    """Read a file of `torch.save`, with tensors and plain values only.

    Raises:
        AffectkitError: the file is a pickle of other objects, or has no tensors.
    """
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise _unsafe_pickle(path, str(error)) from None
    tensors = _state_dict(content)
    if not tensors:
        raise AffectkitError(f"{path} has no state dict; expected a dict of tensors by layer name")
    return PretrainedWeights(_without_prefixes(tensors))


def _unsafe_pickle(path: Path, reason: str) -> AffectkitError:
    found = re.search(r"GLOBAL (\S+)", reason)
    if found and found[1].startswith("timm."):
        return AffectkitError(
            f"{path} was not loaded: it is a pickled network ({found[1]}), and unpickling runs any "
            "code that a file names; if you trust it, save its state dict once with "
            "torch.save(torch.load('FILE', weights_only=False).state_dict(), 'OUT.pth') where the "
            "timm of its authors is installed (EmotiEffLib: 0.9, older files of HSEmotion: 0.4.5), "
            "and use OUT.pth"
        )
    content = f"contains more than tensors ({found[1]})" if found else "is a pickle of unknown kind"
    return AffectkitError(
        f"{path} was not loaded: it {content}, and unpickling runs any code that a file names; if "
        "you trust it, load it once with the code that made it, save its state dict (tensors only) "
        "with safetensors.torch.save_file, and use that file"
    )


def _state_dict(content: Any) -> dict[str, Tensor]:  # noqa: ANN401
    if not isinstance(content, Mapping):
        return {}
    for key in CHECKPOINT_KEYS:
        if isinstance(content.get(key), Mapping):
            return _state_dict(content[key])
    return {str(name): value for name, value in content.items() if isinstance(value, Tensor)}


def _without_prefixes(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Remove the prefixes that DataParallel, torch.compile or an outer module add to all names."""
    for prefix in PREFIXES:
        if tensors and all(name.startswith(prefix) for name in tensors):
            return _without_prefixes({name[len(prefix) :]: tensors[name] for name in tensors})
    return tensors


def read_keras(path: Path) -> PretrainedWeights:
    """Read a Keras file of weights, or of a whole model with its weights.

    Raises:
        AffectkitError: the file has no Keras layers.
    """
    tensors: dict[str, Tensor] = {}
    with h5py.File(path, "r") as file:
        root = file.get("model_weights", file)
        if "layer_names" not in root.attrs:
            raise AffectkitError(
                f"{path} has no Keras layers (attribute 'layer_names'); "
                "expected a file of Keras 2, or one saved with model.save('NAME.h5')"
            )
        for layer in map(_text, root.attrs["layer_names"]):
            group = root[layer]
            arrays = [np.asarray(group[_text(name)]) for name in group.attrs["weight_names"]]
            # Keras writes "/" in layer names where Caffe has "_"
            tensors |= _keras_layer(layer.replace("/", "_"), arrays)
    return PretrainedWeights(tensors, "BGR")


def _text(name: str | bytes) -> str:
    return name.decode() if isinstance(name, bytes) else name


def _keras_layer(name: str, arrays: Sequence[np.ndarray]) -> dict[str, Tensor]:
    if len(arrays) == len(KERAS_BATCH_NORM):
        named = zip(KERAS_BATCH_NORM, arrays, strict=True)
        return {f"{name}.{key}": vector_tensor(array) for key, array in named}
    if len(arrays) > 1 and arrays[1].ndim == 4:  # separable: (row, col, in, 1), (1, 1, in, out)
        return {
            f"{name}.depthwise.weight": kernel_tensor(arrays[0].swapaxes(2, 3)),
            f"{name}.pointwise.weight": kernel_tensor(arrays[1]),
        }
    kernel = {f"{name}.weight": kernel_tensor(array) for array in arrays[:1]}
    return kernel | {f"{name}.bias": vector_tensor(array) for array in arrays[1:2]}


def read_matconvnet(path: Path) -> PretrainedWeights:
    """Read the layers of a SimpleNN (not DagNN) network.

    Raises:
        AffectkitError: the file has no such network.
    """
    # scipy may crash on a damaged file, so a process of its own tries to read it first
    trial = [sys.executable, "-c", TRY_TO_READ_MAT, str(path)]
    if subprocess.run(trial, capture_output=True, check=False).returncode:
        raise AffectkitError(f"{path} is damaged or truncated; download it again")
    content = loadmat(path, simplify_cells=True)
    net = content.get("net", content)
    if not isinstance(net, Mapping) or not isinstance(net.get("layers"), Sequence):
        raise AffectkitError(
            f"{path} has no MatConvNet layers; expected 'layers', or 'net.layers' of a SimpleNN"
        )
    tensors: dict[str, Tensor] = {}
    for layer in net["layers"]:
        tensors |= _matconvnet_layer(layer)
    return PretrainedWeights(tensors, "BGR" if _mean_is_bgr(net) else "RGB")


def _matconvnet_layer(layer: Mapping[str, Any]) -> dict[str, Tensor]:
    arrays = layer.get("weights")
    if arrays is None:
        arrays = [layer[key] for key in ("filters", "biases") if key in layer]
    if len(arrays) < 2:
        return {}
    kernel = kernel_tensor(arrays[0])
    if kernel.ndim == 2:  # scipy squeezes a 1 x 1 kernel
        kernel = kernel[:, :, None, None]
    name = layer["name"]
    return {f"{name}.weight": kernel, f"{name}.bias": vector_tensor(arrays[1])}


def _mean_is_bgr(net: Mapping[str, Any]) -> bool:
    meta = net.get("meta", net)
    mean = (meta.get("normalization") or {}).get("averageImage")
    if mean is None:
        return False
    first, _, last = np.asarray(mean, dtype=float).reshape(-1, 3).mean(axis=0)
    return bool(first < last)


def kernel_tensor(kernel: ArrayLike) -> Tensor:
    """Convert a kernel with the output channels last (TensorFlow, Matlab) to PyTorch's order."""
    array = np.asarray(kernel, dtype=np.float32)
    axes = (3, 2, 0, 1) if array.ndim == 4 else tuple(reversed(range(array.ndim)))
    return torch.from_numpy(np.array(array.transpose(axes), order="C"))


def vector_tensor(vector: ArrayLike) -> Tensor:
    """Convert a bias or a statistic, which some formats store as a column or a row."""
    return torch.from_numpy(np.array(vector, dtype=np.float32).reshape(-1))
