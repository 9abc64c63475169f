"""BlazeFace, the face detector of MediaPipe, with the 468-point face mesh for the landmarks.

The score is a probability, from 0 to 1. Boxes reach from the forehead to the chin.

dlib is the default because it finds smaller faces in large pictures, works without a download and
is not slower in tracking; the points of the mesh were 3.8 to 4.9 % of the distance of the outer eye
corners away from dlib's on frontal faces, and move two to five times less with the noise of a
close-up. The numbers are in docs/benchmarks.md.

BlazeFace (Bazarevsky et al., BlazeFace: Sub-millisecond Neural Face Detection on Mobile GPUs, 2019)
is a single-shot detector: the picture is reduced to a square with black bars, and each cell of a
grid, an anchor, predicts a box relative to its centre. Overlapping boxes are averaged, weighted by
their scores. The grids, the limit of the overlap and the range of the pixels are those of
MediaPipe's graphs face_detection_full_range and face_detection_short_range.
"""

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from affectkit.errors import unknown
from affectkit.faces.detector import Boxes, Detector, Picture, Points, Scores
from affectkit.faces.face_mesh import load_face_mesh
from affectkit.faces.tflite import find_interpreter, load_network
from affectkit.faces.tracks import intersection_over_union
from affectkit.recording import POINTS
from affectkit.weights import weights_file

CONFIDENT_SCORE, LOWEST_SCORE = 0.5, 0.3
MAX_OVERLAP = 0.3  # intersection over union above which two boxes show the same face
OVERLAP_OF_PARTS = 0.25  # of their side
LOGIT_LIMIT = 80.0  # exp(80) is finite


@dataclass(frozen=True)
class Grids:
    """The anchors of a network: one or more grids over a square input."""

    weights: str  # name in `affectkit.weights.PUBLISHED`
    size: int  # pixels
    cells: tuple[tuple[int, int], ...]  # of each grid: pixels per cell, anchors per cell


RANGES = {
    "full": Grids("blazeface-full-range", 192, ((4, 1),)),
    "short": Grids("blazeface-short-range", 128, ((8, 2), (16, 6))),
}


def load_blazeface(*, range: str = "full", upsample: int = 0) -> Detector:
    """Load BlazeFace and the face mesh. Their files (4 MB) are fetched at first use.

    Args:
        range: "full" finds faces from about a fifteenth of the longer side of the picture on, 40
            pixels of 640; "short" is three times as fast and finds faces from about a sixth on, as
            in front of a webcam.
        upsample: how often parts of half the size are searched as well, to find faces of half the
            size: 1 takes about seven times as long, 2 about 25 times.

    Raises:
        AffectkitError: the range is unknown, ai-edge-litert is not installed, or a file cannot be
            fetched or loaded.
    """
    if range not in RANGES:
        raise unknown("range of BlazeFace", range, RANGES)
    grids = RANGES[range]
    find_interpreter()  # before files are fetched
    network = load_network(weights_file(grids.weights))
    points_in_box = load_face_mesh(weights_file("face-mesh"))
    anchors = make_anchors(grids)

    def candidates(picture: Picture, corner: NDArray[np.int64]) -> tuple[Boxes, Scores]:
        pixels, scale, bars = letterbox(picture, grids.size)
        offsets, logits = network(pixels.astype(np.float32) / np.float32(127.5) - 1)
        score = 1 / (1 + np.exp(-logits[:, 0].clip(-LOGIT_LIMIT, LOGIT_LIMIT)))
        found = score >= LOWEST_SCORE
        centre = anchors[found] * grids.size + offsets[found, :2]
        half = offsets[found, 2:4] / 2
        boxes = (np.hstack([centre - half, centre + half]) - np.tile(bars, 2)) / np.tile(scale, 2)
        return (boxes + np.tile(corner, 2)).astype(np.float32), score[found]

    def detect(picture: Picture) -> tuple[Boxes, Scores]:
        parts = split_picture(picture.shape[1], picture.shape[0], upsample)
        found = [
            candidates(picture[top:bottom, left:right], np.array([left, top]))
            for left, top, right, bottom in parts
        ]
        boxes, scores = zip(*found, strict=True)
        return merge_boxes(np.concatenate(boxes), np.concatenate(scores))

    def landmarks(picture: Picture, boxes: Boxes) -> Points:
        points = [points_in_box(picture, box) for box in boxes]
        return np.array(points, np.float32).reshape(-1, POINTS, 2)

    return Detector(detect, landmarks, CONFIDENT_SCORE)


def make_anchors(grids: Grids) -> NDArray[np.float32]:
    """Centres of the anchors (anchor, axis) as shares of the input's side, row by row."""
    anchors = []
    for stride, repeats in grids.cells:
        centres = (np.arange(grids.size // stride) + 0.5) * stride / grids.size
        y, x = np.meshgrid(centres, centres, indexing="ij")
        grid = np.stack([x, y], axis=-1).reshape(-1, 2)
        anchors.append(np.repeat(grid, repeats, axis=0))
    return np.concatenate(anchors).astype(np.float32)


def split_picture(width: int, height: int, upsample: int) -> list[tuple[int, int, int, int]]:
    """The whole picture and its parts (left, top, right, bottom), which overlap by a quarter.

    Args:
        width: of the picture in pixels.
        height: of the picture in pixels.
        upsample: number of times that the side of the square parts is halved.
    """
    parts = [(0, 0, width, height)]
    for level in range(1, upsample + 1):
        side = math.ceil(max(width, height) / 2**level)
        parts += [
            (left, top, min(left + side, width), min(top + side, height))
            for top in _starts(height, side)
            for left in _starts(width, side)
        ]
    return parts


def _starts(length: int, side: int) -> list[int]:
    """Where parts of `side` pixels start, evenly spaced over `length` pixels."""
    if length <= side:
        return [0]
    count = math.ceil((length - side) / (side * (1 - OVERLAP_OF_PARTS))) + 1
    return [round(start) for start in np.linspace(0, length - side, count)]


def letterbox(
    picture: Picture, size: int
) -> tuple[Picture, NDArray[np.float32], NDArray[np.float32]]:
    """Resize a picture (row, col, channel) to fit into the middle of a black square.

    Returns:
        The square, the scale (axis) of the picture in it, and its upper left corner (axis).
    """
    edge = np.array(picture.shape[1::-1])
    fitted = np.maximum(np.round(edge * (size / edge.max())), 1).astype(int)
    shrinks = fitted.max() < edge.max()
    interpolation = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    resized = cv2.resize(
        np.ascontiguousarray(picture), fitted.tolist(), interpolation=interpolation
    )
    square = np.zeros((size, size, 3), np.uint8)
    left, top = corner = (size - fitted) // 2
    square[top : top + fitted[1], left : left + fitted[0]] = resized
    return square, (fitted / edge).astype(np.float32), corner.astype(np.float32)


def merge_boxes(boxes: Boxes, score: Scores) -> tuple[Boxes, Scores]:
    """Merge overlapping boxes to their mean, weighted by their scores.

    Args:
        boxes: (box, edge).
        score: (box).

    Returns:
        Merged boxes (face, edge) and the highest score of each (face), the highest first.
    """
    order = np.argsort(-score, kind="stable")
    boxes, score = boxes[order], score[order]
    merged, best = [], []
    while len(boxes):
        same = intersection_over_union(boxes[:1], boxes)[0] > MAX_OVERLAP
        same[0] = True  # also if it is empty
        merged.append(np.average(boxes[same], axis=0, weights=score[same]))
        best.append(score[0])
        boxes, score = boxes[~same], score[~same]
    return np.array(merged, np.float32).reshape(-1, 4), np.array(best, np.float32)
