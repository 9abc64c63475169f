"""Convolutional backbones: a face in, features out; each carries how it wants its pixels.

By name: the paper's VGG-16 and VGG-Face ("vgg16", "vggface"), VGGFace2's ResNet-50 ("vggface2"),
and any model of timm, whose "resnet50" is the paper's third. timm's own VGG-16, which goes on to
its fully connected layers, is "vgg16.tv_in1k".
"""

import inspect
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import timm
import torch
from torch import Tensor, nn
from torchvision.models import vgg

from affectkit.errors import AffectkitError, unknown
from affectkit.models.pretrained import (
    check_classes,
    fetch,
    load_into,
    read_weights,
    vgg_layers,
    vggface2_layers,
)
from affectkit.models.pretrained.stored import Stored


@dataclass(frozen=True)
class Pixels:
    """What a backbone wants to see: bytes over `scale`, minus `mean`, divided by `std`, by channel.

    Channels are red, green, blue for every backbone: weights trained on blue-green-red are turned
    round when they are read. `size` is the side in pixels that the weights were trained at.
    """

    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    scale: float = 255.0
    size: int = 224


IMAGENET = Pixels((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
# every network of Aff-Wild takes x / 128 - 1, whatever its weights were trained on
PAPER = Pixels((128.0,) * 3, (128.0,) * 3, scale=1.0, size=96)
PIXELS = ("native", "paper")
FEW = 16  # pictures that are normalised at once


class Backbone(NamedTuple):
    """A network of the paper that timm does not have: how to build it, and to read its weights."""

    build: Callable[[], nn.Module]
    pixels: Pixels
    layers: Callable[[Stored, Path], Mapping[str, Tensor]]


def vgg16() -> nn.Module:
    """The convolutions of VGG-16 up to the fifth pooling, flattened: 512 features a square of 32.

    Poolings keep a last odd row, as SAME does where the paper's networks were trained.
    """
    layers = vgg.make_layers(vgg.cfgs["D"])
    for layer in layers:
        if isinstance(layer, nn.Conv2d) and layer.bias is not None:
            nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")
            nn.init.zeros_(layer.bias)
        if isinstance(layer, nn.MaxPool2d):
            layer.ceil_mode = True
    return nn.Sequential(OrderedDict(features=layers, flatten=nn.Flatten()))


def vggface2() -> nn.Module:
    """ResNet-50 with Caffe's strides and pooling, in which VGGFace2 was trained.

    A stage begins with a stride in its first convolution, 1 x 1, and not in its second. Keras' port
    pads as TensorFlow does and adds 1e-3 to variances; here even its file runs as it was trained.
    """
    module = timm.create_model("resnet50", num_classes=0)
    module.maxpool = nn.MaxPool2d(3, stride=2, ceil_mode=True)
    for stage in (module.layer2, module.layer3, module.layer4):
        stage[0].conv1.stride, stage[0].conv2.stride = (2, 2), (1, 1)
    out: nn.Module = module
    return out


BACKBONES = {
    "vgg16": Backbone(vgg16, IMAGENET, lambda stored, path: stored.tensors),
    "vggface": Backbone(vgg16, Pixels((129.1863, 104.7624, 93.594), (1.0,) * 3, 1.0), vgg_layers),
    "vggface2": Backbone(
        vggface2, Pixels((131.0912, 103.8827, 91.4953), (1.0,) * 3, 1.0), vggface2_layers
    ),
}


def build_backbone(
    name: str,
    *,
    pretrained: bool = False,
    weights: str = "",
    pixels: str = "native",
    size: int = 96,
) -> tuple[nn.Module, int, Pixels]:
    """Build a backbone without its classifier.

    Args:
        name: in `BACKBONES`, or any model name of timm.
        pretrained: start from published weights, fetched at first use.
        weights: start from this local file instead; any of `models.pretrained.reading.FORMATS`.
        pixels: "native", as the weights were trained, or "paper": (x - 128) / 128 for every
            network.
        size: the input's side in pixels; what is flattened is as wide as this makes it.

    Returns:
        The module from (N, C, H, W) to (N, F), F, and its contract for pixels.

    Raises:
        AffectkitError: no such backbone, or the weights cannot be had or do not fit.
    """
    if pixels not in PIXELS:
        raise unknown("pixels", pixels, PIXELS)
    if name in BACKBONES:
        module, native = _own(name, pretrained, weights), BACKBONES[name].pixels
    elif timm.is_model(name):
        module = _timm(name, pretrained, weights, size)
        config = module.pretrained_cfg
        native = Pixels(
            tuple(config["mean"]), tuple(config["std"]), size=int(config["input_size"][-1])
        )
    else:
        raise unknown("backbone", name, [*BACKBONES, *timm.list_models()])
    return module, _width(name, module, size), PAPER if pixels == "paper" else native


def _own(name: str, pretrained: bool, weights: str) -> nn.Module:
    if not (weights or pretrained):
        return BACKBONES[name].build()
    path = Path(weights) if weights else fetch(name)
    layers = BACKBONES[name].layers(read_weights(path), path)
    check_classes(name, layers, path)
    module = BACKBONES[name].build()
    load_into(module, layers, name=name, path=path)
    return module


def _timm(name: str, pretrained: bool, weights: str, size: int) -> Any:  # noqa: ANN401
    path = Path(weights)
    stored = read_weights(path) if weights else None
    if stored is not None:
        check_classes(name, stored.tensors, path)
    config = timm.get_pretrained_cfg(name)
    # transformers lay out their positions for one size of picture
    sized = {"img_size": size} if config is not None and config.fixed_input_size else {}
    fetched = pretrained and stored is None
    try:
        module = timm.create_model(name, pretrained=fetched, num_classes=0, **sized)
    except Exception as error:  # the hub's client has many ways to say that there is no net
        if not fetched:
            raise _too_odd(name, size, error) from error
        raise AffectkitError(
            f"weights of {name!r} could not be loaded ({_reason(error)}); "
            "set model.weights to a local file, or model.pretrained to false"
        ) from error
    if stored is not None:
        load_into(module, _as_timm_names_them(module, stored.tensors), name=name, path=path)
    return module


def _as_timm_names_them(module: nn.Module, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    # where the first authors named layers otherwise, timm's file of the net brings this function
    convert = getattr(inspect.getmodule(type(module)), "checkpoint_filter_fn", None)
    if convert is None:
        return tensors
    try:
        converted: dict[str, Tensor] = convert(dict(tensors), module)
    except Exception:  # not even the layers it looks for: what is missing is said by who loads
        return tensors
    return converted


def _width(name: str, module: nn.Module, size: int) -> int:
    # timm's num_features leaves out the head convolution of some MobileNets: look instead
    module.eval()
    try:
        with torch.no_grad():
            width = module(torch.zeros(1, 3, size, size)).shape[1]
    except (AssertionError, RuntimeError, ValueError) as error:
        raise _too_odd(name, size, error) from error
    module.train()
    return int(width)


def _too_odd(name: str, size: int, error: Exception) -> AffectkitError:
    return AffectkitError(
        f"backbone {name!r} cannot see pictures of {size} pixels a side ({_reason(error)}); "
        "set windows.input_size to the size it was made for, or take another backbone"
    )


def _reason(error: Exception) -> str:
    return str(error).splitlines()[0][:120] if str(error) else type(error).__name__


def normalise(face: Tensor, pixels: Pixels) -> Tensor:
    """Turn uint8 faces (..., H, W, C) into the floats (N, C, H, W) that the backbone wants.

    The result keeps the memory order of the stored faces, which is torch's channels-last.
    """
    pictures = face.flatten(0, -4)
    width = pictures.shape[2]
    # whole rows at a time: steps of three colours cannot be vectorised
    mean = torch.tensor(pixels.mean, device=face.device).repeat(width) * pixels.scale
    deviation = torch.tensor(pixels.std, device=face.device).repeat(width) * pixels.scale
    factor = 1 / deviation
    # few pictures at a time stay in a CPU's cache from one operation to the next
    count = FEW if face.device.type == "cpu" else max(1, len(pictures))
    floats = torch.empty(pictures.shape, device=face.device)
    for stored, out in zip(torch.split(pictures, count), torch.split(floats, count), strict=True):
        out.flatten(2).copy_(stored.flatten(2)).sub_(mean).mul_(factor)
    return floats.permute(0, 3, 1, 2)
