"""Which of the faces in a picture is the one: the one of the frame before, else the largest."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Boxes = NDArray[np.float32]
Detect = Callable[[NDArray[np.uint8]], tuple[NDArray[np.float32], NDArray[np.float32]]]

OVERLAP = 0.3  # intersection over union from which two boxes show the same face


def choose_face(boxes: Boxes, sure: NDArray[np.bool_], last: Boxes | None) -> int | None:
    """The number of the box to take, or None.

    Args:
        boxes: (face, edge) found in this picture.
        sure: (face) whether a box may be taken by itself; the others only where the last one was.
        last: (edge) taken before, or None.
    """
    if not len(boxes):
        return None
    if last is not None:
        overlap = _overlap(boxes, last)
        if overlap.max() > OVERLAP:
            return int(overlap.argmax())
    area = np.where(sure, (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1]), 0)
    return int(area.argmax()) if sure.any() else None


def _overlap(boxes: Boxes, last: Boxes) -> NDArray[np.float32]:
    both = np.concatenate(
        [np.maximum(boxes[:, :2], last[:2]), np.minimum(boxes[:, 2:], last[2:])], axis=1
    )
    shared = (both[:, 2:] - both[:, :2]).clip(0).prod(axis=1)
    areas = (boxes[:, 2:] - boxes[:, :2]).prod(axis=1) + (last[2:] - last[:2]).prod()
    return np.asarray(shared / (areas - shared), np.float32)
