"""The frames of a drawn video, as a camera sees them."""

from collections.abc import Iterator

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from affectkit.datasets.synthetic.drawing import draw
from affectkit.datasets.synthetic.movement import MOVEMENT
from affectkit.datasets.synthetic.plan import Scene

SENSOR_NOISE = 3.0  # grey levels
NOISE_PICTURES = 8


def film(scene: Scene, fps: float) -> Iterator[tuple[float, NDArray[np.uint8]]]:
    """The frames as a camera sees them: time in seconds and rgb (row, col, channel)."""
    noise = _draw_noise(scene.noise, scene.person.size)
    order = scene.noise.integers(len(noise), size=len(scene.movement))
    for frame, values in enumerate(scene.movement):
        picture = draw(scene.person, dict(zip(MOVEMENT, values, strict=True)))
        yield frame / fps, np.asarray(cv2.add(picture, noise[order[frame]], dtype=cv2.CV_8U))


def _draw_noise(rng: Generator, size: int) -> NDArray[np.int16]:
    noise = rng.normal(0, SENSOR_NOISE, (NOISE_PICTURES, size, size, 3))
    return np.clip(noise, -4 * SENSOR_NOISE, 4 * SENSOR_NOISE).astype(np.int16)
