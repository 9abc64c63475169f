"""Appearance of a face, to recognise the person again after a gap or a shot cut.

Two descriptions of a face are compared: a small colour picture, always; and the 128 numbers of
dlib's face recognition network if its weights are installed (package face-recognition-models). The
network recognises real people in any light. The colour picture adds what the network ignores, such
as skin and hair of synthetic faces.
"""

import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from affectkit.faces.detector import Picture
from affectkit.faces.dlib import models_folder, rectangle

NETWORK_FILE = "dlib_face_recognition_resnet_model_v1.dat"
THUMBNAIL_SIZE = 12  # pixels
THUMBNAIL_REACH = 2.2  # half its side, in root mean square distances of the points from their mean


@dataclass(frozen=True, eq=False)
class Embedding:
    """Appearance of a face in one frame."""

    thumbnail: NDArray[np.float32]  # (row, col, channel) in [0, 1]
    chip: NDArray[np.uint8] | None = None  # aligned face picture, the input of the network
    descriptor: NDArray[np.float32] | None = None  # (number), the output of the network


def embed_face(picture: Picture, points: NDArray[np.floating]) -> Embedding:
    """Thumbnail and network input of the face with the 68 `points` (point, axis)."""
    return Embedding(face_thumbnail(picture, points), _face_chip(picture, points))


def add_descriptor(embedding: Embedding) -> Embedding:
    """Run the face recognition network on an embedding (60 ms), unless this was done before."""
    if embedding.chip is None:
        return embedding
    descriptor = np.array(_network().compute_face_descriptor(embedding.chip), np.float32)
    return replace(embedding, chip=None, descriptor=descriptor)


def face_thumbnail(picture: Picture, points: NDArray[np.floating]) -> NDArray[np.float32]:
    """Shrink an upright square around the points (point, axis) to a thumbnail, as in `Embedding`.

    The square is clipped at the edges of the picture.
    """
    centre = points.mean(axis=0)
    half = THUMBNAIL_REACH * float(np.sqrt(((points - centre) ** 2).sum(axis=1).mean()))
    low, high = np.floor(centre - half).astype(int), np.ceil(centre + half).astype(int) + 1
    edge = np.array(picture.shape[1::-1])
    low, high = np.clip(low, 0, edge - 1), np.clip(high, 1, edge)
    inside = np.ascontiguousarray(picture[low[1] : high[1], low[0] : high[0]])
    small = cv2.resize(inside, (THUMBNAIL_SIZE, THUMBNAIL_SIZE), interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.float32) / np.float32(255)


def similarity(thumbnails: Sequence[NDArray[np.float32]]) -> NDArray[np.float64]:
    """Correlation of each thumbnail with each other one; it does not depend on brightness."""
    flat = np.stack(thumbnails).reshape(len(thumbnails), -1).astype(np.float64)
    flat -= flat.mean(axis=1, keepdims=True)
    flat /= np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-6)
    return np.asarray(flat @ flat.T)


def _face_chip(picture: Picture, points: NDArray[np.floating]) -> NDArray[np.uint8] | None:
    if _network_file() is None:
        return None
    import dlib

    parts = [dlib.point(int(x), int(y)) for x, y in points]
    around = rectangle(np.concatenate([points.min(axis=0), points.max(axis=0)]))
    shape = dlib.full_object_detection(around, parts)
    return np.asarray(dlib.get_face_chip(np.ascontiguousarray(picture), shape), np.uint8)


@cache
def _network() -> Any:  # noqa: ANN401
    import dlib

    return dlib.face_recognition_model_v1(str(_network_file()))


def _network_file() -> Path | None:
    """The weights of the network, or None if they or dlib are not installed."""
    folder = models_folder()
    if folder is None or importlib.util.find_spec("dlib") is None:
        return None
    return folder / NETWORK_FILE if (folder / NETWORK_FILE).is_file() else None
