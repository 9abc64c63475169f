"""Crop settings: the square of the source picture that a face crop shows, and its resampling.

- The square is upright: it does not rotate with the head and is never mirrored.
- Its centre is the mean of the 68 landmarks, smoothed over `smoothing` seconds and moved down by
  `shift` times its side. It follows a person who walks, but not a head that nods or sways: head
  motion, which shows arousal, stays visible in the crop.
- Its side is `margin` times the distance from the bridge of the nose (point 27) to the chin
  (point 8), smoothed over `size_smoothing` seconds, so an opening jaw does not change the scale.
- Gaps without a face up to `max_gap` seconds are interpolated; in longer ones there is no square.
- Each shot is processed separately: nothing is interpolated or smoothed across a shot cut.
- Pixels: sampled bilinearly on a grid at least as fine as the source, then averaged over each pixel
  of the crop, so there is no aliasing. Outside the picture, its edge pixels are repeated. A frame
  without a square has a black crop.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from affectkit.errors import AffectkitError
from affectkit.signals import interpolate_gaps, smooth

BRIDGE, CHIN = 27, 8
MAX_SECONDS = 3600
BOUNDS = {  # of the settings, both included
    "size": (8, 1024),
    "margin": (0.5, 10),
    "shift": (-1, 1),
    "smoothing": (0, MAX_SECONDS),
    "size_smoothing": (0, MAX_SECONDS),
    "max_gap": (0, MAX_SECONDS),
}
DATASET_CROPS = "given"  # `alignment` of crops that come with a dataset; they are only resized


@dataclass(frozen=True)
class Crop:
    """Crop settings. Recordings and runs store them as a dict (`dataclasses.asdict`).

    Raises:
        AffectkitError: a setting is invalid.
    """

    size: int = 96  # pixels
    margin: float = 1.52
    shift: float = 0.03
    smoothing: float = 1.0  # seconds, sigma of a Gaussian
    size_smoothing: float = 10.0  # seconds, sigma of a Gaussian
    max_gap: float = 1.0  # seconds
    alignment: str = "upright"
    interpolation: str = "area"

    def __post_init__(self) -> None:
        """Check the settings."""
        for name, (low, high) in BOUNDS.items():
            value = getattr(self, name)
            kind = int if name == "size" else int | float
            if not isinstance(value, kind) or not low <= value <= high:
                raise AffectkitError(
                    f"crop settings: expected {name} from {low} to {high}, got {value!r}"
                )
        if self.alignment not in ("upright", DATASET_CROPS) or self.interpolation != "area":
            raise AffectkitError(
                f"crop settings: expected alignment 'upright' or {DATASET_CROPS!r} and "
                f"interpolation 'area', got {self.alignment!r} and {self.interpolation!r}"
            )


def stored_crop(settings: Mapping[str, Any]) -> Crop:
    """The crop settings that a recording or a run stores.

    Raises:
        AffectkitError: a setting is invalid or unknown.
    """
    other = sorted(settings.keys() - {field.name for field in fields(Crop)})
    if other:
        raise AffectkitError(
            f"unknown crop settings {', '.join(other)[:60]}: they are damaged, or a newer "
            "affectkit wrote them"
        )
    return Crop(**settings)


def crop_boxes(
    landmark: NDArray[np.floating],
    time: NDArray[np.float64],
    crop: Crop,
    cuts: Sequence[int] | NDArray[np.int64] = (),
) -> NDArray[np.float32]:
    """Compute the square of each frame's crop.

    Args:
        landmark: (frame, point, axis) in source pixels; NaN = no face.
        time: (frame) in seconds, increasing.
        crop: the settings.
        cuts: frames at which a shot begins; nothing is interpolated or smoothed across a cut.

    Returns:
        crop_box (frame, edge) in source pixels; may extend beyond the picture; NaN in long gaps.
    """
    shots = zip(np.split(landmark, cuts), np.split(time, cuts), strict=True)
    return np.concatenate([_shot_boxes(*shot, crop) for shot in shots if len(shot[1])])


def _shot_boxes(
    landmark: NDArray[np.floating], time: NDArray[np.float64], crop: Crop
) -> NDArray[np.float32]:
    points = np.asarray(landmark, np.float64)
    length = np.linalg.norm(points[:, BRIDGE] - points[:, CHIN], axis=-1)
    traces = np.column_stack([points.mean(axis=1), length])
    filled = interpolate_gaps(traces, time, crop.max_gap)
    middle = smooth(filled[:, :2], time, crop.smoothing)
    side = crop.margin * smooth(filled[:, 2:], time, crop.size_smoothing)
    middle[:, 1] += crop.shift * side[:, 0]
    return np.hstack([middle - side / 2, middle + side / 2]).astype(np.float32)


def extract_crops(
    rgb: NDArray[np.uint8] | Sequence[NDArray[np.uint8]],
    crop_box: NDArray[np.floating],
    crop: Crop,
) -> NDArray[np.uint8]:
    """Extract and resample the squares.

    Args:
        rgb: (frame, row, col, channel), or for each frame a picture (row, col, channel) of any
            size.
        crop_box: (frame, edge) in source pixels; NaN gives a black crop.
        crop: the settings.

    Returns:
        Face crops (frame, row, col, channel).
    """
    face = np.zeros((len(rgb), crop.size, crop.size, 3), np.uint8)
    for number in np.flatnonzero(~np.isnan(crop_box).any(axis=1)).tolist():
        face[number] = _extract_crop(rgb[number], crop_box[number].astype(float), crop.size)
    return face


def _extract_crop(
    picture: NDArray[np.uint8], box: NDArray[np.floating], size: int
) -> NDArray[np.uint8]:
    left, top, right, bottom = box
    fine = math.ceil(max(right - left, bottom - top, 1) / size)  # samples per pixel of the crop
    step = np.array([right - left, bottom - top]) / (fine * size)
    # OpenCV counts from the centre of the first pixel, boxes count from its corner
    start = np.array([left, top]) + step / 2 - 0.5
    grid = np.array([[step[0], 0, start[0]], [0, step[1], start[1]]])
    sampled = cv2.warpAffine(
        picture,
        grid,
        (fine * size, fine * size),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return np.asarray(cv2.resize(sampled, (size, size), interpolation=cv2.INTER_AREA), np.uint8)
