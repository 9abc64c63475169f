"""The backbones that timm does not have, or not with these weights: `BACKBONES`."""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import NamedTuple

import timm
from torch import Tensor, nn
from torchvision.models import mobilenet, vgg

from affectkit.models.emonet import EmoNet, without_output_layer
from affectkit.models.mini_xception import MiniXception, rename_mini_xception_layers
from affectkit.models.normalisation import GREY_64, IMAGENET, PAPER, ZERO_TO_ONE_256, Normalisation
from affectkit.models.pretrained import (
    rename_resnet_layers,
    rename_slim_layers,
    rename_vgg_layers,
)
from affectkit.models.pretrained.formats import PretrainedWeights
from affectkit.models.slim_resnet import resnet50_slim


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


def mobilenet_v2() -> nn.Module:
    """Torchvision's MobileNetV2, whose ImageNet weights come out of a package: 1280 features."""
    features = mobilenet.mobilenet_v2().features
    pool = nn.AdaptiveAvgPool2d(1)
    return nn.Sequential(OrderedDict(features=features, pool=pool, flatten=nn.Flatten()))


def efficientnet_lite0() -> nn.Module:
    """Timm's EfficientNet-Lite0, whose ImageNet weights come out of a package: 1280 features."""
    module: nn.Module = timm.create_model("tf_efficientnet_lite0", num_classes=0)
    return module


def _rename_efficientnet_layers(weights: PretrainedWeights, path: Path) -> Mapping[str, Tensor]:
    # both networks register the same layers in the same order; timm has no classifier here
    if not {"_conv_stem.weight", "_fc.weight"} <= weights.tensors.keys():
        return weights.tensors
    return dict(zip(efficientnet_lite0().state_dict(), weights.tensors.values(), strict=False))


BACKBONES = {
    "vgg16": Backbone(vgg16, IMAGENET, lambda weights, path: weights.tensors, "vgg16-imagenet"),
    "mobilenet_v2": Backbone(
        mobilenet_v2, IMAGENET, lambda weights, path: weights.tensors, "mobilenetv2-imagenet"
    ),
    "efficientnet_lite0": Backbone(
        efficientnet_lite0,
        Normalisation((127.0,) * 3, (128.0,) * 3, scale=1.0),
        _rename_efficientnet_layers,
        "efficientnet-lite0-imagenet",
    ),
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
    "mini_xception": Backbone(
        partial(MiniXception, probabilities=False),
        GREY_64,
        rename_mini_xception_layers,
        "expression-circumplex",
    ),
    "mini_xception_expressions": Backbone(
        partial(MiniXception, probabilities=True),
        GREY_64,
        rename_mini_xception_layers,
        "expression-circumplex",
    ),
    "emonet": Backbone(EmoNet, ZERO_TO_ONE_256, without_output_layer, "emonet-8"),
    "resnet50_slim": Backbone(resnet50_slim, PAPER, rename_slim_layers, "affwildnet-resnet-gru"),
}
