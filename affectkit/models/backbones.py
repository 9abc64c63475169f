"""Convolutional backbones: from normalised face images to features.

Available are the backbones of `BACKBONES` and all models of timm:

- "vgg16" and "vggface", the paper's VGG-16 and VGG-Face; timm's VGG-16, which includes the fully
  connected layers, is "vgg16.tv_in1k";
- "resnet50_slim", the ResNet-50 of TensorFlow-Slim, which the paper used, "vggface2", that of
  VGGFace2, and timm's own "resnet50";
- "mini_xception", trained on expressions, to its features; "mini_xception_expressions" to its
  probabilities;
- "emonet", trained on valence and arousal;
- "mobilenet_v2" and "efficientnet_lite0", whose ImageNet weights come out of packages of the
  package index: `model.pretrained = true` needs no other network for them.
"""

import inspect
from pathlib import Path
from typing import Any

import timm
import torch
from torch import Tensor, nn

from affectkit.errors import AffectkitError, unknown
from affectkit.files import StrPath
from affectkit.models.architectures import BACKBONES
from affectkit.models.normalisation import IMAGENET, NORMALISATIONS, PAPER, Normalisation
from affectkit.models.pretrained import (
    check_classes,
    load_weights,
    read_weights,
)
from affectkit.weights import PUBLISHED, weights_file


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
        weights: start from this instead: a local file in one of the formats in
            `models.pretrained.reading.FORMATS`, or a name in `affectkit.weights.PUBLISHED`.
        normalisation: "native", as for the training of the weights; "paper": (x - 128) / 128 for
            all backbones; or "imagenet": the mean and std of ImageNet for all backbones.
        size: side of the input images in pixels. The number of features of some backbones depends
            on it.

    Returns:
        The module from (N, C, H, W) to (N, F), F, and the normalisation of its input.

    Raises:
        AffectkitError: the backbone is unknown, or its weights cannot be loaded.
    """
    if normalisation not in NORMALISATIONS:
        raise unknown("normalisation", normalisation, NORMALISATIONS)
    if str(weights) in PUBLISHED and not Path(weights).exists():
        weights = weights_file(str(weights))
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
    return module, width, {"paper": PAPER, "imagenet": IMAGENET}.get(normalisation, native)


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
