"""Aff-Wild2: videos from the web, with valence and arousal for every frame.

Layout, below the root (annotations up to two folders further down, videos and crops one):
    batch1/ batch2/ ... raw_videos/ new_vids/                           NAME.mp4 or NAME.avi
    VA_Estimation_Challenge/{Train_Set,Validation_Set,Test_Set}/        NAME.txt   ABAW3 and later
    annotations/VA_Set/{Train_Set,Training_Set,Validation_Set}/         NAME.txt   ABAW1 and 2
    cropped_aligned/NAME/                                               read by `affwild2.crops`
A text file has the header `valence,arousal`, then one line `v,a` for each frame of the video.

Quirks:
- Line k is frame k of the decoded video. Some files have one line more than the video has frames.
- -5 in either column means that the frame is not annotated, with any value in the other.
- Frame rates are between 7.5 and 30, many of them unusual: use the time stamps, never k / fps.
- A video of two people has an annotation for each, `NAME_left` and `NAME_right`, or `NAME` and one
  of these: then `NAME` is the other side. If both exist next to `NAME`, `NAME` has no side: it is
  the viewer, the person seen in most frames. The folders of crops count as names too, since not
  every track has an annotation. All belong to one video, and to one split. If there is a video
  `NAME_left`, the two people were cut into separate videos, and the recording has no side.
- Subjects are not named: each video counts as one subject.
- Files of other tasks (EXPR, AU, MTL) have the same names. They are ignored.
- Unpacking can nest a folder in a folder of the same name; the outer copy of a file is read. A name
  in two splits is read from the first, with a warning.
- Some archives contain `.DS_Store` and other hidden files.
- The annotations of the test set are not published. Videos without annotation are not listed.

Citation: Kollias and Zafeiriou, "Expression, Affect, Action Unit Recognition: Aff-Wild2,
Multi-Task Learning and ArcFace", BMVC 2019; Kollias, "ABAW: Valence-Arousal Estimation, Expression
Recognition, Action Unit Detection & Multi-Task Learning Challenges", CVPRW 2022.
Licence: for academic, non-commercial research, under an agreement signed with the authors.
"""

import warnings
from pathlib import Path
from typing import Any

import pandas as pd
import xarray as xr

from affectkit.datasets.affwild2 import crops
from affectkit.datasets.affwild2.files import (
    HEADER,
    NOT_ANNOTATED,
    annotation_file,
    find_annotations,
    find_crops,
    find_videos_of,
    read_annotation,
    side_of,
    split_of,
    video_name,
)
from affectkit.datasets.annotation import make_annotation
from affectkit.datasets.index import make_index, video_columns
from affectkit.files import StrPath

ALIGNMENT = "line k is frame k"

__all__ = [
    "ALIGNMENT",
    "HEADER",
    "NOT_ANNOTATED",
    "annotations",
    "crops",
    "index",
    "read_annotation",
]


def index(root: StrPath) -> pd.DataFrame:
    """List the annotated recordings under `root`, one row each, sorted by split and name.

    If `root` has crops but no videos, the recordings are listed without video, and a warning names
    the dataset that reads crops.

    Raises:
        AffectkitError: `root` has no annotations in one of the known layouts.
    """
    root = Path(root)
    found, videos, cropped = find_annotations(root), find_videos_of(root), find_crops(root)
    if cropped and not videos:
        warnings.warn(
            f"{root} has crops but no videos; to read the crops, use the dataset affwild2-crops",
            stacklevel=2,
        )
    tracks = {*found, *cropped}
    return make_index(_row(path, videos, tracks) for path in found.values())


def _row(path: Path, videos: dict[str, Path], tracks: set[str]) -> dict[str, Any]:
    name, video = path.stem, video_name(path.stem)
    cut_apart = name != video and name in videos
    return {
        "recording": name,
        "subject": video,
        "split": split_of(path),
        "person": "" if cut_apart else side_of(name, tracks),
        "annotation": (str(path),),
        **video_columns(videos.get(name) or videos.get(video)),
    }


def annotations(root: StrPath, name: str) -> xr.Dataset:
    """Read the annotation (frame, affect) of one recording.

    Raises:
        AffectkitError: there is no such recording, or its file has another format; names the line.
    """
    values = read_annotation(annotation_file(Path(root), name))
    return make_annotation(values, dataset="affwild2", recording=name, alignment=ALIGNMENT)
