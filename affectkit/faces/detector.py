"""What a detector is: two functions, one that finds faces and one that finds their points."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

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

    def __call__(self, rgb: NDArray[np.uint8]) -> tuple[Boxes, Points]:
        """The largest face of each picture."""
        box = np.full((len(rgb), 4), np.nan, np.float32)
        landmark = np.full((len(rgb), 68, 2), np.nan, np.float32)
        for number, picture in enumerate(rgb):
            boxes, sure = self.find(picture)
            if len(boxes := boxes[sure] if sure.any() else boxes):
                best = (boxes[:, 2:] - boxes[:, :2]).prod(axis=1).argmax()
                box[number], landmark[number] = (
                    boxes[best],
                    self.fit(picture, boxes[best : best + 1])[0],
                )
        return box, landmark
