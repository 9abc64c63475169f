"""Aff-Wild, the first release: reaction videos from the web, valence and arousal for every frame.

Layout, below the root or one or two folders down (`aff_wild_annotations_bboxes_landmarks_new/`):
    videos/{train,test}/                          ID.mp4 or ID.avi
    annotations/train/{valence,arousal}/          ID.txt      a number a line, no header
    bboxes/{train,test}/ID/                       1.pts 2.pts ...    four corners of the face
    landmarks/{train,test}/ID/                    1.pts 2.pts ...    68 points
Unpacking the archives inside gives `train/train`; both depths are read.

Traps:
- Nobody says which frame a line belongs to, and three rules are in use. Here the counts of each
  recording decide. A line belongs to a frame with a box where lines are as many as boxes and not as
  many as frames; else line i is frame i, from 0 on. The third rule, lines indexed by the number in
  a `.pts` name, is off by one and never taken. Frames are counted in the file, not in its header.
  `attrs["alignment"]` says rule and counts; where no rule fits, `on_frames` warns.
- `.pts` names are frame numbers from 1 on, without leading zeros: number n is frame n - 1.
- No file for a number means that no face was found: NaN. There is no code for "not annotated".
- A box is the range of its four corners, whatever their order.
- The two files of a recording may differ in length: the shorter one counts, with a warning.
- The label belongs to the viewer who reacts, not to a face in the film that is watched.
- Subjects are not named: the video stands for its person. There is no validation part.
- The test set has no annotations; videos without annotation are not listed here.
- Boxes have been seen packed as JSON lists elsewhere; no such file is known, so none is read.

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

from affectkit.datasets.affwild.finding import Texts, find_points, find_texts, find_videos_of
from affectkit.datasets.affwild.points import read_points
from affectkit.datasets.affwild.text import read_values
from affectkit.datasets.listing import announced, make_index
from affectkit.datasets.pictures import box_around
from affectkit.datasets.placing import annotate
from affectkit.errors import AffectkitError, unknown
from affectkit.recording import AFFECT, AXIS, DIMS, EDGE, POINTS
from affectkit.video import read_packets

CORNERS = 4
BY_FRAME = "line i is frame i"
BY_BOX = "a line for each frame with a box"

__all__ = ["BY_BOX", "BY_FRAME", "annotations", "counted", "index"]


def index(root: Path) -> pd.DataFrame:
    """List the annotated recordings under `root`, one row each, by split and name.

    Raises:
        AffectkitError: `root` has no annotations in this layout.
    """
    root = Path(root)
    found, videos = find_texts(root), find_videos_of(root)
    return make_index(
        {
            "recording": name,
            "subject": name,
            "split": texts.split,
            "annotation": tuple(str(path) for path in texts.paths.values()),
            **announced(videos.get(name)),
        }
        for name, texts in found.items()
    )


def annotations(root: Path, name: str) -> xr.Dataset:
    """Read `annotation` (frame, affect) and what the archive found: `box` and `landmark`.

    Boxes and landmarks are left out where the archive has none of this recording.

    Raises:
        AffectkitError: there is no such recording, or a file of it is not in the format; names the
            line.
    """
    root = Path(root)
    found = find_texts(root)
    if name not in found:
        raise unknown("recording", name, found)
    values = _read(name, found[name])
    faces = _read_faces(root, found[name].split, name)
    boxed = faces["box"]["frame"].values if "box" in faces else np.arange(0)
    frames = _count_frames(find_videos_of(root).get(name))
    rule = BY_BOX if len(boxed) == len(values) != frames else BY_FRAME
    known = annotate(
        values,
        dataset="affwild",
        recording=name,
        frame=boxed if rule == BY_BOX else None,
        alignment=counted(rule, len(values), frames, len(boxed)),
    )
    _compare(known, boxed)
    return _bring(known, faces)


def counted(rule: str, lines: int, frames: int, boxes: int) -> str:
    """The rule that laid lines on frames, and the counts that decided; 0 frames = not known."""
    return f"{rule}: {lines} lines, {frames or 'unknown'} video frames, {boxes} boxes"


def _read(name: str, texts: Texts) -> NDArray[np.float64]:
    """Values (line, affect), as many as the shorter of the two files has."""
    absent = [affect for affect in AFFECT if affect not in texts.paths]
    if absent:
        there = next(iter(texts.paths.values()))
        raise AffectkitError(f"{name} has no {absent[0]}/{there.name}, only {there}")
    columns = [read_values(texts.paths[affect]) for affect in AFFECT]
    lengths = [len(column) for column in columns]
    if len(set(lengths)) > 1:
        files = " and ".join(
            f"{length} lines in {texts.paths[affect]}"
            for affect, length in zip(AFFECT, lengths, strict=True)
        )
        warnings.warn(f"{name}: {files}; read to line {min(lengths)}", stacklevel=3)
    return np.stack([column[: min(lengths)] for column in columns], axis=1)


def _read_faces(root: Path, split: str, name: str) -> dict[str, xr.DataArray]:
    """Boxes (frame, edge) and landmarks (frame, point, axis), on the frames that have them."""
    corners = _stacked(find_points(root, "bboxes", split, name), CORNERS)
    points = _stacked(find_points(root, "landmarks", split, name), POINTS)
    faces = {"landmark": points} if len(points) else {}
    source = corners if len(corners) else points
    if len(source):
        coords = {"frame": source["frame"].values, "edge": list(EDGE)}
        faces["box"] = xr.DataArray(box_around(source.values), coords, DIMS["box"])
    return faces


def _stacked(paths: dict[int, Path], count: int) -> xr.DataArray:
    shape = (len(paths), count, len(AXIS))
    values = np.array([read_points(path, count) for path in paths.values()], np.float32)
    coords = {"frame": np.array(list(paths), np.int64), "axis": list(AXIS)}
    return xr.DataArray(values.reshape(shape), coords, DIMS["landmark"])


def _count_frames(video: Path | None) -> int:
    try:
        return sum(packet.shown for packet in read_packets(video)) if video else 0
    except AffectkitError:  # whoever opens the video reports it
        return 0


def _compare(known: xr.Dataset, boxed: NDArray[Any]) -> None:
    lines, last = known.sizes["frame"], int(boxed.max(initial=-1)) + 1
    if known["frame"].values[-1] + 2 < last:
        name = known.attrs["recording"]
        warnings.warn(f"{name}: annotated to frame {lines}, its boxes to {last}", stacklevel=3)


def _bring(known: xr.Dataset, faces: dict[str, xr.DataArray]) -> xr.Dataset:
    """Lay boxes and landmarks beside the annotation, on the frames that have any of them."""
    numbers = [array["frame"].values for array in (known, *faces.values())]
    frame = np.unique(np.concatenate(numbers))
    return known.reindex(frame=frame).assign(
        {name: array.reindex(frame=frame) for name, array in faces.items()}
    )
