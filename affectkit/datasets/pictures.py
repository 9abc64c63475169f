"""What loaders of pictures share: which picture each frame is, and where the face lies in it."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from affectkit.recording import AXIS, DIMS, EDGE


def bring_pictures(
    known: xr.Dataset,
    *,
    still: Sequence[str],
    landmark: NDArray[np.float32],
    box: NDArray[np.float32] | None = None,
) -> xr.Dataset:
    """Lay beside the annotation of frames what the dataset says about their pictures.

    Args:
        known: the annotation (frame, affect).
        still: (frame) the picture's path below the index's `video`; "" = missing.
        landmark: (frame, point, axis) in pixels of the picture; NaN = not given.
        box: (frame, edge) in pixels of the picture; by default it lies close around the landmarks.
    """
    variables = {
        "still": (DIMS["still"], np.array(still, np.str_)),
        "landmark": (DIMS["landmark"], landmark),
        "box": (DIMS["box"], box_around(landmark) if box is None else box),
    }
    return known.assign(variables).assign_coords(axis=list(AXIS), edge=list(EDGE))


def box_around(landmark: NDArray[np.floating[Any]]) -> NDArray[np.floating[Any]]:
    """The smallest box (frame, edge) that holds the landmarks (frame, point, axis)."""
    return np.concatenate([landmark.min(axis=1), landmark.max(axis=1)], axis=1)
