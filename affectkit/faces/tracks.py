"""What is kept of a face that is followed through a video."""

from array import array
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from affectkit.faces.detector import Boxes, Points
from affectkit.faces.looks import Look
from affectkit.recording import POINTS


def _floats() -> "array[float]":
    # grows in place: many small arrays would scatter over the memory that pictures come and go in
    return array("f")


@dataclass(eq=False)
class Track:
    """One face from when it comes to when it goes, not further than a cut."""

    frame: list[int] = field(default_factory=list)  # rising; gaps where the face was lost
    looks: list[Look] = field(default_factory=list)
    _box: "array[float]" = field(default_factory=_floats)
    _landmark: "array[float]" = field(default_factory=_floats)

    def extend(self, frame: Iterable[int], box: Boxes, landmark: Points) -> None:
        """Go on by some frames: box (frame, edge) and landmark (frame, point, axis)."""
        self.frame += frame
        self._box.frombytes(np.asarray(box, np.float32).tobytes())
        self._landmark.frombytes(np.asarray(landmark, np.float32).tobytes())

    @property
    def box(self) -> NDArray[np.float32]:
        """(frame, edge)."""
        return np.array(self._box, np.float32).reshape(-1, 4)

    @property
    def landmark(self) -> NDArray[np.float32]:
        """(frame, point, axis)."""
        return np.array(self._landmark, np.float32).reshape(-1, POINTS, 2)

    @property
    def last_box(self) -> NDArray[np.float32]:
        """(edge), where the face was seen last."""
        return np.array(self._box[-4:], np.float32)

    @property
    def last_landmark(self) -> NDArray[np.float32]:
        """(point, axis), where the face was seen last."""
        return np.array(self._landmark[-2 * POINTS :], np.float32).reshape(POINTS, 2)


@dataclass
class Followed:
    """What is known of a video's faces."""

    time: list[float] = field(default_factory=list)  # seconds, of each frame
    tracks: list[Track] = field(default_factory=list)
    suspects: list[int] = field(default_factory=list)  # frames that may begin a shot, rising
