"""MediaPipe's face mesh: 468 points, of which 68 stand for those of dlib.

The network (Kartynnik et al., Real-time Facial Surface Geometry from Monocular Video on Mobile
GPUs, 2019) expects an upright face in a square 1.5 times as large. It also returns whether there is
a face in the square. The square is found as follows:

- The first square is upright, around the box. If the network is not sure of a face there, three
  further squares are tried, turned by 90, 180 and 270 degrees, and the one with the surest face is
  kept. MediaPipe turns the square by the eyes that BlazeFace finds instead. On pictures turned by
  60 degrees and more these eyes are often wrong; this search was within 6 % of the distance between
  the eyes at any angle.
- The next square is around the points, and turned so that the eyes are level, until it turns by
  less than `LEVEL`. The points thus depend little on the box.

Each of the 68 points is one point of the mesh. The index was chosen as the point with the smallest
mean distance from dlib's in nine pictures of frontal faces, among those on the same line (eye,
outer lip, inner lip, nostrils), and so that both sides of the face have the same points.
"""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from affectkit.faces.detector import Picture
from affectkit.faces.tflite import Network, load_network

SIZE = 192  # pixels of the square
SCALE = 1.5  # side of the square over the longer side of the face
SURE = 1e-3  # highest probability that there is no face in the first square
MAX_FINE = 8  # samples per pixel of the square, along each axis
LEVEL = np.deg2rad(10)
MAX_SQUARES = 4  # after the first
EYE_CORNERS = (33, 263)  # the outer ones: left and right in the picture

# fmt: off
LANDMARKS = (
    127, 234, 177, 215, 172, 136, 149, 148, 152, 377, 378, 365, 397, 435, 401, 454, 356,  # jaw
    70, 63, 105, 65, 55, 285, 295, 334, 293, 300,  # brows
    168, 197, 5, 1, 75, 97, 2, 326, 305,  # nose
    33, 160, 158, 133, 153, 144, 362, 385, 387, 263, 373, 380,  # eyes
    76, 73, 37, 11, 267, 303, 306, 405, 314, 17, 84, 181,  # outer lip
    78, 82, 13, 312, 308, 317, 14, 87,  # inner lip
)
# fmt: on
Mesh = NDArray[np.float64]  # (point, axis) in source pixels


def load_face_mesh(
    path: Path,
) -> Callable[[Picture, NDArray[np.floating]], NDArray[np.float32]]:
    """Load the network.

    Args:
        path: its .tflite file.

    Returns:
        A function of a picture (row, col, channel) and a box (edge) that returns 68 points (point,
        axis) in source pixels.

    Raises:
        AffectkitError: ai-edge-litert is not installed, or the file is no network.
    """
    network = load_network(path)

    def points_in_box(picture: Picture, box: NDArray[np.floating]) -> NDArray[np.float32]:
        picture = np.ascontiguousarray(picture)
        return _find_mesh(network, picture, box)[LANDMARKS, :].astype(np.float32)

    return points_in_box


def _find_mesh(network: Network, picture: Picture, box: NDArray[np.floating]) -> Mesh:
    low, high = np.asarray(box[:2], np.float64), np.asarray(box[2:], np.float64)
    centre, side = (low + high) / 2, SCALE * float((high - low).max())
    angle = 0.0
    mesh, presence = _run(network, picture, square_to_picture(centre, side, angle))
    if presence < 1 - SURE:
        for turned in (np.pi / 2, np.pi, -np.pi / 2):
            other, probability = _run(network, picture, square_to_picture(centre, side, turned))
            if probability > presence:
                mesh, presence, angle = other, probability, turned
    for _ in range(MAX_SQUARES):
        before, (centre, side, angle) = angle, level_square(mesh)
        mesh, _ = _run(network, picture, square_to_picture(centre, side, angle))
        if abs(np.angle(np.exp(1j * (angle - before)))) < LEVEL:
            break
    return mesh


def level_square(mesh: Mesh) -> tuple[NDArray[np.float64], float, float]:
    """Centre (axis), side and angle of the square around a mesh in which the eyes are level."""
    across = mesh[EYE_CORNERS[1]] - mesh[EYE_CORNERS[0]]
    angle = float(np.arctan2(across[1], across[0]))
    turn = _rotation(angle)
    upright = mesh @ turn
    low, high = upright.min(axis=0), upright.max(axis=0)
    return turn @ ((low + high) / 2), SCALE * float((high - low).max()), angle


def square_to_picture(
    centre: NDArray[np.float64], side: float, angle: float
) -> NDArray[np.float64]:
    """The map (axis, 3) from pixels of the network's square to those of the picture.

    Args:
        centre: (axis) of the square in source pixels.
        side: of the square in source pixels.
        angle: clockwise turn of the face in the picture, in radians.
    """
    linear = _rotation(angle) * (max(side, 1.0) / SIZE)
    return np.column_stack([linear, centre - linear @ np.full(2, SIZE / 2)])


def _rotation(angle: float) -> NDArray[np.float64]:
    return np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])


def _run(network: Network, picture: Picture, to_picture: NDArray[np.float64]) -> tuple[Mesh, float]:
    """The mesh in a square, and the probability that there is a face."""
    linear, shift = to_picture[:, :2], to_picture[:, 2]
    # sampled on a grid as fine as the picture, then averaged: no aliasing in large faces
    fine = min(max(1, round(float(np.hypot(*linear[0])))), MAX_FINE)
    step = linear / fine
    # OpenCV counts from the centre of the first pixel
    from_centres = np.column_stack([step, shift + step @ np.full(2, 0.5) - 0.5])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    sampled = cv2.warpAffine(picture, from_centres, (fine * SIZE, fine * SIZE), flags=flags)
    pixels = cv2.resize(sampled, (SIZE, SIZE), interpolation=cv2.INTER_AREA)
    points, presence = network(pixels.astype(np.float32) / np.float32(255))
    mesh = points.reshape(-1, 3)[:, :2].astype(np.float64)
    probability = 1 / (1 + np.exp(-float(presence.ravel()[0])))
    return mesh @ linear.T + shift, probability
