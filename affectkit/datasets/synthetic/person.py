"""Who is drawn: everything about a person that does not move, drawn by chance once a video."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from affectkit.datasets.synthetic.face import (
    EYES,
    INNER_LIP,
    MEAN_FACE,
    MOUTH,
    NOSE,
    NOSTRILS,
)

Array = NDArray[np.float64]

# red, green, blue
SKINS = np.array([[238, 208, 190], [228, 190, 165], [215, 170, 140], [192, 142, 110],
                  [165, 115, 85], [132, 88, 62]], float)  # fmt: skip
HAIRS = np.array([[35, 28, 25], [80, 55, 40], [55, 40, 30], [185, 140, 90],
                  [140, 85, 60], [135, 130, 130]], float)  # fmt: skip
IRISES = np.array([[120, 90, 60], [70, 110, 130], [85, 60, 40], [90, 120, 80],
                   [70, 50, 35]], float)  # fmt: skip

SHADE_REACH = 0.8  # the map of light and shade covers [-0.8, 0.8] in both axes


@dataclass(frozen=True, eq=False)
class Person:
    """Shape, colours (red, green, blue) and surroundings of one drawn person."""

    size: int  # of the picture, in pixels
    scale: float  # pixels a unit of the face
    centre: Array  # (axis) where the face rests, in pixels
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
    shade: NDArray[np.float32]  # (row, col, channel) factor on the skin, in the face's own frame


def draw_person(rng: Generator, size: int) -> Person:
    """Draw a person by chance, for pictures of `size` x `size` pixels."""
    width = rng.uniform(0.93, 1.05)
    landmark = _draw_shape(rng, width)
    skin = _between(SKINS, rng.uniform(0, len(SKINS) - 1))
    hair = rng.choice(HAIRS) * rng.uniform(0.8, 1.2)
    return Person(
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
        background=_draw_background(rng, size),
        shade=_draw_shade(rng, landmark, width, size),
    )


def _between(colours: Array, place: float) -> Array:
    first = min(int(place), len(colours) - 2)
    share = place - first
    return np.asarray(colours[first] * (1 - share) + colours[first + 1] * share)


def _draw_shape(rng: Generator, width: float) -> Array:
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


def _draw_background(rng: Generator, size: int) -> NDArray[np.uint8]:
    """Blurred patches, dull enough not to be taken for a face."""
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
    """How far points (..., axis) of the face stand out towards the viewer, in units of the face."""
    x, y = points[..., 0], points[..., 1]
    across, along = x / (0.47 * width), (y - 0.02) / 0.66
    skull = 0.34 * np.sqrt(np.clip(1 - (0.95 * across**2 + 0.6 * along**2), 0, 1))
    profile = np.interp(y, [-0.25, -0.1, 0.06, 0.13, 0.19], [0, 0.04, 0.13, 0.07, 0])
    return np.asarray(skull + np.exp(-((x / 0.075) ** 2)) * profile)


def _draw_shade(rng: Generator, landmark: Array, width: float, size: int) -> NDArray[np.float32]:
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
    """Light (positive) and shade of the features: x, y, width, height, strength."""
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
