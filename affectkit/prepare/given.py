"""Faces that the dataset brings along: points, or pictures that are cut already."""

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from affectkit.prepare.finding import Found
from affectkit.recording import POINTS

MOST = 0.5  # of the annotated frames have to have a face, else it is looked for


def brings_faces(placed: xr.Dataset) -> bool:
    """Whether the dataset says where the face is in most of the annotated frames."""
    known = _known(placed)
    annotated = placed["annotation"].notnull().any("affect").values
    asked = known[annotated] if annotated.any() else known
    return bool(len(asked) and asked.mean() > MOST)


def is_cut(placed: xr.Dataset) -> bool:
    """Whether the dataset brings crops instead of landmarks."""
    return "crop_box" in placed and "landmark" not in placed


def take_faces(placed: xr.Dataset) -> Found:
    """The faces that the dataset brings, as if they had been found.

    A frame counts as detected where the dataset gives its points, or its crop.
    """
    detected, count = _known(placed), placed.sizes["frame"]
    landmark = np.full((count, POINTS, 2), np.nan, np.float32)
    if "landmark" in placed:
        landmark[detected] = placed["landmark"].values[detected]
    box = np.full((count, 4), np.nan, np.float32)
    box[detected] = _boxes(placed)[detected]
    return Found(placed["time"].values, box, landmark, detected, np.empty(0, np.int64))


def _boxes(placed: xr.Dataset) -> NDArray[np.float32]:
    if is_cut(placed):
        return np.asarray(placed["crop_box"].values, np.float32)
    points = placed["landmark"].values  # a box of its own may be missing where points are there
    around = np.concatenate([points.min(axis=1), points.max(axis=1)], axis=1)
    given = placed["box"].values if "box" in placed else around
    return np.asarray(np.where(np.isfinite(given), given, around), np.float32)


def _known(placed: xr.Dataset) -> NDArray[np.bool_]:
    """Frames with all landmarks; with a crop where the dataset has no landmarks."""
    name = "crop_box" if is_cut(placed) else "landmark"
    if name not in placed:
        return np.zeros(placed.sizes["frame"], bool)
    values = placed[name].values.reshape(placed.sizes["frame"], -1)
    known = np.isfinite(values).all(axis=1)
    if "still" in placed:
        known &= placed["still"].values != ""
    return np.asarray(known)
