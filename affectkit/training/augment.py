"""Augmentation: random per window, the same for all frames of a window."""

import torch
from torch import Tensor
from torchvision import tv_tensors
from torchvision.transforms import v2

from affectkit.training.windows import Batch

# index of each landmark's mirror image among the 68 points
MIRROR = [*range(16, -1, -1), *range(26, 16, -1), *range(27, 31), *range(35, 30, -1),
          45, 44, 43, 42, 47, 46, 39, 38, 37, 36, 41, 40,
          *range(54, 47, -1), *range(59, 54, -1), *range(64, 59, -1), 67, 66, 65]  # fmt: skip


def augment(batch: Batch, size: int, cutout: float = 0.0) -> Batch:
    """Randomly crop, rotate, change the colours of and mirror each window.

    Uses torch's global random state. Landmarks are transformed with the picture; mirrored ones
    exchange left and right.

    Args:
        batch: windows; not changed.
        size: pixels a side of the result.
        cutout: probability, from 0 to 1, that a black rectangle covers 2 to 20 % of a window's
            pictures, at the same place in all frames. Landmarks in it are kept.
    """
    windows = [_augment_window(*window, size, cutout) for window in zip(*batch[:2], strict=True)]
    faces, landmarks = zip(*windows, strict=True)
    return Batch(torch.stack(faces), torch.stack(landmarks), batch.annotation)


def _augment_window(
    face: Tensor, landmark: Tensor, size: int, cutout: float
) -> tuple[Tensor, Tensor]:
    side = face.shape[1]
    points = tv_tensors.KeyPoints((landmark + 1) * (side / 2), canvas_size=(side, side))
    video = tv_tensors.Video(face.permute(0, 3, 1, 2))
    transform = v2.Compose(
        [
            v2.RandomResizedCrop(size, scale=(0.7, 1.0), ratio=(0.85, 1.18)),
            v2.RandomRotation(7, interpolation=v2.InterpolationMode.BILINEAR),
            v2.ColorJitter(brightness=0.4, contrast=0.3, saturation=0.3),
        ]
    )
    video, points = transform(video, points)
    moved = points.as_subclass(Tensor) / (size / 2) - 1
    moved = torch.where(landmark.any(2, keepdim=True), moved, 0.0)  # missing ones stay 0
    picture = video.as_subclass(Tensor).permute(0, 2, 3, 1)
    if torch.rand(()) < 0.5:
        picture, moved = mirror(picture, moved)
    if cutout:
        erase = v2.RandomErasing(cutout, scale=(0.02, 0.2))
        picture = erase(picture.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)
    return picture, moved


def mirror(face: Tensor, landmark: Tensor) -> tuple[Tensor, Tensor]:
    """Exchange left and right of faces (T, H, W, C) and of their landmarks (T, P, 2)."""
    return face.flip(2), landmark[:, MIRROR] * landmark.new_tensor([-1.0, 1.0])
