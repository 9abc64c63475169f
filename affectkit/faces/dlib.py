"""dlib's frontal detector and 68 points: offline, its weights come as a package.

The detector scores candidates. Above 0 nearly all are faces, but a turned or tilted head falls
below; so a weaker candidate is believed where a face is expected.
"""

import importlib.util
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from affectkit.errors import AffectkitError, missing_extra
from affectkit.faces.detector import Boxes, Detector, Picture, Points
from affectkit.recording import POINTS

POINTS_FILE = "shape_predictor_68_face_landmarks.dat"
SURE, WEAK = 0.0, -0.5


def load_dlib(*, upsample: int = 0, landmarks: Path | str | None = None) -> Detector:
    """The detector of frontal faces of dlib, from about 80 pixels on.

    Args:
        upsample: times the picture is doubled before, to find smaller faces; each costs fourfold.
        landmarks: file of the 68-point predictor, by default that of face-recognition-models.

    Raises:
        AffectkitError: dlib is not installed, or there is no file of the 68 points.
    """
    detector, predictor = _load(points_file(landmarks))

    def find(picture: Picture) -> tuple[Boxes, NDArray[np.bool_]]:
        found, scores, _ = detector.run(np.ascontiguousarray(picture), upsample, WEAK)
        boxes = np.array([_edges(face) for face in found], np.float32).reshape(-1, 4)
        return boxes, np.array(scores) > SURE

    def fit(picture: Picture, boxes: Boxes) -> Points:
        picture = np.ascontiguousarray(picture)
        found = [predictor(picture, rectangle(box)).parts() for box in boxes]
        points = [[(part.x + 0.5, part.y + 0.5) for part in parts] for parts in found]
        return np.array(points, np.float32).reshape(-1, POINTS, 2)

    return Detector(find, fit)


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


def rectangle(box: NDArray[np.floating]) -> Any:  # noqa: ANN401
    """A box (edge) as dlib has it."""
    import dlib

    left, top, right, bottom = (int(edge) for edge in np.round(box))
    return dlib.rectangle(left, top, right - 1, bottom - 1)


def points_file(path: Path | str | None = None) -> Path:
    """Where the file of the 68-point predictor lies.

    Raises:
        AffectkitError: it is nowhere.
    """
    if path is not None:
        if not Path(path).is_file():
            raise AffectkitError(f"{path} does not exist; expected dlib's 68-point predictor")
        return Path(path)
    folder = models_folder()
    if folder is None:
        raise missing_extra("face-recognition-models", "faces")
    return folder / POINTS_FILE


def models_folder() -> Path | None:
    """Where the package face-recognition-models keeps its files; None where it is not installed."""
    # importing that package fails where pkg_resources is gone; its files are all that is needed
    found = importlib.util.find_spec("face_recognition_models")
    if found is None or not found.submodule_search_locations:
        return None
    return Path(found.submodule_search_locations[0]) / "models"
