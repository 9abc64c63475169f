"""Aff-Wild, the first release: reaction videos from the web, with valence and arousal per frame.

Layout, below the root or one or two folders down (`aff_wild_annotations_bboxes_landmarks_new/`):
    videos/{train,test}/                          ID.mp4 or ID.avi
    annotations/train/{valence,arousal}/          ID.txt      one number per line, no header
    bboxes/{train,test}/ID/                       1.pts 2.pts ...    four corners of the face
    landmarks/{train,test}/ID/                    1.pts 2.pts ...    68 points
The inner archives unpack as `train/train`; both depths are read.

Quirks:
- It is not documented which frame a line belongs to, and three rules are in use. The loader picks
  one per recording, from the counts. If the number of lines equals the number of boxes and not the
  number of frames, each line belongs to a frame with a box. Otherwise line i is frame i, from 0.
  The third rule, lines indexed by the number in a `.pts` name, is off by one and never used. Frames
  are counted in the file, not in its header. `attrs["alignment"]` contains the rule and the counts;
  if no rule fits, `align_to_frames` warns.
- The names of `.pts` files are frame numbers from 1, without leading zeros: number n is frame n -
  1.
- A missing number means that no face was found: NaN. There is no code for "not annotated".
- A box is the range of its four corners, in any order.
- The two files of a recording may have different lengths: the shorter one counts, with a warning.
- The annotation is of the viewer who reacts, not of a face in the video that is watched.
- Subjects are not named: each video counts as one subject. There is no validation split.
- The test set has no annotations; videos without annotation are not listed.
- Boxes in JSON lists exist elsewhere. No such file was available, so they are not read.

Citation: Zafeiriou, Kollias, Nicolaou, Papaioannou, Zhao and Kotsia, "Aff-Wild: Valence and Arousal
in-the-wild Challenge", CVPRW 2017; Kollias et al., "Deep Affect Prediction in-the-Wild", IJCV 2019.
Licence: for academic, non-commercial research, under an agreement signed with the authors.
"""

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from affectkit.datasets.affwild.files import (
    AnnotationFiles,
    find_annotations,
    find_points,
    find_videos_of,
    read_points,
    read_values,
)
from affectkit.datasets.annotation import box_around, make_annotation
from affectkit.datasets.index import make_index, video_columns
from affectkit.errors import AffectkitError, unknown
from affectkit.files import StrPath
from affectkit.recording import AFFECT, AXIS, DIMS, EDGE, POINTS
from affectkit.video import read_packets

CORNERS = 4
BY_FRAME = "line i is frame i"
BY_BOX = "a line for each frame with a box"

__all__ = ["BY_BOX", "BY_FRAME", "alignment_text", "annotations", "index"]


def index(root: StrPath) -> pd.DataFrame:
    """List the annotated recordings under `root`, one row each, by split and name.

    Raises:
        AffectkitError: `root` has no annotations in this layout.
    """
    root = Path(root)
    found, videos = find_annotations(root), find_videos_of(root)
    return make_index(
        {
            "recording": name,
            "subject": name,
            "split": files.split,
            "annotation": tuple(str(path) for path in files.paths.values()),
            **video_columns(videos.get(name)),
        }
        for name, files in found.items()
    )


def annotations(root: StrPath, name: str) -> xr.Dataset:
    """Read `annotation` (frame, affect), `box` and `landmark`.

    The result has no boxes or landmarks if the archive has none for this recording.

    Raises:
        AffectkitError: there is no such recording, or a file has another format; names the line.
    """
    root = Path(root)
    found = find_annotations(root)
    if name not in found:
        raise unknown("recording", name, found)
    values = _read(name, found[name])
    faces = _read_faces(root, found[name].split, name)
    boxed = faces["box"]["frame"].values if "box" in faces else np.arange(0)
    frames = _count_frames(find_videos_of(root).get(name))
    rule = BY_BOX if len(boxed) == len(values) != frames else BY_FRAME
    annotation = make_annotation(
        values,
        dataset="affwild",
        recording=name,
        frame=boxed if rule == BY_BOX else None,
        alignment=alignment_text(rule, len(values), frames, len(boxed)),
    )
    _warn_if_short(annotation, boxed)
    return _add_faces(annotation, faces)


def alignment_text(rule: str, lines: int, frames: int, boxes: int) -> str:
    """The alignment rule and the counts behind it; 0 frames = unknown."""
    return f"{rule}: {lines} lines, {frames or 'unknown'} video frames, {boxes} boxes"


def _read(name: str, files: AnnotationFiles) -> NDArray[np.float64]:
    """Values (line, affect), cut to the shorter of the two files."""
    absent = [affect for affect in AFFECT if affect not in files.paths]
    if absent:
        there = next(iter(files.paths.values()))
        raise AffectkitError(
            f"recording {name!r}: expected a file {absent[0]}/{there.name}, found only {there}"
        )
    columns = [read_values(files.paths[affect]) for affect in AFFECT]
    lengths = [len(column) for column in columns]
    if len(set(lengths)) > 1:
        counts = " and ".join(
            f"{length} lines in {files.paths[affect]}"
            for affect, length in zip(AFFECT, lengths, strict=True)
        )
        warnings.warn(
            f"recording {name}: {counts}; lines after {min(lengths)} are ignored", stacklevel=3
        )
    return np.stack([column[: min(lengths)] for column in columns], axis=1)


def _read_faces(root: Path, split: str, name: str) -> dict[str, xr.DataArray]:
    """Boxes (frame, edge) and landmarks (frame, point, axis) of the frames that have them."""
    corners = _stack_points(find_points(root, "bboxes", split, name), CORNERS)
    points = _stack_points(find_points(root, "landmarks", split, name), POINTS)
    faces = {"landmark": points} if len(points) else {}
    source = corners if len(corners) else points
    if len(source):
        coords = {"frame": source["frame"].values, "edge": list(EDGE)}
        faces["box"] = xr.DataArray(box_around(source.values), coords, DIMS["box"])
    return faces


def _stack_points(paths: dict[int, Path], count: int) -> xr.DataArray:
    shape = (len(paths), count, len(AXIS))
    values = np.array([read_points(path, count) for path in paths.values()], np.float32)
    coords = {"frame": np.array(list(paths), np.int64), "axis": list(AXIS)}
    return xr.DataArray(values.reshape(shape), coords, DIMS["landmark"])


def _count_frames(video: Path | None) -> int:
    try:
        return sum(packet.shown for packet in read_packets(video)) if video else 0
    except AffectkitError:  # reported when the video is opened
        return 0


def _warn_if_short(annotation: xr.Dataset, boxed: NDArray[Any]) -> None:
    lines, last = annotation.sizes["frame"], int(boxed.max(initial=-1)) + 1
    if annotation["frame"].values[-1] + 2 < last:
        name = annotation.attrs["recording"]
        warnings.warn(
            f"recording {name}: the annotation has {lines} frames, the boxes {last}", stacklevel=3
        )


def _add_faces(annotation: xr.Dataset, faces: dict[str, xr.DataArray]) -> xr.Dataset:
    """Add boxes and landmarks to the annotation, on all frames that have any of them."""
    numbers = [array["frame"].values for array in (annotation, *faces.values())]
    frame = np.unique(np.concatenate(numbers))
    return annotation.reindex(frame=frame).assign(
        {name: array.reindex(frame=frame) for name, array in faces.items()}
    )
