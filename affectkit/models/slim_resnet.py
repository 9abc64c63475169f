"""ResNet-50 as TensorFlow-Slim builds it, the CNN of Kollias et al.'s ResNet-GRU.

It differs from torchvision's and timm's ResNet-50 in where it halves the picture: in the last unit
of stages 1, 2 and 3 (in its 3 x 3 convolution, with the shortcut that keeps every second row and
column), not in the first unit of stages 2, 3 and 4. The pooling after the first convolution pads as
SAME does in TensorFlow: for pictures of even size only on the right and below. Confirmed in the
code of TensorFlow 1 (`contrib/slim/nets/resnet_v1.py`, `resnet_utils.py`).
"""

import timm
from timm.layers import create_pool2d
from torch import nn


def resnet50_slim() -> nn.Module:
    """From (N, 3, H, W) to 2048 features: the mean over the last maps."""
    module = timm.create_model("resnet50", num_classes=0)
    module.maxpool = create_pool2d("max", 3, 2, padding="same")
    stages = (module.layer1, module.layer2, module.layer3, module.layer4)
    for stage in stages[1:]:
        stage[0].conv2.stride = stage[0].downsample[0].stride = (1, 1)
    for stage in stages[:-1]:
        stage[-1].conv2.stride = (2, 2)
        stage[-1].downsample = nn.MaxPool2d(1, stride=2)
    out: nn.Module = module
    return out
