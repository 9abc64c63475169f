"""Propagation of boxes and landmarks from frame to frame without the face detector.

The landmarks are fitted in a box around the landmarks of the frame before. The size of the box and
its offset from the mean of the landmarks are interpolated between two detections, so errors do not
add up from frame to frame.
"""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from affectkit.faces.detector import Boxes, Picture, Points
from affectkit.faces.embedding import face_thumbnail, similarity


def propagate(
    landmarks: Callable[[Picture, Boxes], Points],
    pictures: Sequence[Picture],
    begin: tuple[Boxes, Points],
    end: tuple[Boxes, Points],
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Propagate faces through consecutive pictures.

    Args:
        landmarks: this function of a `Detector`.
        pictures: each (row, col, channel).
        begin: boxes (face, edge) and points (face, point, axis) in the picture before the first.
        end: detected boxes and their points in the last picture.

    Returns:
        box (frame, face, edge) and points (frame, face, point, axis).
    """
    (offset, size), (end_offset, end_size) = _offset_and_size(*begin), _offset_and_size(*end)
    points, all_boxes, all_points = begin[1], [], []
    for number, picture in enumerate(pictures, start=1):
        share = np.float32(number / len(pictures))
        shape = offset + share * (end_offset - offset), size + share * (end_size - size)
        points = landmarks(picture, _box_around(points, *shape))
        all_boxes.append(_box_around(points, *shape))
        all_points.append(points)
    return np.stack(all_boxes), np.stack(all_points)


def _offset_and_size(
    boxes: Boxes, points: Points
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Offset of the boxes' centres from the mean of their points, and sizes, both (face, axis)."""
    return (boxes[:, :2] + boxes[:, 2:]) / 2 - points.mean(axis=1), boxes[:, 2:] - boxes[:, :2]


def _box_around(points: Points, offset: NDArray[np.float32], size: NDArray[np.float32]) -> Boxes:
    centre = points.mean(axis=1) + offset
    return np.hstack([centre - size / 2, centre + size / 2]).astype(np.float32)


def is_same_face(
    pictures: Sequence[Picture], points: NDArray[np.float32], min_similarity: float
) -> bool:
    """Whether a face looks the same in consecutive pictures.

    Args:
        pictures: each (row, col, channel).
        points: the landmarks (frame, point, axis) in these pictures.
        min_similarity: `similarity` of the first with the last picture, or otherwise of each
            picture with the next one, must be above this.
    """
    ends = [face_thumbnail(pictures[index], points[index]) for index in (0, -1)]
    if similarity(ends)[0, 1] > min_similarity:
        return True
    thumbnails = [face_thumbnail(*each) for each in zip(pictures, points, strict=True)]
    return bool((np.diag(similarity(thumbnails), k=1) > min_similarity).all())
