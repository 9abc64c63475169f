"""Faces: found by a detector, cut by a contract, divided into regions.

A detector is two functions of a picture; adding one is a file and a line in `DETECTORS`. All
coordinates are source pixels counted from the upper left corner of the picture, so that the pixel
in column i reaches from i to i + 1 and its middle is i + 0.5.
"""

from collections.abc import Callable
from inspect import signature
from typing import Any

from affectkit.errors import unknown
from affectkit.faces.crop import Crop, crop_boxes, cut, in_crop
from affectkit.faces.detector import Detector, largest_face
from affectkit.faces.dlib import load_dlib
from affectkit.faces.face_alignment import load_face_alignment
from affectkit.faces.regions import REGION, region_masks

DETECTORS: dict[str, Callable[..., Detector]] = {
    "dlib": load_dlib,
    "face-alignment": load_face_alignment,
}


def load_detector(name: str, **options: Any) -> Detector:  # noqa: ANN401
    """A detector: it finds faces in a picture, and 68 points in boxes around them.

    Args:
        name: one of `DETECTORS`.
        options: as the function behind the name takes them.

    Returns:
        Its two functions, `find` and `fit`; `tracking.follow` runs it over a video.

    Raises:
        AffectkitError: an unknown name or option, a package that is not installed, weights that
            cannot be had.
    """
    if name not in DETECTORS:
        raise unknown("detector", name, DETECTORS)
    known = signature(DETECTORS[name]).parameters
    for option in options:
        if option not in known:
            raise unknown(f"option of detector {name!r}", option, known)
    return DETECTORS[name](**options)


__all__ = [
    "DETECTORS",
    "REGION",
    "Crop",
    "Detector",
    "crop_boxes",
    "cut",
    "in_crop",
    "largest_face",
    "load_detector",
    "region_masks",
]
