"""dlib's frontal detector and 68 points: offline, its weights come as a package.

The detector scores candidates. Above 0 nearly all are faces, but a turned or tilted head falls
below; so a weaker candidate is believed where it lies on the face of the frame before.
"""

import importlib.util
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from affectkit.errors import AffectkitError, missing_extra
from affectkit.faces.choose import Boxes, Detect, choose_face
from affectkit.recording import POINTS

POINTS_FILE = "models/shape_predictor_68_face_landmarks.dat"
SURE, WEAK = 0.0, -0.5


def load_dlib(*, upsample: int = 0, landmarks: Path | str | None = None) -> Detect:
    """The detector of frontal faces of dlib, from about 80 pixels on.

    Args:
        upsample: times the picture is doubled before, to find smaller faces; each costs fourfold.
        landmarks: file of the 68-point predictor, by default that of face-recognition-models.

    Raises:
        AffectkitError: dlib is not installed, or there is no file of the 68 points.
    """
    detector, predictor = _load(points_file(landmarks))
    last: Boxes | None = None

    def detect(rgb: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        nonlocal last
        box = np.full((len(rgb), 4), np.nan, np.float32)
        landmark = np.full((len(rgb), POINTS, 2), np.nan, np.float32)
        for number, picture in enumerate(rgb):
            picture = np.ascontiguousarray(picture)
            found, scores, _ = detector.run(picture, upsample, WEAK)
            boxes = np.array([_edges(face) for face in found], np.float32).reshape(-1, 4)
            chosen = choose_face(boxes, np.array(scores) > SURE, last)
            if chosen is not None:
                last = box[number] = boxes[chosen]
                parts = predictor(picture, found[chosen]).parts()
                landmark[number] = [(part.x + 0.5, part.y + 0.5) for part in parts]
        return box, landmark

    return detect


@cache
def _load(path: Path) -> tuple[Any, Any]:
    try:
        import dlib
    except ImportError:
        raise missing_extra("dlib-bin", "faces") from None
    try:
        return dlib.get_frontal_face_detector(), dlib.shape_predictor(str(path))
    except RuntimeError as error:
        raise AffectkitError(f"{path} is no 68-point predictor of dlib ({error})") from None


def _edges(face: Any) -> tuple[int, int, int, int]:  # noqa: ANN401
    # dlib's right and bottom are the last pixels inside
    return face.left(), face.top(), face.right() + 1, face.bottom() + 1


def points_file(path: Path | str | None = None) -> Path:
    """Where the file of the 68-point predictor lies.

    Raises:
        AffectkitError: it is nowhere.
    """
    if path is not None:
        if not Path(path).is_file():
            raise AffectkitError(f"{path} does not exist; expected dlib's 68-point predictor")
        return Path(path)
    # importing that package fails where pkg_resources is gone; its files are all that is needed
    found = importlib.util.find_spec("face_recognition_models")
    if found is None or not found.submodule_search_locations:
        raise missing_extra("face-recognition-models", "faces")
    return Path(found.submodule_search_locations[0]) / POINTS_FILE
