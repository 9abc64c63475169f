"""Scenes for tracking tests: pictures of synthetic subjects pasted onto a wide background."""

import numpy as np

from affectkit.faces.people import Person
from tests.faces.conftest import FPS, SIDE

HEIGHT, WIDTH = 208, 480
TOP = 8  # first row of a pasted picture
LEFT, RIGHT = 8, 280  # first column of a pasted picture


def blank(frames: int) -> np.ndarray:
    """A background with a little noise, (frame, row, col, channel)."""
    noise = np.random.default_rng(0).integers(90, 100, (HEIGHT, WIDTH, 3), np.uint8)
    return np.tile(noise, (frames, 1, 1, 1))


def paste(scene: np.ndarray, rgb: np.ndarray, left: int, first: int = 0) -> None:
    """Paste pictures into the scene from frame `first` on."""
    shown = scene[first : first + len(rgb)]
    shown[:, TOP : TOP + rgb.shape[1], left : left + rgb.shape[2]] = rgb[: len(shown)]


def batches(scene: np.ndarray, size: int = 16) -> list[tuple[np.ndarray, np.ndarray]]:
    """Times and pictures in batches, as from `read_frames`."""
    time = np.arange(len(scene)) / FPS
    return [(time[n : n + size], scene[n : n + size]) for n in range(0, len(scene), size)]


def sides(person: Person) -> np.ndarray:
    """(frame): "L" or "R" for the side of the scene where the face is, "-" for no face."""
    middle = person.landmark.mean(axis=(1, 2))
    side = np.where(person.landmark[:, :, 0].mean(axis=1) < WIDTH / 2, "L", "R")
    return np.where(np.isnan(middle), "-", side)


def to_scene(landmark: np.ndarray, left: int) -> np.ndarray:
    """Convert points of a pasted picture to coordinates of the scene."""
    return landmark + np.float32([left, TOP])


__all__ = ["FPS", "SIDE", "batches", "blank", "paste", "sides", "to_scene"]
