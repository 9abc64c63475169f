"""Windows: fixed-length pieces of one recording, read lazily, and augmented as one piece."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
import torch
import xarray as xr
from numpy.typing import NDArray
from torch import Tensor
from torchvision import tv_tensors
from torchvision.transforms import v2

from affectkit.faces import in_crop
from affectkit.recording import EDGE

# position in the row of 68 of each point's mirror image
MIRROR = [*range(16, -1, -1), *range(26, 16, -1), *range(27, 31), *range(35, 30, -1),
          45, 44, 43, 42, 47, 46, 39, 38, 37, 36, 41, 40,
          *range(54, 47, -1), *range(59, 54, -1), *range(64, 59, -1), 67, 66, 65]  # fmt: skip


class Batch(NamedTuple):
    """B windows of T frames. Frames that do not count have NaN annotations."""

    face: Tensor  # (B, T, H, W, C) uint8
    landmark: Tensor  # (B, T, P, 2), the crop spans [-1, 1]; missing ones are 0
    annotation: Tensor  # (B, T, 2)


class Window(NamedTuple):
    """Where a window lies."""

    recording: int
    start: int


def plan_epoch(counts: Sequence[int], length: int, seed: Sequence[int]) -> list[Window]:
    """Cut every recording into windows from a random offset on, and shuffle them.

    A window never leaves its recording; the last one may be short. Each epoch draws new offsets,
    so no frame is always at a window's start.

    Args:
        counts: frames of each recording.
        length: frames of a window.
        seed: of this epoch; the same seed gives the same windows.
    """
    random = np.random.default_rng(seed)
    windows = [
        Window(recording, start)
        for recording, count in enumerate(counts)
        for start in range(int(random.integers(max(1, min(length, count - length)))), count, length)
    ]
    return [windows[i] for i in random.permutation(len(windows))]


def read_window(recording: xr.Dataset, start: int, length: int) -> Batch:
    """Read one window; a short one is filled up with its last frame, which then does not count."""
    piece = recording.isel(frame=slice(start, start + length))
    missing = length - piece.sizes["frame"]
    annotation = piece["annotation"].where(piece["crop_box"].notnull().all("edge")).values
    return Batch(
        torch.from_numpy(_fill(piece["face"].values, missing)),
        torch.from_numpy(_fill(landmark_in_crop(piece), missing)),
        torch.from_numpy(np.pad(annotation, ((0, missing), (0, 0)), constant_values=np.nan)),
    )


def _fill(values: NDArray[np.generic], missing: int) -> NDArray[np.generic]:
    return np.concatenate([values, np.repeat(values[-1:], missing, axis=0)])


def landmark_in_crop(recording: xr.Dataset) -> NDArray[np.float32]:
    """Landmarks (frame, point, axis) where the crop spans [-1, 1]; missing ones are 0."""
    landmark = recording["landmark"].transpose("frame", "point", "axis").values
    crop_box = recording["crop_box"].sel(edge=list(EDGE)).values
    return np.nan_to_num(in_crop(landmark, crop_box, 2) - 1)


def read_batches(
    recordings: Sequence[xr.Dataset], windows: Sequence[Window], length: int, batch: int
) -> Iterator[Batch]:
    """Read batches one ahead of the caller, so that the disk works while the net does."""
    rows = [windows[i : i + batch] for i in range(0, len(windows) - batch + 1, batch)] or [windows]

    def read(row: Sequence[Window]) -> Batch:
        pieces = [read_window(recordings[w.recording], w.start, length) for w in row]
        # torch.stack would start a second team of threads, which then fights the net's
        stacked = (
            np.stack([part.numpy() for part in parts]) for parts in zip(*pieces, strict=True)
        )
        return Batch(*map(torch.from_numpy, stacked))

    with ThreadPoolExecutor(1) as reader:
        ahead = reader.submit(read, rows[0])
        for row in rows[1:]:
            current, ahead = ahead.result(), reader.submit(read, row)
            yield current
        yield ahead.result()


def resize(face: Tensor, size: int) -> Tensor:
    """Shrink or enlarge uint8 faces (..., H, W, C) to `size` pixels a side, antialiased."""
    if face.shape[-2] == size:
        return face
    channels_first = face.movedim(-1, -3)
    resized: Tensor = v2.functional.resize(channels_first, [size, size], antialias=True)
    return resized.movedim(-3, -1)


def augment(batch: Batch, size: int) -> Batch:
    """Draw crop, turn, flip, light and colour once a window, and apply them to all its frames.

    Uses torch's global random state. Landmarks go with the picture; mirrored ones change sides.
    """
    windows = [_augment_window(*window, size) for window in zip(*batch[:2], strict=True)]
    faces, landmarks = zip(*windows, strict=True)
    return Batch(torch.stack(faces), torch.stack(landmarks), batch.annotation)


def _augment_window(face: Tensor, landmark: Tensor, size: int) -> tuple[Tensor, Tensor]:
    side = face.shape[1]
    points = tv_tensors.KeyPoints((landmark + 1) * (side / 2), canvas_size=(side, side))
    video = tv_tensors.Video(face.permute(0, 3, 1, 2))
    draw = v2.Compose(
        [
            v2.RandomResizedCrop(size, scale=(0.7, 1.0), ratio=(0.85, 1.18)),
            v2.RandomRotation(7, interpolation=v2.InterpolationMode.BILINEAR),
            v2.ColorJitter(brightness=0.4, contrast=0.3, saturation=0.3),
        ]
    )
    video, points = draw(video, points)
    placed = points.as_subclass(Tensor) / (size / 2) - 1
    placed = torch.where(landmark == 0, 0.0, placed)
    picture = video.as_subclass(Tensor).permute(0, 2, 3, 1)
    if torch.rand(()) < 0.5:
        picture, placed = picture.flip(2), placed[:, MIRROR] * torch.tensor([-1.0, 1.0])
    return picture, placed
