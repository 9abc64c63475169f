"""Single pictures of drawn people, for the layouts that hold no videos."""

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from affectkit.datasets.synthetic.landmarks import landmarks
from affectkit.datasets.synthetic.movement import MOVEMENT
from affectkit.datasets.synthetic.plan import Scene
from affectkit.files import beside


def write_picture(path: Path, rgb: NDArray[np.uint8]) -> None:
    """Write a picture in the format that the suffix names; one that is there stays."""
    if not path.is_file():
        _, content = cv2.imencode(path.suffix, cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR))
        with beside(path) as partial:
            partial.write_bytes(content.tobytes())


def true_landmarks(scene: Scene, decimals: int) -> NDArray[np.float64]:
    """The true landmarks (frame, point, axis) of all pictures, rounded as a file has them."""
    rows = (dict(zip(MOVEMENT, values, strict=True)) for values in scene.movement.tolist())
    return np.array([landmarks(scene.person, row) for row in rows]).round(decimals)
