"""The 68 landmarks of a moving face, and their projection into the picture."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

from affectkit.datasets.synthetic.subject import MIRROR, NOSTRILS, Subject, depth

Points = NDArray[np.float64]
Movement = Mapping[str, float]

DISTANCE = 3.2  # of the viewer, in units of the face
LEFT_CORNER = {48: 1, 60: 1, 49: 0.55, 59: 0.5, 50: 0.15, 58: 0.12, 67: 0.3, 61: 0.3}
LOWERED = {66: 1, 67: 0.85, 65: 0.85, 57: 1, 58: 0.9, 56: 0.9, 59: 0.55, 55: 0.55,
           48: 0.25, 54: 0.25, 60: 0.25, 64: 0.25}  # fmt: skip
LIDS = ((37, 41), (38, 40), (43, 47), (44, 46))  # upper, lower


def landmarks(subject: Subject, movement: Movement) -> Points:
    """The true landmarks (point, axis) in pixels of the picture."""
    return project(subject, movement, deform(subject, movement))


def deform(subject: Subject, movement: Movement) -> Points:
    """The landmarks (point, axis) in units of the face, before the head turns."""
    points = subject.landmark.copy()
    _move_brows(points, movement)
    _move_lids(points, movement)
    _move_mouth(points, movement)
    _drop_jaw(points, movement["AU26"])
    return points


def _move_brows(points: Points, movement: Movement) -> None:
    brows = points[17:27]
    inner = np.array([0, 1, 2, 3, 4, 4, 3, 2, 1, 0]) / 4
    brows[:, 1] += movement["AU4"] * (0.018 + 0.042 * inner) - movement["AU5"] * 0.045
    brows[:, 0] -= np.sign(brows[:, 0]) * movement["AU4"] * 0.02 * inner


def _move_lids(points: Points, movement: Movement) -> None:
    for upper, lower in LIDS:
        points[upper, 1] += movement["AU4"] * 0.006 - movement["AU5"] * 0.040
        points[lower, 1] += movement["AU5"] * 0.008 - movement["AU12"] * 0.012
        closed = points[lower, 1] - 0.004
        points[upper, 1] += (closed - points[upper, 1]) * movement["blink"]


def _move_mouth(points: Points, movement: Movement) -> None:
    smile, frown = movement["AU12"], movement["AU15"]
    aside, down = smile * 0.050 - frown * 0.012, frown * 0.062 - smile * 0.066
    for left, share in LEFT_CORNER.items():
        points[left] += [-aside * share, down * share]
        points[MIRROR[left]] += [aside * share, down * share]
    points[[50, 51, 52, 56, 57, 58, 62, 66], 1] -= smile * 0.004
    points[NOSTRILS, 0] *= 1 + 0.05 * smile


def _drop_jaw(points: Points, drop: float) -> None:
    points[list(LOWERED), 1] += 0.17 * drop * np.array(list(LOWERED.values()))
    points[[48, 54, 60, 64], 0] *= 1 - 0.08 * drop
    near_chin = np.clip(1 - np.abs(np.arange(3, 14) - 8) / 5.5, 0, 1) ** 0.7
    points[3:14, 1] += 0.17 * 0.75 * drop * near_chin
    points[[61, 62, 63], 1] -= 0.01 * drop
    points[[50, 51, 52], 1] -= 0.008 * drop


def project(
    subject: Subject, movement: Movement, points: ArrayLike, towards: float | None = None
) -> Points:
    """Turn the head and project points (point, axis) of the face into pixels of the picture.

    `towards` is their depth towards the viewer in units of the face; by default they are on the
    surface of the face.
    """
    points = np.asarray(points, float)
    z = depth(points, subject.width) if towards is None else np.full(len(points), towards)
    x, z = _turn(points[:, 0], z + 0.1, movement["yaw"])
    z, y = _turn(z, points[:, 1], movement["pitch"])
    x, y = np.stack([x, y]) * (0.9 * DISTANCE / (DISTANCE - z))
    y, x = _turn(y, x, movement["roll"])
    shift = np.array([movement["right"], movement["down"]])
    return np.stack([x, y], axis=1) * subject.scale + subject.centre + shift * subject.scale


def _turn(a: Points, b: Points, angle: float) -> tuple[Points, Points]:
    return a * np.cos(angle) + b * np.sin(angle), b * np.cos(angle) - a * np.sin(angle)
