"""Convert the layer names of published weights to torchvision's, and BGR weights to RGB."""

import re
from pathlib import Path

from torch import Tensor

from affectkit.models.pretrained.formats import PretrainedWeights

# numbers of the first convolution of each block in torchvision's vgg16, which also counts ReLUs and
# poolings
VGG_BLOCK = (0, 5, 10, 17, 24)
VGG_LAST = 30  # the fifth pooling
VGG = re.compile(r"(?:features\.)?conv(_?)(\d)_(\d)\.(weight|bias)")
RESNET = re.compile(r"conv(\d)_(\d)_(.+?)(_bn)?\.(\w+)")
# torchvision's numbers of the 13 convolutions of vgg16
VGG_CONVOLUTIONS = (0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28)
RESNET_UNITS = (3, 4, 6, 3)  # of each stage of ResNet-50
RESNET_LAYER = {
    "1x1_reduce": ("conv1", "bn1"),
    "3x3": ("conv2", "bn2"),
    "1x1_increase": ("conv3", "bn3"),
    "1x1_proj": ("downsample.0", "downsample.1"),
}
SLIM_LAYER = {
    "conv1": ("conv1", "bn1"),
    "conv2": ("conv2", "bn2"),
    "conv3": ("conv3", "bn3"),
    "shortcut": ("downsample.0", "downsample.1"),
}
SLIM_BATCH_NORM = {
    "gamma": "weight",
    "beta": "bias",
    "moving_mean": "running_mean",
    "moving_variance": "running_var",
}


def rename_vgg_layers(weights: PretrainedWeights, path: Path) -> dict[str, Tensor]:
    """VGG-Face by torchvision's names of VGG-16, with a first convolution for RGB.

    Converts the names of Caffe, Keras, MatConvNet and its ports (`conv1_1`), of ports of the Torch7
    file (`conv_1_1`, for BGR), layer numbers of the Torch7 network, and the variables of AffWildNet
    (`conv_1/weights`, for RGB). Keeps torchvision's names.
    """
    affwildnet = affwildnet_vgg_layers()
    tensors = {
        affwildnet.get(name) or _vgg_layer(name): tensor for name, tensor in weights.tensors.items()
    }
    torch7_port = any(match[1] for match in map(VGG.fullmatch, weights.tensors) if match)
    order = weights.channel_order or ("BGR" if torch7_port else "RGB")
    return _for_rgb(tensors, "features.0.weight", order)


def _vgg_layer(name: str) -> str:
    if match := VGG.fullmatch(name):
        block, position = int(match[2]), int(match[3])
        if 1 <= block <= len(VGG_BLOCK):
            return f"features.{VGG_BLOCK[block - 1] + 2 * (position - 1)}.{match[4]}"
    number, _, rest = name.partition(".")
    if number.isdigit() and int(number) <= VGG_LAST + 1:
        return f"features.{int(number) - 1}.{rest}"
    return name


def rename_resnet_layers(weights: PretrainedWeights, path: Path) -> dict[str, Tensor]:
    """VGGFace2's ResNet-50 by torchvision's names, with a first convolution for RGB.

    The weights were trained in Caffe on BGR images. All ports keep this (Oxford's `.pth`,
    cydonia999's, Keras'), except the files converted through MatConvNet (`*_dag.pth`).
    """
    tensors = {_resnet_layer(name): tensor for name, tensor in weights.tensors.items()}
    order = weights.channel_order or ("RGB" if path.stem.endswith("_dag") else "BGR")
    return _for_rgb(tensors, "conv1.weight", order)


def _resnet_layer(name: str) -> str:
    name = re.sub(r"^conv1_7x7_s2_bn\.", "bn1.", name)
    name = re.sub(r"^conv1_7x7_s2\.", "conv1.", name)
    if not (match := RESNET.fullmatch(name)):
        return name
    # a layer that ResNet does not have (squeeze and excitation) stays in its block, so that loading
    # reports it as unknown
    names = RESNET_LAYER.get(match[3], (match[3], match[3]))
    stage, block = int(match[1]) - 1, int(match[2]) - 1
    return f"layer{stage}.{block}.{names[bool(match[4])]}.{match[5]}"


def _for_rgb(tensors: dict[str, Tensor], first: str, order: str) -> dict[str, Tensor]:
    if order == "BGR" and first in tensors and tensors[first].ndim == 4:
        tensors[first] = tensors[first].flip(1)
    return tensors


def affwildnet_vgg_layers() -> dict[str, str]:
    """Names of VGG-16 in torchvision, by the variables in checkpoints of Kollias et al."""
    parts = {"weights": "weight", "biases": "bias"}
    return {
        f"conv_{number}/{variable}": f"features.{layer}.{part}"
        for number, layer in enumerate(VGG_CONVOLUTIONS, start=1)
        for variable, part in parts.items()
    }


def slim_resnet_layers() -> dict[str, str]:
    """Names of ResNet-50 in torchvision, by the variables of TensorFlow-Slim's `resnet_v1_50`."""
    names = _slim_layer("resnet_v1_50/conv1", ("conv1", "bn1"))
    for stage, units in enumerate(RESNET_UNITS, start=1):
        for unit in range(units):
            scope = f"resnet_v1_50/block{stage}/unit_{unit + 1}/bottleneck_v1"
            for slim, layers in SLIM_LAYER.items():
                if slim != "shortcut" or unit == 0:
                    conv, norm = (f"layer{stage}.{unit}.{layer}" for layer in layers)
                    names |= _slim_layer(f"{scope}/{slim}", (conv, norm))
    return names


def _slim_layer(scope: str, layers: tuple[str, str]) -> dict[str, str]:
    conv, norm = layers
    parts = {
        f"{scope}/BatchNorm/{slim}": f"{norm}.{part}" for slim, part in SLIM_BATCH_NORM.items()
    }
    return {f"{scope}/weights": f"{conv}.weight"} | parts


def rename_slim_layers(weights: PretrainedWeights, path: Path) -> dict[str, Tensor]:
    """A ResNet-50 of TensorFlow-Slim by torchvision's names; keeps torchvision's names."""
    names = slim_resnet_layers()
    return {names.get(name, name): tensor for name, tensor in weights.tensors.items()}
