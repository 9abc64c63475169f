"""The latest frames of a video during tracking: pictures, detections and possible shot cuts.

A shot cut is possible where the picture changes suddenly, and more than in the frames around. A
screen in the picture or a flash has the same effect, so tracking decides for each face whether it
is the same before and after.
"""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from affectkit.faces.detector import Boxes, Detector, Picture, Scores, detect_near

THUMBNAIL_SIZE = 16  # pixels
MIN_CHANGE = 6.0  # grey levels
MIN_RATIO = 3.0  # of a change to the median of the changes around it
NEIGHBOURS = 2  # frames before and after a change that it is compared with

Detections = tuple[Boxes, Scores]  # as `Detector.detect` returns them


class FrameBuffer:
    """Pictures that are still needed, and what the detector found in them."""

    def __init__(self, detector: Detector) -> None:
        """Create an empty buffer."""
        self.detector = detector
        self.changes: list[float] = []  # of each frame's thumbnail from the frame before
        self._pictures: dict[int, Picture] = {}
        self._detections: dict[int, Detections] = {}
        self._last_thumbnail: NDArray[np.float32] | None = None

    def add(self, picture: Picture) -> None:
        """Append the picture of the next frame."""
        thumbnail = frame_thumbnail(picture)
        before = thumbnail if self._last_thumbnail is None else self._last_thumbnail
        self._pictures[len(self.changes)] = picture
        self.changes.append(float(np.abs(thumbnail - before).mean()))
        self._last_thumbnail = thumbnail

    def drop_before(self, frame: int) -> None:
        """Free the pictures of all frames before `frame`."""
        for number in [number for number in self._pictures if number < frame]:
            del self._pictures[number]
            self._detections.pop(number, None)

    def pictures(self, first: int, last: int) -> list[Picture]:
        """The pictures from frame `first` to frame `last`, both included."""
        return [self._pictures[frame] for frame in range(first, last + 1)]

    def detect(self, frame: int) -> Detections:
        """Detect the faces of a frame. The result is kept, so the detector runs once a frame."""
        if frame not in self._detections:
            self._detections[frame] = self.detector.detect(self._pictures[frame])
        return self._detections[frame]

    def detect_near(self, frame: int, expected: Boxes) -> Detections:
        """As `detect`, but search only around the `expected` boxes (face, edge)."""
        if frame not in self._detections:
            picture = self._pictures[frame]
            self._detections[frame] = detect_near(self.detector, picture, expected)
        return self._detections[frame]

    def is_possible_cut(self, frame: int) -> bool:
        """Whether a shot may begin at `frame`."""
        return is_possible_cut(self.changes, frame)


def frame_thumbnail(picture: Picture) -> NDArray[np.float32]:
    """Shrink a picture (row, col, channel) to a few pixels."""
    step = max(1, min(picture.shape[:2]) // (4 * THUMBNAIL_SIZE))
    thinned = np.ascontiguousarray(picture[::step, ::step])
    size = (THUMBNAIL_SIZE, THUMBNAIL_SIZE)
    return np.asarray(cv2.resize(thinned, size, interpolation=cv2.INTER_AREA), np.float32)


def is_possible_cut(changes: Sequence[float], frame: int) -> bool:
    """Whether a shot may begin at `frame`.

    Args:
        changes: (frame) mean absolute difference of each thumbnail from the one before, in grey
            levels; up to `NEIGHBOURS` frames after `frame`, or to the end of the video.
        frame: its number.
    """
    if frame < 1 or changes[frame] < MIN_CHANGE:
        return False
    first = max(frame - NEIGHBOURS, 1)
    others = [*changes[first:frame], *changes[frame + 1 : frame + NEIGHBOURS + 1]]
    return not others or changes[frame] > MIN_RATIO * float(np.median(others))
