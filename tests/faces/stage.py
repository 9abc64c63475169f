"""Puts pictures onto a wide stage, and says who of those found is who of those drawn."""

import numpy as np

from affectkit.faces.people import Person
from tests.faces.conftest import FPS, SIDE

HEIGHT, WIDTH = 208, 480
LEFT, RIGHT = 8, 280  # where a picture begins


def empty(frames: int) -> np.ndarray:
    """A stage with a little noise, (frame, row, col, channel)."""
    noise = np.random.default_rng(0).integers(90, 100, (HEIGHT, WIDTH, 3), np.uint8)
    return np.tile(noise, (frames, 1, 1, 1))


def put(stage: np.ndarray, rgb: np.ndarray, left: int, first: int = 0) -> None:
    """Show pictures from frame `first` on."""
    shown = stage[first : first + len(rgb)]
    shown[:, 8 : 8 + rgb.shape[1], left : left + rgb.shape[2]] = rgb[: len(shown)]


def batches(stage: np.ndarray, size: int = 16) -> list[tuple[np.ndarray, np.ndarray]]:
    time = np.arange(len(stage)) / FPS
    return [(time[n : n + size], stage[n : n + size]) for n in range(0, len(stage), size)]


def places(person: Person) -> np.ndarray:
    """(frame): "L" or "R" for the side of the stage where the face is, "-" for none."""
    middle = person.landmark.mean(axis=(1, 2))
    side = np.where(person.landmark[:, :, 0].mean(axis=1) < WIDTH / 2, "L", "R")
    return np.where(np.isnan(middle), "-", side)


def truth(landmark: np.ndarray, left: int) -> np.ndarray:
    """Points of a picture on the stage."""
    return landmark + np.float32([left, 8])


__all__ = ["FPS", "SIDE", "batches", "empty", "places", "put", "truth"]
