"""Convolutional backbones: a face in, features out; each carries how it wants its pixels."""

from dataclasses import dataclass
from pathlib import Path

import timm
import torch
from torch import Tensor, nn

from affectkit.errors import AffectkitError, unknown


@dataclass(frozen=True)
class Pixels:
    """What a backbone wants to see: RGB in [0, 1], minus `mean`, divided by `std`, by channel."""

    mean: tuple[float, float, float]
    std: tuple[float, float, float]


def build_backbone(
    name: str, *, pretrained: bool = False, weights: str = ""
) -> tuple[nn.Module, int, Pixels]:
    """Build a timm backbone without its classifier.

    Args:
        name: any model name of timm.
        pretrained: start from timm's weights, fetched from its hub at first use.
        weights: start from this local file instead (.safetensors, or .pth holding tensors only).

    Returns:
        The module from (N, C, H, W) to (N, F), F, and its contract for pixels.

    Raises:
        AffectkitError: timm has no such model, or the weights cannot be had.
    """
    if not timm.is_model(name):
        raise unknown("backbone", name, timm.list_models())
    if weights and not Path(weights).is_file():
        raise AffectkitError(
            f"weights {weights} do not exist; give a .safetensors or .pth file, or a trained run"
        )
    overlay = {"file": weights} if weights else None
    try:
        module = timm.create_model(
            name,
            pretrained=pretrained or bool(weights),
            pretrained_cfg_overlay=overlay,
            num_classes=0,
        )
    except Exception as error:  # the hub's client has many ways to say that there is no net
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise AffectkitError(
            f"weights of {name!r} could not be loaded ({reason[:120]}); "
            "set model.weights to a local file, or model.pretrained to false"
        ) from error
    config = module.pretrained_cfg
    return module, _width(module), Pixels(tuple(config["mean"]), tuple(config["std"]))


def _width(module: nn.Module) -> int:
    # timm's num_features leaves out the head convolution of some MobileNets: look instead
    module.eval()
    with torch.no_grad():
        width = module(torch.zeros(1, 3, 96, 96)).shape[1]
    module.train()
    return int(width)


def normalise(face: Tensor, pixels: Pixels) -> Tensor:
    """Turn uint8 faces (..., H, W, C) into the floats (N, C, H, W) that the backbone wants.

    The result keeps the memory order of the stored faces, which is torch's channels-last.
    """
    flat = face.flatten(0, -4).permute(0, 3, 1, 2)
    mean = torch.tensor(pixels.mean, device=face.device).view(3, 1, 1)
    std = torch.tensor(pixels.std, device=face.device).view(3, 1, 1)
    return (flat.float().div_(255) - mean).div_(std)
