"""dlib's frontal face detector and 68 landmarks. Works offline: the weights come as a package.

dlib gives a score to each candidate: the margin of a linear support vector machine, mostly between
-0.5 and 3, without a unit. Nearly all candidates above 0 are faces, but the score of a turned or
tilted head can be negative. Candidates with a negative score are therefore returned, too: they
count only where a face is expected.
"""

import importlib.util
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from affectkit.errors import AffectkitError, missing_extra
from affectkit.faces.detector import Boxes, Detector, Picture, Points, Scores
from affectkit.files import StrPath
from affectkit.recording import POINTS

PREDICTOR_FILE = "shape_predictor_68_face_landmarks.dat"
CONFIDENT_SCORE, LOWEST_SCORE = 0.0, -0.5


def load_dlib(*, upsample: int = 0, predictor: StrPath | None = None) -> Detector:
    """Load dlib's frontal face detector. It finds faces from about 80 pixels on.

    Args:
        upsample: how often the picture is doubled in size before detection, to find smaller faces;
            each time makes detection about four times as slow.
        predictor: file of the 68-point shape predictor; by default the one in the package
            face-recognition-models.

    Raises:
        AffectkitError: dlib is not installed, or the predictor file is missing or invalid.
    """
    face_detector, shape_predictor = _load(predictor_file(predictor))

    def detect(picture: Picture) -> tuple[Boxes, Scores]:
        found, scores, _ = face_detector.run(np.ascontiguousarray(picture), upsample, LOWEST_SCORE)
        boxes = np.array([_edges(face) for face in found], np.float32).reshape(-1, 4)
        return boxes, np.array(scores, np.float32)

    def landmarks(picture: Picture, boxes: Boxes) -> Points:
        picture = np.ascontiguousarray(picture)
        shapes = [shape_predictor(picture, rectangle(box)).parts() for box in boxes]
        points = [[(point.x + 0.5, point.y + 0.5) for point in shape] for shape in shapes]
        return np.array(points, np.float32).reshape(-1, POINTS, 2)

    return Detector(detect, landmarks, CONFIDENT_SCORE)


@cache
def _load(path: Path) -> tuple[Any, Any]:
    try:
        import dlib
    except ImportError:
        raise missing_extra("dlib-bin", "faces") from None
    try:
        return dlib.get_frontal_face_detector(), dlib.shape_predictor(str(path))
    except RuntimeError as error:
        raise AffectkitError(
            f"{path} is not a 68-point shape predictor of dlib ({error}); expected a file such as "
            f"{PREDICTOR_FILE}"
        ) from None


def _edges(face: Any) -> tuple[int, int, int, int]:  # noqa: ANN401
    # in dlib, right and bottom are the last pixels inside the rectangle
    return face.left(), face.top(), face.right() + 1, face.bottom() + 1


def rectangle(box: NDArray[np.floating]) -> Any:  # noqa: ANN401
    """Convert a box (edge) to a `dlib.rectangle`."""
    import dlib

    left, top, right, bottom = (int(edge) for edge in np.round(box))
    return dlib.rectangle(left, top, right - 1, bottom - 1)


def predictor_file(path: StrPath | None = None) -> Path:
    """The file of the 68-point shape predictor: `path`, or the file of face-recognition-models.

    Raises:
        AffectkitError: `path` does not exist, or face-recognition-models is not installed.
    """
    if path is not None:
        if not Path(path).is_file():
            raise AffectkitError(
                f"{path} does not exist; expected the file of dlib's 68-point shape predictor"
            )
        return Path(path)
    folder = models_folder()
    if folder is None:
        raise missing_extra("face-recognition-models", "faces")
    return folder / PREDICTOR_FILE


def models_folder() -> Path | None:
    """The folder of weights in face-recognition-models, or None if it is not installed."""
    # importing the package fails without pkg_resources, but only its files are needed
    found = importlib.util.find_spec("face_recognition_models")
    if found is None or not found.submodule_search_locations:
        return None
    return Path(found.submodule_search_locations[0]) / "models"
