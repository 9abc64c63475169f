"""The face-alignment package: any of its detectors, and its 68 points.

Weights are fetched at first use, into the folder `checkpoints` of torch's hub folder, or of the
folder given. Nothing is fetched where they lie there already.
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
from numpy.typing import NDArray

from affectkit.errors import AffectkitError, missing_extra, unknown
from affectkit.faces.detector import Boxes, Detector, Picture, Points
from affectkit.recording import POINTS

FINDERS = ("sfd", "blazeface", "retinaface", "scrfd", "yunet")
NETWORK = "2DFAN-4"


def load_face_alignment(
    *, finder: str = "sfd", device: str | None = None, weights: Path | str | None = None
) -> Detector:
    """The nets of the face-alignment package.

    Args:
        finder: its detector of faces, one of `FINDERS`.
        device: as torch names it; by default the GPU where there is one.
        weights: a folder with the files in `checkpoints/`, where they are also fetched to; by
            default torch's hub folder.

    Raises:
        AffectkitError: the package is not installed, or weights are missing and cannot be fetched.
    """
    if finder not in FINDERS:
        raise unknown("face-alignment finder", finder, FINDERS)
    return adapt(_load(finder, device, weights))


@cache
def _load(finder: str, device: str | None, weights: Path | str | None) -> Any:  # noqa: ANN401
    try:
        import face_alignment
        import torch
    except ImportError:
        raise missing_extra("face-alignment", "faces") from None
    with _hub_folder(weights), _explained(finder):
        return face_alignment.FaceAlignment(
            face_alignment.LandmarksType.TWO_D,
            device=device or ("cuda" if torch.cuda.is_available() else "cpu"),
            face_detector=finder,
            compile=False,  # compiling takes longer than a video, and warns
        )


def adapt(net: Any) -> Detector:  # noqa: ANN401
    """Make a detector of a `FaceAlignment` of the face-alignment package."""

    def find(picture: Picture) -> tuple[Boxes, NDArray[np.bool_]]:
        found = net.face_detector.detect_from_image(np.array(picture))
        boxes = np.array([face[:4] for face in found], np.float32).reshape(-1, 4)
        return boxes, np.ones(len(boxes), bool)

    def fit(picture: Picture, boxes: Boxes) -> Points:
        if not len(boxes):
            return np.empty((0, POINTS, 2), np.float32)
        faces = list(boxes.astype(np.float64))  # the package takes no float32
        points = net.get_landmarks_from_image(np.array(picture), detected_faces=faces)
        return np.array(points, np.float32) + np.float32(0.5)

    return Detector(find, fit)


@contextmanager
def _hub_folder(folder: Path | str | None) -> Iterator[None]:
    """Let torch look for weights in `folder` meanwhile."""
    import torch

    before = torch.hub.get_dir()
    if folder is not None:
        if not Path(folder).is_dir():
            raise AffectkitError(f"{folder} is not a folder; expected one with checkpoints/ in it")
        torch.hub.set_dir(str(folder))
    try:
        yield
    finally:
        torch.hub.set_dir(before)


@contextmanager
def _explained(finder: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:  # what urllib raises without a net, too
        raise AffectkitError(_missing(finder, error)) from None
    except (RuntimeError, ValueError, EOFError, ImportError, UnpicklingError) as error:
        reason = str(error).splitlines()[0]
        raise AffectkitError(
            f"face-alignment with {finder!r} cannot be loaded ({reason}); remove damaged files "
            f"from {_checkpoints()}, or use --detector dlib, which needs no download"
        ) from None


def _missing(finder: str, error: OSError) -> str:
    return (
        f"face-alignment's weights could not be fetched ({getattr(error, 'reason', error)}): put "
        f"{' and '.join(missing_weights(finder))} into {_checkpoints()}, "
        "or use --detector dlib, which needs no download"
    )


def missing_weights(finder: str = "sfd") -> list[str]:
    """Addresses of the weights that do not lie in torch's hub folder yet."""
    return [url for url in weight_urls(finder) if not (_checkpoints() / _file_name(url)).exists()]


def weight_urls(finder: str) -> list[str]:
    """Addresses of the weights that a finder and the 68 points need."""
    api = importlib.import_module("face_alignment.api")
    module = importlib.import_module(f"face_alignment.detection.{finder}.{finder}_detector")
    found = getattr(module, "models_urls", None) or {finder: module.model_url}
    # blazeface has a second pair for the back camera, which is not used here
    return [api.models_urls[NETWORK], *(url for name, url in found.items() if "back" not in name)]


def _file_name(url: str) -> str:
    return Path(urlparse(url).path).name


def _checkpoints() -> Path:
    import torch

    return Path(torch.hub.get_dir()) / "checkpoints"
