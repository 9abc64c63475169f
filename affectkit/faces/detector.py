"""The detector interface, and detection in one picture or in a part of it."""

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from affectkit.recording import POINTS

Picture = NDArray[np.uint8]  # (row, col, channel), RGB
Boxes = NDArray[np.float32]  # (face, edge) in source pixels: left, top, right, bottom
Points = NDArray[np.float32]  # (face, point, axis) in source pixels
Scores = NDArray[np.float32]  # (face); the unit is that of the detector

MAX_FACE_WIDTH = 160  # pixels; `detect_near` shrinks the picture until the smallest face has this


@dataclass(frozen=True)
class Detector:
    """Two functions on one picture. Both are deterministic and keep no state between pictures."""

    detect: Callable[[Picture], tuple[Boxes, Scores]]
    """Returns boxes (face, edge) and their scores (face)."""
    landmarks: Callable[[Picture, Boxes], Points]
    """Returns the 68 points (face, point, axis) in each box (face, edge)."""
    confident_score: float = 0.0
    """The detector is confident of boxes with a higher score. Others count only where a face is
    expected."""

    def is_confident(self, score: Scores) -> NDArray[np.bool_]:
        """For each score (face), whether the detector is confident of the box."""
        return np.asarray(score > self.confident_score)


def largest_face(detector: Detector, picture: Picture) -> tuple[Boxes, Points, float]:
    """Detect the largest face: box (edge), points (point, axis), score; NaN if there is no face."""
    boxes, score = detector.detect(picture)
    confident = detector.is_confident(score)
    boxes, score = boxes[confident], score[confident]
    if not len(boxes):
        nothing = np.full((POINTS, 2), np.nan, np.float32)
        return np.full(4, np.nan, np.float32), nothing, np.nan
    largest = (boxes[:, 2:] - boxes[:, :2]).prod(axis=1).argmax()
    return boxes[largest], detector.landmarks(picture, boxes[[largest]])[0], float(score[largest])


def detect_near(detector: Detector, picture: Picture, expected: Boxes) -> tuple[Boxes, Scores]:
    """Detect faces at most one face width away from where they are expected.

    Only that part of the picture is searched, and it is reduced in size if the faces are large: the
    detection time grows with the number of pixels.

    Args:
        detector: the face detector.
        picture: (row, col, channel).
        expected: boxes (face, edge), at least one.

    Returns:
        boxes (face, edge) in pixels of the whole picture, and scores (face).
    """
    width = expected[:, 2:] - expected[:, :2]
    edge = np.array(picture.shape[1::-1])
    low = np.floor((expected[:, :2] - width).min(axis=0)).clip(0, edge - 1).astype(int)
    high = np.ceil((expected[:, 2:] + width).max(axis=0)).clip(low + 1, edge).astype(int)
    part = picture[low[1] : high[1], low[0] : high[0]]
    scale = min(1.0, MAX_FACE_WIDTH / max(float(width.min()), 1.0))
    size = np.maximum(np.round((high - low) * scale), 1).astype(int)
    if scale < 1:
        resized = cv2.resize(part, size.tolist(), interpolation=cv2.INTER_AREA)
        part = np.asarray(resized, np.uint8)
    boxes, score = detector.detect(part)
    in_picture = boxes * np.tile((high - low) / size, 2) + np.tile(low, 2)
    return in_picture.astype(np.float32), score
