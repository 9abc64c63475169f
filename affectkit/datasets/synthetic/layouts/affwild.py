"""Aff-Wild, the first release: videos, one text file per affect, boxes and true landmarks.

Validation subjects are in `train`, since there is no validation split. Test subjects have no
annotations, so no loader lists them. With quirks: everything in the top folder of the archive and
nested in `train/train`, frames without face, CRLF, hidden files, corners in another order. Subjects
with odd numbers have one line for each frame with a box, the others one line per frame and one
extra.
"""

from pathlib import Path

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from affectkit.datasets import affwild
from affectkit.datasets.affwild import BY_BOX, BY_FRAME
from affectkit.datasets.annotation import box_around, make_annotation
from affectkit.datasets.synthetic.layouts.layout import (
    Layout,
    true_landmarks,
    write_once,
)
from affectkit.datasets.synthetic.rendering import render_video
from affectkit.datasets.synthetic.scene import Scene, Settings, make_scene
from affectkit.recording import AFFECT, AXIS, DIMS, EDGE
from affectkit.video import write_video

TOP = "aff_wild_annotations_bboxes_landmarks_new"
FACELESS = (1, 4)  # frames without box and landmarks, with quirks
UNMARKED = 2  # frame with a box but without landmarks, with quirks
CORNERS = ((0, 1), (0, 3), (2, 3), (2, 1))  # the edges with x and y of each corner
DECIMALS = 4


def write(root: Path, settings: Settings, number: int) -> None:
    """Write the video, annotation, boxes and landmarks of one subject."""
    name, scene = settings.names[number], make_scene(settings, number)
    base = root / TOP if settings.quirks else root
    split = "test" if settings.split(number) == "test" else "train"
    nested = f"{split}/{split}" if settings.quirks else split
    if split == "train":
        for column, affect in enumerate(AFFECT):
            text = "".join(
                f"{value:.{DECIMALS}f}\n" for value in _lines(settings, number)[:, column]
            )
            path = base / "annotations" / split / affect / f"{name}.txt"
            write_once(path, text, end="\r\n" if settings.quirks else "\n")
    for kind, points in zip(("bboxes", "landmarks"), _points(settings, scene), strict=True):
        for frame, corners in points.items():
            write_once(base / kind / nested / name / f"{frame + 1}.pts", _points_text(corners))
        if settings.quirks:
            write_once(base / kind / nested / name / "._1.pts", "")
    video = base / "videos" / nested / f"{name}.mp4"
    if not video.is_file():
        write_video(video, render_video(scene, settings.fps), fps=settings.fps)


def _by_box(settings: Settings, number: int) -> bool:
    return settings.quirks and number % 2 == 1 and settings.frames > FACELESS[0]


def _lines(settings: Settings, number: int) -> NDArray[np.float64]:
    """The mean of the raters (line, affect); this dataset annotates every frame."""
    values = make_scene(settings, number).rating.mean(axis=0).round(DECIMALS)
    if _by_box(settings, number):
        return np.delete(values, [frame for frame in FACELESS if frame < settings.frames], axis=0)
    return np.vstack([values, values[-1:]]) if settings.quirks else values


Points = dict[int, NDArray[np.float64]]


def _points(settings: Settings, scene: Scene) -> tuple[Points, Points]:
    """The corners of boxes (point, axis) and the landmarks (point, axis), by frame."""
    landmark = dict(enumerate(true_landmarks(scene, 1)))
    if settings.quirks:
        landmark = {frame: points for frame, points in landmark.items() if frame not in FACELESS}
    order = CORNERS[::-1] if settings.quirks else CORNERS
    boxes = {
        frame: box_around(points[None])[0][np.array(order)] for frame, points in landmark.items()
    }
    if settings.quirks:
        landmark.pop(UNMARKED, None)
    return boxes, landmark


def _points_text(points: NDArray[np.float64]) -> str:
    rows = [f"{x:.1f} {y:.1f}" for x, y in points]
    return "\n".join(["version: 1", f"n_points: {len(rows)}", "{", *rows, "}", ""])


def expected(settings: Settings, number: int) -> dict[str, xr.Dataset]:
    """The mean of the raters, rounded as in the file, on the frames of its lines."""
    if settings.split(number) == "test":
        return {}
    name, scene, lines = (
        settings.names[number],
        make_scene(settings, number),
        _lines(settings, number),
    )
    boxes, landmark = _points(settings, scene)
    by_box = _by_box(settings, number)
    rule = BY_BOX if by_box else BY_FRAME
    count = settings.frames + (settings.quirks and not by_box)
    frame = [number for number in range(count) if not by_box or number in boxes]
    annotation = make_annotation(
        lines,
        dataset="synthetic",
        recording=name,
        frame=frame,
        alignment=affwild.alignment_text(rule, len(lines), settings.frames, len(boxes)),
    )
    corners, points = _filled(boxes, frame, len(CORNERS)), _filled(landmark, frame, 68)
    faces = {"box": (DIMS["box"], box_around(corners)), "landmark": (DIMS["landmark"], points)}
    return {name: annotation.assign(faces).assign_coords(edge=list(EDGE), axis=list(AXIS))}


def _filled(points: Points, frame: list[int], count: int) -> NDArray[np.float32]:
    """Points (frame, point, axis); NaN in frames without points."""
    empty = np.full((count, len(AXIS)), np.nan)
    return np.array([points.get(number, empty) for number in frame], np.float32)


LAYOUT = Layout(affwild.index, affwild.annotations, write, expected)
