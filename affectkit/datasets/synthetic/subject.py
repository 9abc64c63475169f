"""The appearance of synthetic subjects: everything that does not move, chosen at random per video.

The mean face has 68 landmarks (point, axis) from the template of OpenFace (Apache-2.0), made
symmetric. x points right, y down. The unit is about the width of the face, and the origin is
between the eyes and the nose. The order is the usual one: jaw, brows, nose, eyes, outer lip, inner
lip.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

Array = NDArray[np.float64]

# fmt: off
MEAN_FACE = np.array([
    (-0.446, -0.1693), (-0.4438, -0.0506), (-0.4322, 0.0689), (-0.4086, 0.1867),
    (-0.3631, 0.2964), (-0.2923, 0.3927), (-0.2062, 0.4747), (-0.1095, 0.5416),
    (0, 0.5608), (0.1095, 0.5416), (0.2062, 0.4747), (0.2923, 0.3927),
    (0.3631, 0.2964), (0.4086, 0.1867), (0.4322, 0.0689), (0.4438, -0.0506),
    (0.446, -0.1693), (-0.3535, -0.2578), (-0.2977, -0.3015), (-0.2231, -0.3126),
    (-0.1463, -0.3002), (-0.0736, -0.2694), (0.0736, -0.2694), (0.1463, -0.3002),
    (0.2231, -0.3126), (0.2977, -0.3015), (0.3535, -0.2578), (0, -0.1814),
    (0, -0.1038), (0, -0.0262), (0, 0.0532), (-0.0867, 0.1028),
    (-0.0452, 0.1198), (0, 0.1343), (0.0452, 0.1198), (0.0867, 0.1028),
    (-0.2652, -0.1738), (-0.2187, -0.2013), (-0.1617, -0.2003), (-0.1138, -0.1636),
    (-0.1662, -0.1531), (-0.2218, -0.1538), (0.1138, -0.1636), (0.1617, -0.2003),
    (0.2187, -0.2013), (0.2652, -0.1738), (0.2218, -0.1538), (0.1662, -0.1531),
    (-0.1732, 0.2428), (-0.1103, 0.2174), (-0.0461, 0.2061), (0, 0.2171),
    (0.0461, 0.2061), (0.1103, 0.2174), (0.1732, 0.2428), (0.1128, 0.3076),
    (0.05, 0.3365), (0, 0.3417), (-0.05, 0.3365), (-0.1128, 0.3076),
    (-0.1462, 0.2471), (-0.0466, 0.2442), (0, 0.2489), (0.0466, 0.2442),
    (0.1462, 0.2471), (0.0475, 0.2775), (0, 0.2834), (-0.0475, 0.2775),
])
# the same landmark on the other side of the face
MIRROR = np.array([
    *range(16, -1, -1), *range(26, 16, -1), 27, 28, 29, 30, 35, 34, 33, 32, 31,
    45, 44, 43, 42, 47, 46, 39, 38, 37, 36, 41, 40,
    54, 53, 52, 51, 50, 49, 48, 59, 58, 57, 56, 55, 64, 63, 62, 61, 60, 67, 66, 65,
])
# fmt: on

EYES = (np.arange(36, 42), np.arange(42, 48))
BROWS = (np.arange(17, 22), np.arange(22, 27))
NOSE = np.arange(27, 36)
NOSTRILS = np.arange(31, 36)
MOUTH = np.arange(48, 68)
INNER_LIP = np.arange(60, 68)
UPPER_LIP = ([48, 49, 50, 51, 52, 53, 54], [64, 63, 62, 61, 60])
LOWER_LIP = ([54, 55, 56, 57, 58, 59, 48], [60, 67, 66, 65, 64])

# colours are red, green, blue
SKINS = np.array([[238, 208, 190], [228, 190, 165], [215, 170, 140], [192, 142, 110],
                  [165, 115, 85], [132, 88, 62]], float)  # fmt: skip
HAIRS = np.array([[35, 28, 25], [80, 55, 40], [55, 40, 30], [185, 140, 90],
                  [140, 85, 60], [135, 130, 130]], float)  # fmt: skip
IRISES = np.array([[120, 90, 60], [70, 110, 130], [85, 60, 40], [90, 120, 80],
                   [70, 50, 35]], float)  # fmt: skip

SHADE_REACH = 0.8  # the shading map covers [-0.8, 0.8] on both axes


@dataclass(frozen=True, eq=False)
class Subject:
    """Shape, colours (red, green, blue) and background of one synthetic subject."""

    size: int  # of the picture, in pixels
    scale: float  # pixels per unit of the face
    centre: Array  # (axis) position of the face at rest, in pixels
    width: float
    landmark: Array  # (point, axis) at rest, in units of the face
    skin: Array
    lip: Array
    hair: Array
    brow: Array
    iris: Array
    clothes: Array
    brow_thickness: float
    hair_height: float
    fringe: float
    long_hair: bool
    glasses: bool
    strands: Array  # (strand, [place, bend, tone])
    background: NDArray[np.uint8]  # (row, col, channel)
    shade: NDArray[np.float32]  # (row, col, channel) factor on the skin colour, in face coordinates


def random_subject(rng: Generator, size: int) -> Subject:
    """A random subject, for pictures of `size` x `size` pixels."""
    width = rng.uniform(0.93, 1.05)
    landmark = _random_shape(rng, width)
    skin = _between(SKINS, rng.uniform(0, len(SKINS) - 1))
    hair = rng.choice(HAIRS) * rng.uniform(0.8, 1.2)
    return Subject(
        size=size,
        scale=size * rng.uniform(0.44, 0.54),
        centre=size * (np.array([0.5, 0.53]) + rng.uniform(-1, 1, 2) * [0.05, 0.02]),
        width=width,
        landmark=landmark,
        skin=skin,
        lip=np.clip(skin * [0.82, 0.62, 0.66] + [14, 0, 8], 0, 255),
        hair=hair,
        brow=np.minimum(hair * (0.75 if hair.mean() < 120 else 0.55), skin * 0.6),
        iris=rng.choice(IRISES),
        clothes=rng.uniform(50, 190) + rng.uniform(-40, 40, 3),
        brow_thickness=rng.uniform(0.028, 0.05),
        hair_height=rng.uniform(0.2, 0.34),
        fringe=rng.uniform(0.06, 0.16),
        long_hair=bool(rng.random() < 0.5),
        glasses=bool(rng.random() < 0.2),
        strands=rng.uniform(-1, 1, (36, 3)),
        background=_random_background(rng, size),
        shade=_random_shade(rng, landmark, width, size),
    )


def _between(colours: Array, place: float) -> Array:
    first = min(int(place), len(colours) - 2)
    share = place - first
    return np.asarray(colours[first] * (1 - share) + colours[first + 1] * share)


def _random_shape(rng: Generator, width: float) -> Array:
    points = MEAN_FACE * [width, rng.uniform(0.95, 1.05)]
    jaw = np.interp(np.abs(np.arange(3, 14) - 8), [0, 5], [rng.uniform(0.92, 1.06), 1])
    points[3:14, 0] *= jaw
    opening, apart = rng.uniform(0.9, 1.1), rng.uniform(-0.012, 0.012)
    for eye in EYES:
        middle = points[eye].mean(axis=0)
        points[eye] = middle + (points[eye] - middle) * [1.05, opening]
        points[eye, 0] += np.sign(middle[0]) * apart
    points[17:27, 1] += rng.uniform(-0.008, 0.010)
    points[NOSTRILS, 0] *= rng.uniform(0.88, 1.15)
    bridge = points[27, 1]
    points[NOSE, 1] = bridge + (points[NOSE, 1] - bridge) * rng.uniform(0.95, 1.06)
    points[MOUTH, 0] *= rng.uniform(0.92, 1.1)
    fullness = 0.024 * (rng.uniform(0.85, 1.25) - 1)
    points[49:54, 1] -= fullness
    points[55:60, 1] += fullness
    return _close_lips(points)


def _close_lips(points: Array) -> Array:
    seam = points[INNER_LIP, 1].mean()
    points[INNER_LIP, 1] = seam
    points[[48, 54], 1] = seam - 0.002
    points[[60, 64], 1] = seam - 0.001
    return points


def _random_background(rng: Generator, size: int) -> NDArray[np.uint8]:
    """Blurred patches that no detector takes for a face."""
    corners = rng.uniform(30, 220, (2, 2, 3))
    corners = corners.mean(axis=-1, keepdims=True) * 0.65 + corners * 0.35
    wash = cv2.resize(corners.astype(np.float32), (size, size))
    patches = rng.normal(0, 14, (8, 8, 1)) + rng.normal(0, 5, (8, 8, 3))
    patches = cv2.resize(patches.astype(np.float32), (size, size), interpolation=cv2.INTER_CUBIC)
    picture = np.clip(wash * 0.8 + patches + 20, 0, 255).astype(np.uint8)
    for _ in range(rng.integers(1, 5)):
        corner = rng.integers(0, size, 2)
        other = corner + rng.uniform(0.08, 0.47, 2) * size
        colour = rng.uniform(40, 200) + rng.uniform(-25, 25, 3)
        cv2.rectangle(picture, corner.tolist(), other.astype(int).tolist(), colour.tolist(), -1)
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), size / 64), np.uint8)


def depth(points: Array, width: float) -> Array:
    """Depth of points (..., axis) of the face towards the viewer, in units of the face."""
    x, y = points[..., 0], points[..., 1]
    across, along = x / (0.47 * width), (y - 0.02) / 0.66
    skull = 0.34 * np.sqrt(np.clip(1 - (0.95 * across**2 + 0.6 * along**2), 0, 1))
    profile = np.interp(y, [-0.25, -0.1, 0.06, 0.13, 0.19], [0, 0.04, 0.13, 0.07, 0])
    return np.asarray(skull + np.exp(-((x / 0.075) ** 2)) * profile)


def _random_shade(rng: Generator, landmark: Array, width: float, size: int) -> NDArray[np.float32]:
    axis = ((np.arange(size) + 0.5) / size * 2 - 1) * SHADE_REACH
    grid = np.stack(np.meshgrid(axis, axis), axis=-1)
    relief = cv2.GaussianBlur(depth(grid, width), (0, 0), size / 85)
    slope = np.gradient(relief, axis[1] - axis[0])
    light = np.array([rng.uniform(-0.5, 0.5), rng.uniform(-0.7, -0.15), 1])
    light /= np.linalg.norm(light)
    facing = light[2] - slope[1] * light[0] - slope[0] * light[1]
    shade = 0.42 + 0.66 * np.clip(facing / np.sqrt(slope[0] ** 2 + slope[1] ** 2 + 1), 0, 1)
    for x, y, wide, high, strength in _shade_spots(landmark):
        shade += strength * np.exp(-(((grid - [x, y]) / [wide, high]) ** 2).sum(axis=-1))
    shade += cv2.GaussianBlur(rng.normal(0, 0.02, (size, size)), (0, 0), 1.2)
    flush = sum(
        0.05 * np.exp(-(((grid - [x, 0.1]) / [0.12, 0.1]) ** 2).sum(axis=-1)) for x in (-0.25, 0.25)
    )
    tint = 1 + flush[..., None] * [1, -0.8, -1]
    return np.asarray(shade[..., None] * tint, np.float32)


def _shade_spots(landmark: Array) -> list[tuple[float, ...]]:
    """Highlights (positive) and shadows of the face: x, y, width, height, strength."""
    spots: list[tuple[float, ...]] = [
        (0, 0.02, 0.022, 0.16, 0.12),  # ridge and tip of the nose
        (0, landmark[30, 1] - 0.005, 0.035, 0.03, 0.16),
        (0, landmark[33, 1] + 0.02, 0.075, 0.018, -0.22),  # below nose and lip
        (0, landmark[57, 1] + 0.03, 0.1, 0.02, -0.14),
        (0, landmark[8, 1] - 0.09, 0.08, 0.05, 0.07),  # chin and forehead
        (0, -0.42, 0.25, 0.12, 0.08),
    ]
    for side, eye, wing in ((-1, EYES[0], 31), (1, EYES[1], 35)):
        x, y = landmark[eye].mean(axis=0)
        spots += [
            (x, y - 0.035, 0.11, 0.055, -0.22),  # socket
            (x, y + 0.055, 0.09, 0.02, -0.07),
            (x * 1.15, y + 0.2, 0.1, 0.08, 0.09),  # cheek
            (side * 0.07, -0.08, 0.03, 0.1, -0.16),  # sides of the nose
            (landmark[wing, 0], landmark[wing, 1] - 0.03, 0.022, 0.03, -0.12),
        ]
    return spots
