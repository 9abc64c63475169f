"""Aff-Wild, the first release: videos, a text file an affect, boxes and true landmarks.

People of the validation split are in `train`, since there is no other; those of the test split have
no annotations, and are not read. With traps: all in the archive's top folder and nested in
`train/train`, frames without a face, CRLF, hidden files, corners in another order; people of odd
numbers have a line for each frame with a box, the others a line for each frame and one more.
"""

from pathlib import Path

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from affectkit.datasets import affwild
from affectkit.datasets.affwild import BY_BOX, BY_FRAME
from affectkit.datasets.pictures import box_around
from affectkit.datasets.placing import annotate
from affectkit.datasets.synthetic.film import film
from affectkit.datasets.synthetic.layouts.layout import Layout, write_once
from affectkit.datasets.synthetic.pictures import true_landmarks
from affectkit.datasets.synthetic.plan import Plan, Scene, make_scene
from affectkit.recording import AFFECT, AXIS, DIMS, EDGE
from affectkit.video import write_video

TOP = "aff_wild_annotations_bboxes_landmarks_new"
FACELESS = (1, 4)  # frames of the traps without box and landmarks
UNMARKED = 2  # frame of the traps with a box, but no landmarks
CORNERS = ((0, 1), (0, 3), (2, 3), (2, 1))  # edges that make x and y of a corner
DECIMALS = 4


def write(root: Path, plan: Plan, number: int) -> None:
    """Write one person's video, annotation, boxes and landmarks."""
    name, scene = plan.names[number], make_scene(plan, number)
    base = root / TOP if plan.traps else root
    split = "test" if plan.split(number) == "test" else "train"
    nested = f"{split}/{split}" if plan.traps else split
    if split == "train":
        for column, affect in enumerate(AFFECT):
            text = "".join(f"{value:.{DECIMALS}f}\n" for value in _lines(plan, number)[:, column])
            path = base / "annotations" / split / affect / f"{name}.txt"
            write_once(path, text, end="\r\n" if plan.traps else "\n")
    for kind, points in zip(("bboxes", "landmarks"), _points(plan, scene), strict=True):
        for frame, drawn in points.items():
            write_once(base / kind / nested / name / f"{frame + 1}.pts", _points_text(drawn))
        if plan.traps:
            write_once(base / kind / nested / name / "._1.pts", "")
    video = base / "videos" / nested / f"{name}.mp4"
    if not video.is_file():
        write_video(video, film(scene, plan.fps), fps=plan.fps)


def _by_box(plan: Plan, number: int) -> bool:
    return plan.traps and number % 2 == 1 and plan.frames > FACELESS[0]


def _lines(plan: Plan, number: int) -> NDArray[np.float64]:
    """The mean of the raters (line, affect); this dataset leaves no frame out."""
    values = make_scene(plan, number).rating.mean(axis=0).round(DECIMALS)
    if _by_box(plan, number):
        return np.delete(values, [frame for frame in FACELESS if frame < plan.frames], axis=0)
    return np.vstack([values, values[-1:]]) if plan.traps else values


Points = dict[int, NDArray[np.float64]]


def _points(plan: Plan, scene: Scene) -> tuple[Points, Points]:
    """The corners of boxes (point, axis) and the landmarks (point, axis), by frame."""
    landmark = dict(enumerate(true_landmarks(scene, 1)))
    if plan.traps:
        landmark = {frame: points for frame, points in landmark.items() if frame not in FACELESS}
    order = CORNERS[::-1] if plan.traps else CORNERS
    boxes = {
        frame: box_around(points[None])[0][np.array(order)] for frame, points in landmark.items()
    }
    if plan.traps:
        landmark.pop(UNMARKED, None)
    return boxes, landmark


def _points_text(points: NDArray[np.float64]) -> str:
    rows = [f"{x:.1f} {y:.1f}" for x, y in points]
    return "\n".join(["version: 1", f"n_points: {len(rows)}", "{", *rows, "}", ""])


def written(plan: Plan, number: int) -> dict[str, xr.Dataset]:
    """The mean of the raters, rounded as in the file, on the frames that its lines belong to."""
    if plan.split(number) == "test":
        return {}
    name, scene, lines = plan.names[number], make_scene(plan, number), _lines(plan, number)
    boxes, landmark = _points(plan, scene)
    by_box = _by_box(plan, number)
    rule = BY_BOX if by_box else BY_FRAME
    count = plan.frames + (plan.traps and not by_box)
    frame = [number for number in range(count) if not by_box or number in boxes]
    known = annotate(
        lines,
        dataset="synthetic",
        recording=name,
        frame=frame,
        alignment=affwild.counted(rule, len(lines), plan.frames, len(boxes)),
    )
    corners, points = _filled(boxes, frame, len(CORNERS)), _filled(landmark, frame, 68)
    faces = {"box": (DIMS["box"], box_around(corners)), "landmark": (DIMS["landmark"], points)}
    return {name: known.assign(faces).assign_coords(edge=list(EDGE), axis=list(AXIS))}


def _filled(points: Points, frame: list[int], count: int) -> NDArray[np.float32]:
    """Points (frame, point, axis), NaN where a frame has none."""
    empty = np.full((count, len(AXIS)), np.nan)
    return np.array([points.get(number, empty) for number in frame], np.float32)


LAYOUT = Layout(affwild.index, affwild.annotations, write, written)
