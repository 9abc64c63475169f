"""EmoNet: valence and arousal from a face and from the places of its landmarks.

Toisoul et al. 2021, "Estimation of continuous valence and arousal levels from faces in naturalistic
conditions". A face alignment network, a stem and two stacked hourglasses, finds 68 landmarks as
heat maps. The sum of the heat maps weights the maps of both hourglasses: the head, four residual
blocks and a fully connected layer, looks at the face more than at its surroundings. The layers
have the names of the published weight files.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from affectkit.models.pretrained.formats import PretrainedWeights
from affectkit.recording import POINTS

WIDTH = 256  # maps of the hourglasses and of the head
FEATURES = 128
HOURGLASSES = 2
LEVELS = 4  # of an hourglass: each halves the side
HEAD_BLOCKS = 4
OUTPUT_LAYER = "emo_fc_2.3"  # expressions, then valence, then arousal


class Residual(nn.Module):
    """Three 3 x 3 convolutions whose outputs are concatenated and added to the input.

    Batch norm and ReLU come before each convolution.
    """

    def __init__(self, width_in: int, width_out: int) -> None:
        """Build the layers for (N, `width_in`, H, W)."""
        super().__init__()
        widths = (width_in, width_out // 2, width_out // 4, width_out // 4)
        for number in (1, 2, 3):
            low, high = widths[number - 1 : number + 1]
            self.add_module(f"bn{number}", nn.BatchNorm2d(low))
            self.add_module(f"conv{number}", nn.Conv2d(low, high, 3, padding=1, bias=False))
        self.downsample = (  # the name in the files; it changes the width, not the side
            nn.Sequential(
                nn.BatchNorm2d(width_in), nn.ReLU(), nn.Conv2d(width_in, width_out, 1, bias=False)
            )
            if width_in != width_out
            else nn.Identity()
        )

    def forward(self, maps: Tensor) -> Tensor:
        """(N, C, H, W) to (N, D, H, W)."""
        outputs, out = [], maps
        for number in (1, 2, 3):
            normed = self.get_submodule(f"bn{number}")(out)
            out = self.get_submodule(f"conv{number}")(functional.relu(normed))
            outputs.append(out)
        return torch.add(torch.cat(outputs, 1), self.downsample(maps))


class Hourglass(nn.Module):
    """Residual blocks on 5 scales; each scale is added to the one above, at twice its side."""

    def __init__(self) -> None:
        """Build the blocks of all levels; level 1 is the coarsest."""
        super().__init__()
        names = [f"{block}_{level}" for level in range(LEVELS, 0, -1) for block in ("b1", "b2")]
        names += ["b2_plus_1", *(f"b3_{level}" for level in range(1, LEVELS + 1))]
        for name in names:
            self.add_module(name, Residual(WIDTH, WIDTH))

    def forward(self, maps: Tensor) -> Tensor:
        """(N, 256, H, W) to the same shape; H and W are multiples of 16."""
        sides = []
        for level in range(LEVELS, 0, -1):
            sides.append(self.get_submodule(f"b1_{level}")(maps))
            maps = self.get_submodule(f"b2_{level}")(functional.max_pool2d(maps, 2))
        maps = self.get_submodule("b2_plus_1")(maps)
        for level in range(1, LEVELS + 1):
            maps = self.get_submodule(f"b3_{level}")(maps)
            maps = sides.pop() + functional.interpolate(maps, scale_factor=2, mode="nearest")
        return maps


class EmoNet(nn.Module):
    """EmoNet up to its 128 features, before the layer of expressions, valence and arousal."""

    def __init__(self) -> None:
        """Build the network with random weights."""
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(3, 64, 7, stride=2, padding=3), nn.BatchNorm2d(64)
        self.conv2, self.conv3, self.conv4 = (
            Residual(64, 128),
            Residual(128, 128),
            Residual(128, WIDTH),
        )
        for number in range(HOURGLASSES):
            self.add_module(f"m{number}", Hourglass())
            self.add_module(f"top_m_{number}", Residual(WIDTH, WIDTH))
            self.add_module(f"conv_last{number}", nn.Conv2d(WIDTH, WIDTH, 1))
            self.add_module(f"bn_end{number}", nn.BatchNorm2d(WIDTH))
            self.add_module(f"l{number}", nn.Conv2d(WIDTH, POINTS, 1))
        self.bl0, self.al0 = nn.Conv2d(WIDTH, WIDTH, 1), nn.Conv2d(POINTS, WIDTH, 1)
        self.conv1x1_input_emo_2 = nn.Conv2d((HOURGLASSES + 1) * WIDTH, WIDTH, 1)
        blocks = ((Residual(WIDTH, WIDTH), nn.MaxPool2d(2)) for _ in range(HEAD_BLOCKS))
        self.emo_net_2 = nn.Sequential(*(layer for pair in blocks for layer in pair))
        self.emo_fc_2 = nn.Sequential(
            nn.Linear(WIDTH, FEATURES), nn.BatchNorm1d(FEATURES), nn.ReLU()
        )

    def forward(self, image: Tensor) -> Tensor:
        """RGB pictures (N, 3, H, W) from 0 to 1, H and W multiples of 64, to features (N, 128)."""
        stem = functional.relu(self.bn1(self.conv1(image)))
        stem = self.conv4(self.conv3(functional.max_pool2d(self.conv2(stem), 2)))
        first, heat = self._align(0, stem)
        # the head and the second hourglass take the first one's maps after this convolution
        first = self.bl0(first)
        second, heat = self._align(1, stem + first + self.al0(heat))
        attended = torch.cat([first, second], 1) * heat.sum(1, keepdim=True)
        maps = self.emo_net_2(self.conv1x1_input_emo_2(torch.cat([stem, attended], 1)))
        # the mean over all places: for 256 pixels, of 4 x 4
        return torch.as_tensor(self.emo_fc_2(maps.mean((2, 3))))

    def _align(self, number: int, maps: Tensor) -> tuple[Tensor, Tensor]:
        """The maps of an hourglass, and the heat maps of the landmarks."""
        for name in (f"m{number}", f"top_m_{number}", f"conv_last{number}", f"bn_end{number}"):
            maps = self.get_submodule(name)(maps)
        maps = functional.relu(maps)
        return maps, cast(Tensor, self.get_submodule(f"l{number}")(maps))


def without_output_layer(weights: PretrainedWeights, path: Path) -> Mapping[str, Tensor]:
    """The tensors of a published file by the names of `EmoNet`, which has no output layer."""
    return {
        name: tensor
        for name, tensor in weights.tensors.items()
        if not name.startswith(f"{OUTPUT_LAYER}.")
    }
