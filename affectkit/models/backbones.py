"""Convolutional backbones: from normalised face images to features.

Available are the paper's VGG-16 and VGG-Face ("vgg16", "vggface"), VGGFace2's ResNet-50
("vggface2"), and all models of timm; timm's "resnet50" is the third backbone of the paper. timm's
VGG-16, which includes the fully connected layers, is "vgg16.tv_in1k".
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
from affectkit.files import StrPath
from affectkit.models.pretrained import (
    check_classes,
    load_weights,
    read_weights,
    rename_resnet_layers,
    rename_vgg_layers,
)
from affectkit.models.pretrained.formats import PretrainedWeights
from affectkit.weights import weights_file


@dataclass(frozen=True)
class Normalisation:
    """How input images are normalised: (bytes / `scale` - `mean`) / `std`, for each channel.

    The channels are red, green, blue for all backbones: weights trained on BGR images are converted
    when they are read. `size` is the side in pixels of the images that the weights were trained on.
    """

    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    scale: float = 255.0
    size: int = 224


IMAGENET = Normalisation((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
# all networks of the Aff-Wild papers use x / 128 - 1, for all weights
PAPER = Normalisation((128.0,) * 3, (128.0,) * 3, scale=1.0, size=96)
NORMALISATIONS = ("native", "paper")
CPU_BATCH = 16  # images that are normalised together on a CPU


class Backbone(NamedTuple):
    """A backbone that timm does not have; `weights` is a name in `weights.PUBLISHED`."""

    build: Callable[[], nn.Module]
    normalisation: Normalisation
    rename_layers: Callable[[PretrainedWeights, Path], Mapping[str, Tensor]]
    weights: str


def vgg16() -> nn.Module:
    """The convolutions of VGG-16 up to the fifth pooling, flattened: 512 features for 32 x 32 px.

    The poolings keep an odd last row or column, like SAME padding in TensorFlow, in which the
    paper's networks were trained.
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
    """ResNet-50 with the strides and pooling of Caffe, in which VGGFace2 was trained.

    The stride of a stage is in its first 1 x 1 convolution, not in its 3 x 3 convolution. The Keras
    port pads like TensorFlow and adds 1e-3 to variances; here its weights run as they were trained.
    """
    module = timm.create_model("resnet50", num_classes=0)
    module.maxpool = nn.MaxPool2d(3, stride=2, ceil_mode=True)
    for stage in (module.layer2, module.layer3, module.layer4):
        stage[0].conv1.stride, stage[0].conv2.stride = (2, 2), (1, 1)
    out: nn.Module = module
    return out


BACKBONES = {
    "vgg16": Backbone(vgg16, IMAGENET, lambda weights, path: weights.tensors, "vgg16-imagenet"),
    "vggface": Backbone(
        vgg16,
        Normalisation((129.1863, 104.7624, 93.594), (1.0,) * 3, 1.0),
        rename_vgg_layers,
        "vggface",
    ),
    "vggface2": Backbone(
        vggface2,
        Normalisation((131.0912, 103.8827, 91.4953), (1.0,) * 3, 1.0),
        rename_resnet_layers,
        "vggface2",
    ),
}


def build_backbone(
    name: str,
    *,
    pretrained: bool = False,
    weights: StrPath = "",
    normalisation: str = "native",
    size: int = 96,
) -> tuple[nn.Module, int, Normalisation]:
    """Build a backbone without its classifier.

    Args:
        name: a name in `BACKBONES`, or a model name of timm.
        pretrained: start from published weights, downloaded at first use.
        weights: start from this local file instead, in one of the formats in
            `models.pretrained.reading.FORMATS`.
        normalisation: "native", as for the training of the weights, or "paper": (x - 128) / 128 for
            all backbones.
        size: side of the input images in pixels. The number of features of some backbones depends
            on it.

    Returns:
        The module from (N, C, H, W) to (N, F), F, and the normalisation of its input.

    Raises:
        AffectkitError: the backbone is unknown, or its weights cannot be loaded.
    """
    if normalisation not in NORMALISATIONS:
        raise unknown("normalisation", normalisation, NORMALISATIONS)
    if name in BACKBONES:
        module, native = _build_own(name, pretrained, weights), BACKBONES[name].normalisation
    elif timm.is_model(name):
        module = _build_timm(name, pretrained, weights, size)
        config = module.pretrained_cfg
        native = Normalisation(
            tuple(config["mean"]), tuple(config["std"]), size=int(config["input_size"][-1])
        )
    else:
        raise unknown("backbone", name, [*BACKBONES, *timm.list_models()])
    width = _feature_width(name, module, size)
    return module, width, PAPER if normalisation == "paper" else native


def _build_own(name: str, pretrained: bool, weights: StrPath) -> nn.Module:
    if not (weights or pretrained):
        return BACKBONES[name].build()
    path = Path(weights) if weights else weights_file(BACKBONES[name].weights)
    tensors = BACKBONES[name].rename_layers(read_weights(path), path)
    check_classes(name, tensors, path)
    module = BACKBONES[name].build()
    load_weights(module, tensors, backbone=name, path=path)
    return module


def _build_timm(name: str, pretrained: bool, weights: StrPath, size: int) -> Any:  # noqa: ANN401
    path = Path(weights)
    loaded = read_weights(path) if weights else None
    if loaded is not None:
        check_classes(name, loaded.tensors, path)
    config = timm.get_pretrained_cfg(name)
    # the position embeddings of transformers are for one image size
    options = {"img_size": size} if config is not None and config.fixed_input_size else {}
    download = pretrained and loaded is None
    try:
        module = timm.create_model(name, pretrained=download, num_classes=0, **options)
    except Exception as error:  # the hub client raises many types of errors without a network
        if not download:
            raise _unsupported_size(name, size, error) from error
        raise AffectkitError(
            f"weights of {name!r} could not be downloaded ({_first_line(error)}); "
            "set model.weights to a local file, or model.pretrained to false"
        ) from error
    if loaded is not None:
        tensors = _rename_for_timm(module, loaded.tensors)
        load_weights(module, tensors, backbone=name, path=path)
    return module


def _rename_for_timm(module: nn.Module, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    # timm has this function for models whose authors published other layer names
    convert = getattr(inspect.getmodule(type(module)), "checkpoint_filter_fn", None)
    if convert is None:
        return tensors
    try:
        converted: dict[str, Tensor] = convert(dict(tensors), module)
    except Exception:  # expected layers are missing: `load_weights` reports them
        return tensors
    return converted


def _feature_width(name: str, module: nn.Module, size: int) -> int:
    # num_features of timm ignores the last convolution of some MobileNets, so run the module
    module.eval()
    try:
        with torch.no_grad():
            width = module(torch.zeros(1, 3, size, size)).shape[1]
    except (AssertionError, RuntimeError, ValueError) as error:
        raise _unsupported_size(name, size, error) from error
    module.train()
    return int(width)


def _unsupported_size(name: str, size: int, error: Exception) -> AffectkitError:
    return AffectkitError(
        f"backbone {name!r} does not support an input size of {size} pixels "
        f"({_first_line(error)}); change windows.input_size, or use another backbone"
    )


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0][:120] if str(error) else type(error).__name__


def normalise(face: Tensor, normalisation: Normalisation) -> Tensor:
    """Convert uint8 faces (..., H, W, C) to the float input (N, C, H, W) of a backbone.

    The result keeps the memory layout of the stored faces, which is PyTorch's channels-last.
    """
    images = face.flatten(0, -4)
    columns = images.shape[2]
    # whole rows: operations on groups of three channels are not vectorised
    scale = normalisation.scale
    mean = torch.tensor(normalisation.mean, device=face.device).repeat(columns) * scale
    std = torch.tensor(normalisation.std, device=face.device).repeat(columns) * scale
    factor = 1 / std
    # a few images at a time stay in the CPU's cache between operations
    count = CPU_BATCH if face.device.type == "cpu" else max(1, len(images))
    floats = torch.empty(images.shape, device=face.device)
    for batch, out in zip(torch.split(images, count), torch.split(floats, count), strict=True):
        out.flatten(2).copy_(batch.flatten(2)).sub_(mean).mul_(factor)
    return floats.permute(0, 3, 1, 2)
