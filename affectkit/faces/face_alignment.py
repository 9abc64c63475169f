"""The face-alignment package: its face detectors and its network for 68 landmarks.

Weights are downloaded at first use into the folder `checkpoints` of torch's hub folder, or of
another folder. Existing files are not downloaded again.

The score of a face is a probability, from 0 to 1; the package leaves out improbable ones itself.
"""

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from pickle import UnpicklingError
from typing import Any
from urllib.parse import urlparse

import numpy as np

from affectkit.errors import AffectkitError, missing_extra, unknown
from affectkit.faces.detector import Boxes, Detector, Picture, Points, Scores
from affectkit.files import StrPath
from affectkit.recording import POINTS

FACE_DETECTORS = ("sfd", "blazeface", "retinaface", "scrfd", "yunet")
LANDMARK_NETWORK = "2DFAN-4"


def load_face_alignment(
    *, face_detector: str = "sfd", device: str | None = None, weights: StrPath | None = None
) -> Detector:
    """Load the networks of the face-alignment package.

    Args:
        face_detector: one of `FACE_DETECTORS`.
        device: a torch device; by default the GPU if there is one.
        weights: a folder with the weight files in its subfolder `checkpoints`; missing files are
            downloaded to it. By default torch's hub folder.

    Raises:
        AffectkitError: the package is not installed, or weights cannot be downloaded or loaded.
    """
    if face_detector not in FACE_DETECTORS:
        raise unknown("face detector of the package face-alignment", face_detector, FACE_DETECTORS)
    return wrap_face_alignment(_load(face_detector, device, weights))


@cache
def _load(face_detector: str, device: str | None, weights: StrPath | None) -> Any:  # noqa: ANN401
    try:
        import face_alignment
        import torch
    except ImportError:
        raise missing_extra("face-alignment", "faces") from None
    with _torch_hub_folder(weights), _one_line_errors(face_detector):
        return face_alignment.FaceAlignment(
            face_alignment.LandmarksType.TWO_D,
            device=device or ("cuda" if torch.cuda.is_available() else "cpu"),
            face_detector=face_detector,
            compile=False,  # compilation takes longer than a video, and warns
        )


def wrap_face_alignment(package: Any) -> Detector:  # noqa: ANN401
    """Make a `Detector` from a `face_alignment.FaceAlignment` object."""

    def detect(picture: Picture) -> tuple[Boxes, Scores]:
        found = package.face_detector.detect_from_image(np.array(picture))
        faces = np.array([face[:5] for face in found], np.float32).reshape(-1, 5)
        return faces[:, :4], faces[:, 4]

    def landmarks(picture: Picture, boxes: Boxes) -> Points:
        if not len(boxes):
            return np.empty((0, POINTS, 2), np.float32)
        faces = list(boxes.astype(np.float64))  # the package does not accept float32
        points = package.get_landmarks_from_image(np.array(picture), detected_faces=faces)
        return np.array(points, np.float32) + np.float32(0.5)

    return Detector(detect, landmarks)


@contextmanager
def _torch_hub_folder(folder: StrPath | None) -> Iterator[None]:
    """Make torch search for weights in `folder` inside the block."""
    import torch

    before = torch.hub.get_dir()
    if folder is not None:
        if not Path(folder).is_dir():
            raise AffectkitError(
                f"{folder} is not a folder; expected a folder with weight files in checkpoints/"
            )
        torch.hub.set_dir(str(folder))
    try:
        yield
    finally:
        torch.hub.set_dir(before)


@contextmanager
def _one_line_errors(face_detector: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:  # urllib raises it without a network connection
        raise AffectkitError(_download_error(face_detector, error)) from None
    except (RuntimeError, ValueError, EOFError, ImportError, UnpicklingError) as error:
        reason = str(error).splitlines()[0]
        raise AffectkitError(
            f"face-alignment with {face_detector!r} cannot be loaded ({reason}); remove damaged "
            f"files from {_checkpoints()}, or use --detector dlib, which needs no download"
        ) from None


def _download_error(face_detector: str, error: OSError) -> str:
    return (
        "the weights of face-alignment could not be downloaded "
        f"({getattr(error, 'reason', error)}): put "
        f"{' and '.join(missing_weights(face_detector))} into {_checkpoints()}, "
        "or use --detector dlib, which needs no download"
    )


def missing_weights(face_detector: str = "sfd") -> list[str]:
    """URLs of the weights that are not in torch's hub folder yet."""
    urls = weight_urls(face_detector)
    return [url for url in urls if not (_checkpoints() / Path(urlparse(url).path).name).exists()]


def weight_urls(face_detector: str) -> list[str]:
    """URLs of the weights of a face detector and of the landmark network."""
    api = importlib.import_module("face_alignment.api")
    module = importlib.import_module(
        f"face_alignment.detection.{face_detector}.{face_detector}_detector"
    )
    urls = getattr(module, "models_urls", None) or {face_detector: module.model_url}
    # blazeface has a second pair of files for the back camera, which is not used here
    return [
        api.models_urls[LANDMARK_NETWORK],
        *(url for name, url in urls.items() if "back" not in name),
    ]


def _checkpoints() -> Path:
    import torch

    return Path(torch.hub.get_dir()) / "checkpoints"
