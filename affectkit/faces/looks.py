"""What a face looks like, so that it is known again after a gap or a cut.

Two descriptions: a small colour picture, always; and 128 numbers of dlib's face recognition net
where its weights are installed (the package face-recognition-models has them). The net tells real
people apart whatever the light; the colours add what it does not see, skin and hair of drawn people
among them.
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

NET_FILE = "dlib_face_recognition_resnet_model_v1.dat"
SIDE = 12  # pixels of the small colour picture
REACH = 2.2  # half its side, in root mean square distances of the points from their centre


@dataclass(frozen=True, eq=False)
class Look:
    """One sight of a face."""

    colour: NDArray[np.float32]  # (row, col, channel) in [0, 1]
    chip: NDArray[np.uint8] | None = None  # what the net is to see
    net: NDArray[np.float32] | None = None  # (number): what the net says


def see(picture: Picture, points: NDArray[np.floating]) -> Look:
    """Look at the face with the 68 `points` (point, axis)."""
    return Look(colours(picture, points), _chip(picture, points))


def describe(look: Look) -> Look:
    """Let the net see what is to be seen; takes some 60 ms where that is not done yet."""
    if look.chip is None:
        return look
    numbers = np.array(_net().compute_face_descriptor(look.chip), np.float32)
    return replace(look, chip=None, net=numbers)


def colours(picture: Picture, points: NDArray[np.floating]) -> NDArray[np.float32]:
    """An upright square around the points (point, axis), in few pixels (row, col, channel)."""
    centre = points.mean(axis=0)
    half = REACH * float(np.sqrt(((points - centre) ** 2).sum(axis=1).mean()))
    low, high = np.floor(centre - half).astype(int), np.ceil(centre + half).astype(int) + 1
    edge = np.array(picture.shape[1::-1])
    low, high = np.clip(low, 0, edge - 1), np.clip(high, 1, edge)
    inside = np.ascontiguousarray(picture[low[1] : high[1], low[0] : high[0]])
    small = cv2.resize(inside, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.float32) / np.float32(255)


def likeness(pictures: Sequence[NDArray[np.float32]]) -> NDArray[np.float64]:
    """Correlation of small pictures of `colours`, each with each; rising light leaves it."""
    flat = np.stack(pictures).reshape(len(pictures), -1).astype(np.float64)
    flat -= flat.mean(axis=1, keepdims=True)
    flat /= np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-6)
    return np.asarray(flat @ flat.T)


def _chip(picture: Picture, points: NDArray[np.floating]) -> NDArray[np.uint8] | None:
    if _net_file() is None:
        return None
    import dlib

    parts = [dlib.point(int(x), int(y)) for x, y in points]
    around = rectangle(np.concatenate([points.min(axis=0), points.max(axis=0)]))
    shape = dlib.full_object_detection(around, parts)
    return np.asarray(dlib.get_face_chip(np.ascontiguousarray(picture), shape), np.uint8)


@cache
def _net() -> Any:  # noqa: ANN401
    import dlib

    return dlib.face_recognition_model_v1(str(_net_file()))


def _net_file() -> Path | None:
    """Where the net's weights lie; None where they, or dlib, are not installed."""
    folder = models_folder()
    if folder is None or importlib.util.find_spec("dlib") is None:
        return None
    return folder / NET_FILE if (folder / NET_FILE).is_file() else None
