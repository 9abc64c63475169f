"""The input of a backbone: face images of bytes to normalised floats."""

from dataclasses import dataclass

import torch
from torch import Tensor


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
ZERO_TO_ONE_256 = Normalisation((0.0,) * 3, (1.0,) * 3, size=256)
GREY_64 = Normalisation((127.5,) * 3, (127.5,) * 3, scale=1.0, size=64)
# all networks of the Aff-Wild papers use x / 128 - 1, for all weights
PAPER = Normalisation((128.0,) * 3, (128.0,) * 3, scale=1.0, size=96)
NORMALISATIONS = ("native", "paper", "imagenet")
CPU_BATCH = 16  # images that are normalised together on a CPU


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
