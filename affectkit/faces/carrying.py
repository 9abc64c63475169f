"""Carry boxes and points of faces from frame to frame, without a detector.

A box follows the centre of its points. Its size and its offset from that centre go evenly from
those at one detection to those at the next, so that nothing builds up from fit to fit.
"""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from affectkit.faces.detector import Boxes, Picture, Points

Fit = Callable[[Picture, Boxes], Points]


def carry(
    fit: Fit, pictures: Sequence[Picture], begin: tuple[Boxes, Points], end: tuple[Boxes, Points]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Fit the points in one picture after the other.

    Args:
        fit: of a detector.
        pictures: each (row, col, channel), following one another.
        begin: box (face, edge) and points (face, point, axis) in the picture before the first.
        end: the same in the last picture, as the detector found them there.

    Returns:
        box (frame, face, edge) and points (frame, face, point, axis).
    """
    (offset, size), (end_offset, end_size) = _relation(*begin), _relation(*end)
    points, boxes, path = begin[1], [], []
    for number, picture in enumerate(pictures, start=1):
        share = np.float32(number / len(pictures))
        between = [
            one + share * (two - one) for one, two in ((offset, end_offset), (size, end_size))
        ]
        points = fit(picture, _box(points, *between))
        boxes.append(_box(points, *between))
        path.append(points)
    return np.stack(boxes), np.stack(path)


def _relation(boxes: Boxes, points: Points) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Where boxes lie from the centres of their points, and their sizes, both (face, axis)."""
    return (boxes[:, :2] + boxes[:, 2:]) / 2 - points.mean(axis=1), boxes[:, 2:] - boxes[:, :2]


def _box(points: Points, offset: NDArray[np.float32], size: NDArray[np.float32]) -> Boxes:
    centre = points.mean(axis=1) + offset
    return np.hstack([centre - size / 2, centre + size / 2]).astype(np.float32)
