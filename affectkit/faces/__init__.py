"""Face detection, tracking, crops and facial regions.

Coordinates are source pixels, counted from the upper left corner of the picture: the pixel in
column i covers i to i + 1, and its centre is i + 0.5.

To add a detector, write a function that returns a `Detector` and add a line to `DETECTORS`.
"""

from collections.abc import Callable
from inspect import signature
from typing import Any

from affectkit.errors import unknown
from affectkit.faces.blazeface import load_blazeface
from affectkit.faces.crop import Crop, crop_boxes, extract_crops
from affectkit.faces.detector import Detector, largest_face
from affectkit.faces.dlib import load_dlib
from affectkit.faces.face_alignment import load_face_alignment
from affectkit.faces.people import Person, choose_person, find_people
from affectkit.faces.regions import REGION, region_masks
from affectkit.faces.tracking import track_faces

DETECTORS: dict[str, Callable[..., Detector]] = {
    "dlib": load_dlib,
    "face-alignment": load_face_alignment,
    "blazeface": load_blazeface,
}


def load_detector(name: str, **options: Any) -> Detector:  # noqa: ANN401
    """Load a detector of faces and their 68 landmarks.

    Args:
        name: one of `DETECTORS`.
        options: keyword arguments of the detector's function in `DETECTORS`.

    Returns:
        The detector. `track_faces` runs it on a video.

    Raises:
        AffectkitError: the name or an option is unknown, a package is not installed, or the weights
            are missing.
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
    "Person",
    "choose_person",
    "crop_boxes",
    "extract_crops",
    "find_people",
    "largest_face",
    "load_detector",
    "region_masks",
    "track_faces",
]
