"""The many names of one layer, and the order in which its net wants the colours."""

import re
from pathlib import Path

from torch import Tensor

from affectkit.models.pretrained.stored import Stored

# torchvision's vgg16 counts ReLUs and poolings too: the first convolution of each block
VGG_BLOCK = (0, 5, 10, 17, 24)
VGG_LAST = 30  # the fifth pooling
VGG = re.compile(r"(?:features\.)?conv(_?)(\d)_(\d)\.(weight|bias)")
RESNET = re.compile(r"conv(\d)_(\d)_(.+?)(_bn)?\.(\w+)")
RESNET_PART = {
    "1x1_reduce": ("conv1", "bn1"),
    "3x3": ("conv2", "bn2"),
    "1x1_increase": ("conv3", "bn3"),
    "1x1_proj": ("downsample.0", "downsample.1"),
}


def vgg_layers(stored: Stored, path: Path) -> dict[str, Tensor]:
    """VGG-Face by torchvision's names for VGG-16, first convolution for red-green-blue.

    Names are those of Caffe, Keras, MatConvNet and its ports (`conv1_1`), of ports of the Torch7
    file (`conv_1_1`, which keep its blue-green-red), numbers in the Torch7 net, or torchvision's.
    """
    tensors = {_vgg_layer(name): tensor for name, tensor in stored.tensors.items()}
    ported = any(match[1] for match in map(VGG.fullmatch, stored.tensors) if match)
    order = stored.order or ("BGR" if ported else "RGB")
    return _for_rgb(tensors, "features.0.weight", order)


def _vgg_layer(name: str) -> str:
    if match := VGG.fullmatch(name):
        block, place = int(match[2]), int(match[3])
        if 1 <= block <= len(VGG_BLOCK):
            return f"features.{VGG_BLOCK[block - 1] + 2 * (place - 1)}.{match[4]}"
    number, _, rest = name.partition(".")
    if number.isdigit() and int(number) <= VGG_LAST + 1:
        return f"features.{int(number) - 1}.{rest}"
    return name


def vggface2_layers(stored: Stored, path: Path) -> dict[str, Tensor]:
    """VGGFace2's ResNet-50 by torchvision's names, first convolution for red-green-blue.

    The weights were trained in Caffe on blue-green-red, and every port keeps that (Oxford's own
    `.pth`, cydonia999's, Keras'), but for the files that came by way of MatConvNet (`*_dag.pth`).
    """
    tensors = {_resnet_layer(name): tensor for name, tensor in stored.tensors.items()}
    order = stored.order or ("RGB" if path.stem.endswith("_dag") else "BGR")
    return _for_rgb(tensors, "conv1.weight", order)


def _resnet_layer(name: str) -> str:
    name = re.sub(r"^conv1_7x7_s2_bn\.", "bn1.", name)
    name = re.sub(r"^conv1_7x7_s2\.", "conv1.", name)
    if not (match := RESNET.fullmatch(name)):
        return name
    # a part that is not ResNet's (squeeze and excitation) stays in its block, and is refused there
    names = RESNET_PART.get(match[3], (match[3], match[3]))
    stage, block = int(match[1]) - 1, int(match[2]) - 1
    return f"layer{stage}.{block}.{names[bool(match[4])]}.{match[5]}"


def _for_rgb(tensors: dict[str, Tensor], first: str, order: str) -> dict[str, Tensor]:
    if order == "BGR" and first in tensors:
        tensors[first] = tensors[first].flip(1)
    return tensors
