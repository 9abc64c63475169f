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
RESNET_LAYER = {
    "1x1_reduce": ("conv1", "bn1"),
    "3x3": ("conv2", "bn2"),
    "1x1_increase": ("conv3", "bn3"),
    "1x1_proj": ("downsample.0", "downsample.1"),
}


def rename_vgg_layers(weights: PretrainedWeights, path: Path) -> dict[str, Tensor]:
    """VGG-Face by torchvision's names of VGG-16, with a first convolution for RGB.

    Converts the names of Caffe, Keras, MatConvNet and its ports (`conv1_1`), of ports of the Torch7
    file (`conv_1_1`, for BGR), and layer numbers of the Torch7 network. Keeps torchvision's names.
    """
    tensors = {_vgg_layer(name): tensor for name, tensor in weights.tensors.items()}
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
