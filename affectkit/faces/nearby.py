"""Look for faces where they are expected: in a part of the picture, and in a smaller one.

A detector's time grows with the pixels that it looks at. A large face needs few of them.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from affectkit.faces.detector import Boxes, Detector, Picture

ENOUGH = 160  # pixels that the smallest face expected is wide at most


def find_near(
    detector: Detector, picture: Picture, expected: Boxes
) -> tuple[Boxes, NDArray[np.bool_]]:
    """Find faces no further than their own width from where they are expected.

    Args:
        detector: finds faces.
        picture: (row, col, channel).
        expected: (face, edge), at least one.

    Returns:
        box (face, edge) in the whole picture, and (face) whether it is surely a face.
    """
    width = expected[:, 2:] - expected[:, :2]
    edge = np.array(picture.shape[1::-1])
    low = np.floor((expected[:, :2] - width).min(axis=0)).clip(0, edge - 1).astype(int)
    high = np.ceil((expected[:, 2:] + width).max(axis=0)).clip(low + 1, edge).astype(int)
    part = picture[low[1] : high[1], low[0] : high[0]]
    scale = min(1.0, ENOUGH / max(float(width.min()), 1.0))
    size = np.maximum(np.round((high - low) * scale), 1).astype(int)
    if scale < 1:
        resized = cv2.resize(part, size.tolist(), interpolation=cv2.INTER_AREA)
        part = np.asarray(resized, np.uint8)
    boxes, sure = detector.find(part)
    grown = boxes * np.tile((high - low) / size, 2) + np.tile(low, 2)
    return grown.astype(np.float32), sure
