"""The crop contract: which square of the source a face crop shows, and how its pixels are made.

- The square is upright: it neither turns with the head nor mirrors.
- Its middle is the mean of the 68 landmarks, smoothed over `smoothing` seconds and moved down by
  `shift` of its side. It follows a person who walks, but not a head that nods or sways, so that
  head motion, which shows arousal, stays visible in the crop.
- Its side is `margin` times the distance from the bridge of the nose (point 27) to the chin (8),
  smoothed over `size_smoothing` seconds, so that an opening jaw does not zoom.
- Gaps without a face up to `max_gap` seconds are bridged; in longer ones there is no square.
- Every shot is on its own: nothing is bridged or smoothed across a cut.
- Pixels: read by bilinear interpolation on a grid as fine as the source and averaged over each
  pixel of the crop, so shrinking does not alias; beyond the picture's edge its last pixels repeat.
  Without a square the crop is black.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from affectkit.errors import AffectkitError
from affectkit.signals import bridge, smooth

BRIDGE, CHIN = 27, 8
GIVEN = "given"  # the alignment of crops that a dataset brings, only resized; whatever cut them


@dataclass(frozen=True)
class Crop:
    """The numbers of the contract; `dataclasses.asdict` of it travels with recordings and weights.

    Raises:
        AffectkitError: a number that no crop can have.
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
        """Refuse numbers that no crop can have."""
        if self.size < 8 or self.margin <= 0:
            raise AffectkitError(
                f"a crop needs size >= 8 and margin > 0, got {self.size} and {self.margin:g}"
            )
        if min(self.smoothing, self.size_smoothing, self.max_gap) < 0:
            raise AffectkitError("smoothing, size_smoothing and max_gap of a crop are seconds >= 0")
        if self.alignment not in ("upright", GIVEN) or self.interpolation != "area":
            raise AffectkitError(
                f"a crop is aligned 'upright' or {GIVEN!r} and interpolated by 'area', "
                f"got {self.alignment!r} and {self.interpolation!r}"
            )


def crop_boxes(
    landmark: NDArray[np.floating],
    time: NDArray[np.float64],
    crop: Crop,
    cuts: Sequence[int] | NDArray[np.int64] = (),
) -> NDArray[np.float32]:
    """The square to cut from every frame.

    Args:
        landmark: (frame, point, axis) in source pixels; NaN = no face.
        time: (frame) in seconds, rising.
        crop: the contract.
        cuts: frames at which a shot begins; nothing is bridged or smoothed across one.

    Returns:
        crop_box (frame, edge) in source pixels; may reach beyond the picture; NaN in long gaps.
    """
    shots = zip(np.split(landmark, cuts), np.split(time, cuts), strict=True)
    return np.concatenate([_shot_boxes(*shot, crop) for shot in shots if len(shot[1])])


def _shot_boxes(
    landmark: NDArray[np.floating], time: NDArray[np.float64], crop: Crop
) -> NDArray[np.float32]:
    points = np.asarray(landmark, np.float64)
    length = np.linalg.norm(points[:, BRIDGE] - points[:, CHIN], axis=-1)
    traces = np.column_stack([points.mean(axis=1), length])
    bridged = bridge(traces, time, crop.max_gap)
    middle = smooth(bridged[:, :2], time, crop.smoothing)
    side = crop.margin * smooth(bridged[:, 2:], time, crop.size_smoothing)
    middle[:, 1] += crop.shift * side[:, 0]
    return np.hstack([middle - side / 2, middle + side / 2]).astype(np.float32)


def cut(
    rgb: NDArray[np.uint8] | Sequence[NDArray[np.uint8]],
    crop_box: NDArray[np.floating],
    crop: Crop,
) -> NDArray[np.uint8]:
    """Cut the squares out of pictures.

    Args:
        rgb: (frame, row, col, channel), or a picture (row, col, channel) of any size a frame.
        crop_box: (frame, edge) in source pixels; black where NaN.
        crop: the contract.

    Returns:
        face (frame, row, col, channel).
    """
    face = np.zeros((len(rgb), crop.size, crop.size, 3), np.uint8)
    for number in np.flatnonzero(~np.isnan(crop_box).any(axis=1)).tolist():
        face[number] = _cut(rgb[number], crop_box[number].astype(float), crop.size)
    return face


def _cut(picture: NDArray[np.uint8], box: NDArray[np.floating], size: int) -> NDArray[np.uint8]:
    left, top, right, bottom = box
    fine = math.ceil(max(right - left, bottom - top, 1) / size)  # samples per pixel of the crop
    step = np.array([right - left, bottom - top]) / (fine * size)
    # OpenCV counts from the middle of the first pixel, boxes from its corner
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


def in_crop(
    landmark: NDArray[np.floating], crop_box: NDArray[np.floating], size: int
) -> NDArray[np.float32]:
    """Landmarks (frame, point, axis) in pixels of the crop, from its upper left corner."""
    corner = crop_box[:, None, :2]
    extent = crop_box[:, None, 2:] - corner
    return np.asarray((landmark - corner) / extent * size, np.float32)
