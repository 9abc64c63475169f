"""mini-Xception (Arriaga, Valdenegro-Toro and Ploeger 2017): a small CNN for expressions.

57 thousand weights, for grey pictures of 64 x 64 pixels. The layers are those of the Keras model
whose weights are published as "expression-circumplex" (`affectkit.weights`).
"""

from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from affectkit.errors import AffectkitError
from affectkit.models.pretrained.formats import PretrainedWeights

EXPRESSIONS = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
GREY = (0.299, 0.587, 0.114)  # ITU-R BT.601, as in OpenCV
WIDTHS = (8, 16, 32, 64, 128)
# Keras numbers its layers in the order in which they were made
KERAS_STEM = {
    "conv2d_1": "stem.0",
    "batch_normalization_1": "stem.1",
    "conv2d_2": "stem.3",
    "batch_normalization_2": "stem.4",
    "conv2d_7": "classes",
}


class Separable(nn.Sequential):
    """A 3 x 3 convolution of each channel, then a 1 x 1 convolution of all, then batch norm."""

    def __init__(self, width_in: int, width_out: int) -> None:
        """Build the layers for (N, `width_in`, H, W)."""
        super().__init__(
            nn.Conv2d(width_in, width_in, 3, padding=1, groups=width_in, bias=False),
            nn.Conv2d(width_in, width_out, 1, bias=False),
            _batch_norm(width_out),
        )


class Block(nn.Module):
    """Two separable convolutions and a pooling, beside a 1 x 1 convolution: (N, C, H/2, W/2)."""

    def __init__(self, width_in: int, width_out: int) -> None:
        """Build the layers for (N, `width_in`, H, W)."""
        super().__init__()
        self.first, self.second = Separable(width_in, width_out), Separable(width_out, width_out)
        self.shortcut = nn.Sequential(
            nn.Conv2d(width_in, width_out, 1, bias=False), _batch_norm(width_out)
        )

    def forward(self, maps: Tensor) -> Tensor:
        """(N, C, H, W) to (N, D, ceil(H / 2), ceil(W / 2))."""
        out = self.second(functional.relu(self.first(maps)))
        # every second pixel, instead of a stride: with 8 channels in channels-last memory, torch
        # 2.14 crashes in the backward pass of a 1 x 1 convolution with stride 2 on a CPU
        return torch.add(pool_same(out), self.shortcut(maps[:, :, ::2, ::2]))


class MiniXception(nn.Module):
    """mini-Xception, to its 128 features or to the probabilities of the 7 `EXPRESSIONS`."""

    grey: Tensor

    def __init__(self, *, probabilities: bool) -> None:
        """Build the network with random weights.

        Args:
            probabilities: return the probabilities, instead of the features: the means of the last
                128 maps, before the classifier.
        """
        super().__init__()
        self.register_buffer("grey", torch.tensor(GREY).view(1, 3, 1, 1), persistent=False)
        width = WIDTHS[0]
        self.stem = nn.Sequential(
            *(nn.Conv2d(1, width, 3, bias=False), _batch_norm(width), nn.ReLU()),
            *(nn.Conv2d(width, width, 3, bias=False), _batch_norm(width), nn.ReLU()),
        )
        self.blocks = nn.Sequential(*(Block(*pair) for pair in pairwise(WIDTHS)))
        self.classes = (
            nn.Conv2d(WIDTHS[-1], len(EXPRESSIONS), 3, padding=1) if probabilities else None
        )
        self.mean = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())

    def forward(self, image: Tensor) -> Tensor:
        """Normalised RGB pictures (N, 3, H, W) to (N, 7) probabilities or (N, 128) features."""
        maps = self.blocks(self.stem((image * self.grey).sum(1, keepdim=True)))
        if self.classes is None:
            return torch.as_tensor(self.mean(maps))
        return torch.as_tensor(self.mean(self.classes(maps)).softmax(1))


def _batch_norm(width: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(width, eps=1e-3, momentum=0.01)  # the defaults of Keras


def pool_same(maps: Tensor) -> Tensor:
    """The maximum of 3 x 3 pixels, every 2 pixels, with TensorFlow's SAME padding.

    An even side gets its one pixel of padding at the end, an odd side one at each end.
    """
    height, width = maps.shape[2:]
    padding = (width % 2, 1, height % 2, 1)
    return functional.max_pool2d(functional.pad(maps, padding, value=-torch.inf), 3, stride=2)


def rename_mini_xception_layers(weights: PretrainedWeights, path: Path) -> Mapping[str, Tensor]:
    """The tensors of the published Keras file, by the names of `MiniXception`.

    Raises:
        AffectkitError: a layer is unknown.
    """
    layers = dict(KERAS_STEM)
    for block in range(len(WIDTHS) - 1):
        own, number = f"blocks.{block}", 3 * block + 3
        layers |= {
            f"conv2d_{block + 3}": f"{own}.shortcut.0",
            f"batch_normalization_{number}": f"{own}.shortcut.1",
            f"separable_conv2d_{2 * block + 1}.depthwise": f"{own}.first.0",
            f"separable_conv2d_{2 * block + 1}.pointwise": f"{own}.first.1",
            f"batch_normalization_{number + 1}": f"{own}.first.2",
            f"separable_conv2d_{2 * block + 2}.depthwise": f"{own}.second.0",
            f"separable_conv2d_{2 * block + 2}.pointwise": f"{own}.second.1",
            f"batch_normalization_{number + 2}": f"{own}.second.2",
        }
    renamed = {}
    for name, tensor in weights.tensors.items():
        layer, _, kind = name.rpartition(".")
        if layer not in layers:
            raise AffectkitError(
                f"{path} is not mini-Xception: expected layers such as conv2d_1 and "
                f"separable_conv2d_1, got {name!r}"
            )
        renamed[f"{layers[layer]}.{kind}"] = tensor
    return renamed
