"""PyTorch state dicts (`.pth`, `.pt`, `.bin`, `.ckpt`) and safetensors, whoever wrapped them."""

import pickle
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor

from affectkit.errors import AffectkitError
from affectkit.models.pretrained.stored import Stored

WRAPPED = ("state_dict", "model_state_dict", "model", "net", "state_dict_ema")
PREFIXES = ("module.", "_orig_mod.", "model.", "backbone.")


def read_safetensors(path: Path) -> Stored:
    """Read a safetensors file."""
    return Stored(_unprefixed(load_file(path)))


def read_torch(path: Path) -> Stored:
    """Read what `torch.save` wrote, tensors and plain values only.

    Raises:
        AffectkitError: the file is a pickle of anything else, or holds no tensors.
    """
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise _refused(path, str(error)) from None
    tensors = _tensors(content)
    if not tensors:
        raise AffectkitError(f"{path} holds no state dict: give a file of tensors by layer name")
    return Stored(_unprefixed(tensors))


def _refused(path: Path, reason: str) -> AffectkitError:
    named = re.search(r"GLOBAL (\S+)", reason)
    what = f"holds more than tensors ({named[1]})" if named else "is a pickle of an unknown kind"
    return AffectkitError(
        f"{path} was refused: it {what}, and unpickling runs whatever code a file names; where you "
        "trust it, load it once where it was made, write its state dict (each value a tensor) by "
        "safetensors.torch.save_file, and give that file"
    )


def _tensors(content: Any) -> dict[str, Tensor]:  # noqa: ANN401
    if not isinstance(content, Mapping):
        return {}
    for key in WRAPPED:
        if isinstance(content.get(key), Mapping):
            return _tensors(content[key])
    return {str(name): value for name, value in content.items() if isinstance(value, Tensor)}


def _unprefixed(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Without what DataParallel, torch.compile or a surrounding module put before every name."""
    for prefix in PREFIXES:
        if tensors and all(name.startswith(prefix) for name in tensors):
            return _unprefixed({name[len(prefix) :]: tensors[name] for name in tensors})
    return tensors
