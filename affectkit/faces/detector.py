"""What a detector is: two functions, one that finds faces and one that finds their points."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from affectkit.recording import POINTS

Picture = NDArray[np.uint8]  # (row, col, channel), RGB
Boxes = NDArray[np.float32]  # (face, edge) in source pixels: left, top, right, bottom
Points = NDArray[np.float32]  # (face, point, axis) in source pixels


@dataclass(frozen=True)
class Detector:
    """Both functions take one picture, remember nothing and give the same for the same."""

    find: Callable[[Picture], tuple[Boxes, NDArray[np.bool_]]]
    """Candidates: box (face, edge), and (face) whether it is surely a face; the others count only
    where a face is expected."""
    fit: Callable[[Picture, Boxes], Points]
    """The 68 points (face, point, axis) in each box (face, edge)."""


def largest_face(detector: Detector, picture: Picture) -> tuple[Boxes, Points]:
    """The largest face of a picture by itself: box (edge) and points (point, axis); NaN if none."""
    boxes, sure = detector.find(picture)
    boxes = boxes[sure]
    if not len(boxes):
        return np.full(4, np.nan, np.float32), np.full((POINTS, 2), np.nan, np.float32)
    largest = boxes[[(boxes[:, 2:] - boxes[:, :2]).prod(axis=1).argmax()]]
    return largest[0], detector.fit(picture, largest)[0]
