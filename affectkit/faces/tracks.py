"""Face tracks, and the matching of boxes to faces.

Boxes (..., edge) are in source pixels: left, top, right, bottom.
"""

from array import array
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from affectkit.faces.detector import Boxes, Points, Scores
from affectkit.faces.embedding import Embedding
from affectkit.recording import POINTS

SAME_FACE = 0.3  # intersection over union above which two boxes show the same face


def _float_array() -> "array[float]":
    # grows in place: many small arrays would fragment the memory that pictures are allocated in
    return array("f")


@dataclass(eq=False)
class Track:
    """One face from its first frame to its last. A track ends at a shot cut at the latest."""

    frame: list[int] = field(default_factory=list)  # increasing; gaps where the face was lost
    embeddings: list[Embedding] = field(default_factory=list)  # of a few frames
    _box: "array[float]" = field(default_factory=_float_array)
    _landmark: "array[float]" = field(default_factory=_float_array)
    _score: "array[float]" = field(default_factory=_float_array)

    def extend(self, frame: Iterable[int], box: Boxes, landmark: Points, score: Scores) -> None:
        """Append frames: box (frame, edge), landmark (frame, point, axis) and score (frame)."""
        self.frame += frame
        self._box.frombytes(np.asarray(box, np.float32).tobytes())
        self._landmark.frombytes(np.asarray(landmark, np.float32).tobytes())
        self._score.frombytes(np.asarray(score, np.float32).tobytes())

    @property
    def box(self) -> NDArray[np.float32]:
        """Boxes (frame, edge)."""
        return np.array(self._box, np.float32).reshape(-1, 4)

    @property
    def landmark(self) -> NDArray[np.float32]:
        """Landmarks (frame, point, axis)."""
        return np.array(self._landmark, np.float32).reshape(-1, POINTS, 2)

    @property
    def score(self) -> Scores:
        """Scores of the detector (frame); NaN where it did not run."""
        return np.array(self._score, np.float32)

    @property
    def last_box(self) -> NDArray[np.float32]:
        """The box (edge) in the last frame of the track."""
        return np.array(self._box[-4:], np.float32)

    @property
    def last_landmark(self) -> NDArray[np.float32]:
        """The landmarks (point, axis) in the last frame of the track."""
        return np.array(self._landmark[-2 * POINTS :], np.float32).reshape(POINTS, 2)


@dataclass
class FaceTracks:
    """All face tracks of a video."""

    time: list[float] = field(default_factory=list)  # seconds, of each frame
    tracks: list[Track] = field(default_factory=list)  # in the order of their first frames
    possible_cuts: list[int] = field(
        default_factory=list
    )  # increasing frames that may begin a shot


def box_area(boxes: NDArray[np.float32]) -> NDArray[np.float32]:
    """Area of each box in square pixels."""
    return np.asarray((boxes[..., 2:] - boxes[..., :2]).prod(axis=-1))


def intersection_over_union(boxes: Boxes, others: Boxes) -> NDArray[np.float32]:
    """Intersection over union of each of `boxes` with each of `others`, (box, other)."""
    one, two = np.asarray(boxes)[:, None], np.asarray(others)[None]
    extent = np.minimum(one[..., 2:], two[..., 2:]) - np.maximum(one[..., :2], two[..., :2])
    shared = extent.clip(0).prod(axis=-1)
    union = box_area(boxes)[:, None] + box_area(others) - shared
    return np.asarray(shared / np.maximum(union, 1e-6), np.float32)


def match_boxes(expected: Boxes, boxes: Boxes) -> dict[int, int]:
    """Match boxes to expected boxes that show the same face, the largest overlap first.

    Returns:
        For the index of each matched box, the index of its expected box.
    """
    overlap, matches = intersection_over_union(expected, boxes), {}
    while overlap.max(initial=0) > SAME_FACE:
        row, column = np.unravel_index(overlap.argmax(), overlap.shape)
        matches[int(column)] = int(row)
        overlap[row], overlap[:, column] = 0, 0
    return matches


def new_faces(boxes: Boxes, confident: NDArray[np.bool_], matched: Collection[int]) -> list[int]:
    """Indices of the confident boxes that overlap neither a matched box nor each other."""
    taken = [*matched]
    for index in np.flatnonzero(confident):
        if index in taken:
            continue
        if not (intersection_over_union(boxes[[index]], boxes[taken]) > SAME_FACE).any():
            taken.append(int(index))
    return taken[len(matched) :]
