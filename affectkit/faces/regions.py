"""Masks of facial regions in a crop, from the 68 landmarks.

Points: 0-16 jaw line, 17-26 brows, 27-35 nose, 36-47 eyes, 48-67 mouth. Where two regions overlap,
the pixel belongs to the one that is earlier in `REGION`. All other pixels are background, also the
forehead, which has no landmarks.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from affectkit.recording import to_crop_coordinates

REGION = ("brows", "eyes", "nose", "mouth", "cheeks", "jaw", "background")

EYES = (slice(36, 42), slice(42, 48))
CHEEKS = (
    [1, 2, 3, 4, 48, 31, 28, 39, 40, 41, 36],
    [15, 14, 13, 12, 54, 35, 28, 42, 47, 46, 45],
)
JAW = [4, 5, 6, 7, 8, 9, 10, 11, 12, 54, 35, 34, 33, 32, 31, 48]
BROW_HEIGHT = 0.07  # half the height, relative to the distance of the outer corners of the eyes
EYE_GROWTH, MOUTH_GROWTH = 1.5, 1.15  # lids and lips extend beyond the points
FRACTION = 4  # bits of sub-pixel coordinates in OpenCV


def region_masks(
    landmark: NDArray[np.floating], crop_box: NDArray[np.floating], size: int
) -> NDArray[np.bool_]:
    """Compute the mask of each region in the crop.

    Args:
        landmark: (frame, point, axis) in source pixels.
        crop_box: (frame, edge) in source pixels.
        size: side of the crop in pixels.

    Returns:
        Masks (frame, region, row, col). Each pixel belongs to exactly one region; all masks are
        False in frames where landmark or crop_box is NaN.
    """
    points = to_crop_coordinates(landmark, crop_box, size)
    masks = np.zeros((len(points), len(REGION), size, size), bool)
    for number in np.flatnonzero(np.isfinite(points).all(axis=(1, 2))):
        masks[number] = _labels(points[number], size) == np.arange(len(REGION))[:, None, None]
    return masks


def _labels(points: NDArray[np.float32], size: int) -> NDArray[np.uint8]:
    labels = np.full((size, size), REGION.index("background"), np.uint8)
    polygons = {
        "jaw": [points[JAW]],
        "cheeks": [points[cheek] for cheek in CHEEKS],
        "mouth": [_scale(points[48:60], MOUTH_GROWTH)],
        "nose": [_hull(points[27:36])],
        "eyes": [_scale(points[eye], EYE_GROWTH) for eye in EYES],
        "brows": [_brows(points)],
    }
    for name, shapes in polygons.items():  # later polygons overwrite earlier ones
        for shape in shapes:
            _fill(labels, shape, REGION.index(name))
    return labels


def _brows(points: NDArray[np.float32]) -> NDArray[np.float32]:
    """A band along both brows and across the bridge of the nose between them."""
    up = points[27] - points[8]
    up = up / max(float(np.linalg.norm(up)), 1e-6)
    reach = up * BROW_HEIGHT * np.linalg.norm(points[36] - points[45])
    return np.concatenate([points[17:27] + reach, points[26:16:-1] - reach], dtype=np.float32)


def _scale(points: NDArray[np.float32], factor: float) -> NDArray[np.float32]:
    middle = points.mean(axis=0)
    return np.asarray(middle + (points - middle) * factor, np.float32)


def _hull(points: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(cv2.convexHull(points)[:, 0], np.float32)


def _fill(labels: NDArray[np.uint8], shape: NDArray[np.float32], label: int) -> None:
    # OpenCV counts from the centre of the first pixel
    corners = np.round((shape - 0.5) * 2**FRACTION).astype(np.int32)
    cv2.fillPoly(labels, [corners], label, shift=FRACTION)
