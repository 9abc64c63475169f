"""Shot cuts: moments where the picture changes at once, and more than just before and after.

Such a moment is only suspected of being a cut: a screen in the picture or a flash does the same. It
ends the track of a face that is not there on both sides; `tracking` decides that face by face.
"""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

SIDE = 16  # pixels of a thumbnail
LEAST = 6.0  # grey levels
TIMES = 3.0  # as much as the median of the changes around
AROUND = 2  # frames on either side


def thumbnail(picture: NDArray[np.uint8]) -> NDArray[np.float32]:
    """The picture (row, col, channel) in few pixels."""
    step = max(1, min(picture.shape[:2]) // (4 * SIDE))
    thinned = np.ascontiguousarray(picture[::step, ::step])
    small = cv2.resize(thinned, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.float32)


def is_suspect(changes: Sequence[float], frame: int) -> bool:
    """Whether there may be a cut between `frame` and the one before.

    Args:
        changes: (frame) how far each thumbnail is from the one before, mean over its grey levels;
            known up to `AROUND` frames after `frame`, or to the end.
        frame: its number.
    """
    if frame < 1 or changes[frame] < LEAST:
        return False
    first = max(frame - AROUND, 1)
    others = [*changes[first:frame], *changes[frame + 1 : frame + AROUND + 1]]
    return not others or changes[frame] > TIMES * float(np.median(others))
