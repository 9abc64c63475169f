"""Face detectors on the same pictures: faces found, time, jitter and agreement of their points.

Distances between points are shares of the distance of the outer eye corners. What is measured:

- found: the faces of which a detector is confident, in all pictures.
- ms: median processor time of a picture, detection and the 68 points of all faces. Other programs
  that run meanwhile change it little.
- jitter: each picture is repeated with other noise, as a camera records a face that does not move;
  the mean distance of each point from its mean.
- from truth, from dlib: the mean distance of the points from the true ones of synthetic faces, and
  from those of dlib, for the largest face of a picture if both found it.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from affectkit.datasets import synthetic
from affectkit.errors import AffectkitError
from affectkit.faces import Detector, load_detector
from affectkit.faces.detector import Picture, Points
from affectkit.faces.face_alignment import missing_weights
from affectkit.files import StrPath
from affectkit.recording import POINTS
from affectkit.video import read_frames

SUBJECTS, SECONDS, FPS = 6, 2, 4  # of the synthetic faces
EVERY, FRAMES = 4, 120  # of a video: every 4th frame, at most 120
STILLS, REPEATS, NOISE = 6, 8, 3.0  # jitter: pictures, copies of each, grey levels
SAME_PLACE = 0.5  # distance between the points of one face
NO_FACE = np.empty((0, POINTS, 2), np.float32)
PICTURE_SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp")
VIDEO_SUFFIXES = (".mp4", ".gif", ".avi", ".mov", ".mkv", ".webm")
OPTIONS: dict[str, tuple[str, dict[str, Any]]] = {
    "dlib": ("dlib", {}),
    "blazeface": ("blazeface", {}),
    "blazeface, short range": ("blazeface", {"range": "short"}),
    "face-alignment": ("face-alignment", {}),
}


@dataclass
class Measured:
    """What one detector found in pictures."""

    found: int = 0
    seconds: list[float] = field(default_factory=list)
    points: list[Points] = field(default_factory=list)  # of each picture, the largest face first


def bench_detectors(folder: StrPath | None = None) -> list[dict[str, Any]]:
    """Compare the detectors on synthetic faces, and on the videos and pictures of a folder.

    Raises:
        AffectkitError: the folder has no pictures or videos.
    """
    detectors, missing = _load_detectors()
    rows = []
    for source, (pictures, truth) in _sources(folder):
        measured = measure_detectors(detectors, pictures)
        for name, of_detector in measured.items():
            jitter = measure_jitter(detectors[name], pictures[:: max(1, len(pictures) // STILLS)])
            rows.append(
                {
                    "pictures": f"{source} ({len(pictures)})",
                    "detector": name,
                    "found": str(of_detector.found),
                    "ms": f"{1e3 * float(np.median(of_detector.seconds)):.1f}",
                    "jitter": _percent(jitter),
                    "from truth": _percent(mean_distance(of_detector.points, truth)),
                    "from dlib": _percent(
                        mean_distance(of_detector.points, measured["dlib"].points)
                    ),
                }
            )
    empty = dict.fromkeys(rows[0], "")
    return rows + [empty | {"detector": name, "found": text} for name, text in missing]


def _load_detectors() -> tuple[dict[str, Detector], list[tuple[str, str]]]:
    """The detectors, and the names of those that cannot be loaded, with the reason."""
    detectors, missing = {}, []
    for label, (name, options) in OPTIONS.items():
        try:
            if name == "face-alignment" and missing_weights():
                raise AffectkitError("its weights are not in torch's hub folder")
            detectors[label] = load_detector(name, **options)
        except (AffectkitError, ImportError) as error:
            if name == "dlib":  # what the others are compared with
                raise
            missing.append((label, f"not measured: {error}"))
    return detectors, missing


Source = tuple[list[Picture], list[Points]]  # pictures, and the true points of their faces


def _sources(folder: StrPath | None) -> Iterator[tuple[str, Source]]:
    paths = sorted(Path(folder).iterdir()) if folder and Path(folder).is_dir() else []
    videos = [path for path in paths if path.suffix.lower() in VIDEO_SUFFIXES]
    stills = [path for path in paths if path.suffix.lower() in PICTURE_SUFFIXES]
    if folder and not videos and not stills:
        raise AffectkitError(f"{folder}: expected a folder with videos or pictures of faces")
    with TemporaryDirectory() as temporary:
        yield "synthetic", _synthetic(Path(temporary))
    for path in videos:
        frames = [rgb[0] for _, rgb in islice(read_frames(path, EVERY), FRAMES)]
        yield path.name, (frames, [NO_FACE] * len(frames))
    if stills:
        pictures = [_read_picture(path) for path in stills]
        yield "pictures", (pictures, [NO_FACE] * len(pictures))


def _synthetic(folder: Path) -> Source:
    root = synthetic.write_synthetic(
        folder / "data", subjects=(SUBJECTS, 0, 0), seconds=SECONDS, fps=FPS, workers=1
    )
    pictures, truth = [], []
    for _, row in synthetic.index(root).iterrows():
        landmark = synthetic.ground_truth(root, row["recording"])["landmark"].values
        rgb = np.concatenate([rgb for _, rgb in read_frames(row["video"])])
        pictures += list(rgb)
        truth += list(landmark[: len(rgb), None])
    return pictures, truth


def _read_picture(path: Path) -> Picture:
    try:
        with Image.open(path) as image:
            return np.asarray(image.convert("RGB"), np.uint8)
    except (OSError, UnidentifiedImageError) as error:
        raise AffectkitError(f"{path} cannot be read ({error}); remove it") from None


def measure_detectors(
    detectors: Mapping[str, Detector], pictures: Sequence[Picture]
) -> dict[str, Measured]:
    """Run each detector on each picture; the first run of each is not timed."""
    measured = {name: Measured() for name in detectors}
    for detector in detectors.values():
        _find_points(detector, pictures[0])
    for picture in pictures:
        for name, detector in detectors.items():
            start = time.process_time()
            points = _find_points(detector, picture)
            measured[name].seconds.append(time.process_time() - start)
            measured[name].found += len(points)
            measured[name].points.append(points)
    return measured


def _find_points(detector: Detector, picture: Picture) -> Points:
    """The points of all faces, the largest first."""
    boxes, score = detector.detect(picture)
    boxes = boxes[detector.is_confident(score)]
    area = (boxes[:, 2:] - boxes[:, :2]).prod(axis=1)
    return detector.landmarks(picture, boxes[np.argsort(-area, kind="stable")])


def measure_jitter(detector: Detector, pictures: Sequence[Picture]) -> float:
    """Mean distance of the points from their mean, over noisy copies of each picture."""
    noise = np.random.default_rng(0)
    jitter = []
    for picture in pictures[:STILLS]:
        copies = [
            np.clip(picture + noise.normal(0, NOISE, picture.shape), 0, 255).astype(np.uint8)
            for _ in range(REPEATS)
        ]
        found = [_find_points(detector, copy) for copy in copies]
        if not len(found[0]):
            continue
        same = [face for points in found if (face := same_face(points, found[0][0])) is not None]
        middle = np.mean(same, axis=0)
        jitter += [distance(face, middle) for face in same]
    return float(np.mean(jitter)) if jitter else np.nan


def mean_distance(points: Sequence[Points], others: Sequence[Points]) -> float:
    """Mean `distance` from the largest faces of `others`, where both found them; else NaN."""
    distances = []
    for one, other in zip(points, others, strict=True):
        face = same_face(one, other[0]) if len(other) else None
        if face is not None:
            distances.append(distance(face, other[0]))
    return float(np.mean(distances)) if distances else np.nan


def same_face(points: Points, other: NDArray[np.floating]) -> NDArray[np.float32] | None:
    """The face of `points` (face, point, axis) that is at the place of `other` (point, axis)."""
    distances = [distance(face, other) for face in points]
    nearest = int(np.argmin(distances)) if distances else -1
    return points[nearest] if distances and distances[nearest] < SAME_PLACE else None


def distance(points: NDArray[np.floating], others: NDArray[np.floating]) -> float:
    """Mean distance of points (point, axis) over the distance of the outer eye corners."""
    eyes = float(np.linalg.norm(others[36] - others[45]))
    return float(np.linalg.norm(points - others, axis=1).mean()) / eyes


def _percent(share: float) -> str:
    return "" if np.isnan(share) else f"{100 * share:.2f} %"
