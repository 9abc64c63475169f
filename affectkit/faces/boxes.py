"""Boxes (..., edge) in source pixels: left, top, right, bottom."""

from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray

from affectkit.faces.detector import Boxes

SAME = 0.3  # intersection over union from which two boxes show the same face


def area(boxes: NDArray[np.float32]) -> NDArray[np.float32]:
    """In pixels, one for each box."""
    return np.asarray((boxes[..., 2:] - boxes[..., :2]).prod(axis=-1))


def overlap(boxes: Boxes, others: Boxes) -> NDArray[np.float32]:
    """Intersection over union of each of `boxes` with each of `others`, (box, other)."""
    one, two = np.asarray(boxes)[:, None], np.asarray(others)[None]
    extent = np.minimum(one[..., 2:], two[..., 2:]) - np.maximum(one[..., :2], two[..., :2])
    shared = extent.clip(0).prod(axis=-1)
    whole = area(boxes)[:, None] + area(others) - shared
    return np.asarray(shared / np.maximum(whole, 1e-6), np.float32)


def pair(expected: Boxes, boxes: Boxes) -> dict[int, int]:
    """Which of the `boxes` lies on which of the `expected`: box to expected, closest first."""
    shared, pairs = overlap(expected, boxes), {}
    while shared.max(initial=0) > SAME:
        row, number = np.unravel_index(shared.argmax(), shared.shape)
        pairs[int(number)] = int(row)
        shared[row], shared[:, number] = 0, 0
    return pairs


def fresh_boxes(boxes: Boxes, sure: NDArray[np.bool_], pairs: Collection[int]) -> list[int]:
    """The boxes that show faces not followed yet: sure ones that lie on no other."""
    taken = [*pairs]
    for number in np.flatnonzero(sure):
        if number not in taken and not (overlap(boxes[[number]], boxes[taken]) > SAME).any():
            taken.append(int(number))
    return taken[len(pairs) :]
