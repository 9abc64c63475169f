"""Aff-Wild2: videos from the web, valence and arousal for every video frame.

Layout, below the root (annotations up to two folders further down, videos and crops one):
    batch1/ batch2/ ... raw_videos/ new_vids/                           NAME.mp4 or NAME.avi
    VA_Estimation_Challenge/{Train_Set,Validation_Set,Test_Set}/        NAME.txt   ABAW3 and later
    annotations/VA_Set/{Train_Set,Training_Set,Validation_Set}/         NAME.txt   ABAW1 and 2
    cropped_aligned/NAME/                                               `affwild2_crops` reads these
A text file has the header `valence,arousal`, then one line `v,a` for each frame of the video.

Traps:
- Line k is frame k of the decoded video. Files have been seen with one line more than frames.
- -5 in either column means that the frame is not annotated, whatever the other column says.
- Frame rates run from 7.5 to 30, many of them odd: time is the container's, never k / fps.
- A video of two people has an annotation for each, `NAME_left` and `NAME_right`, or `NAME` and one
  of these: then `NAME` is the other side. Beside both, `NAME` has no side: the viewer, whoever is
  seen most. The crops' folders count as names too, since only some tracks have an annotation.
  All belong to one video, and in one split. Where a video `NAME_left` is there by itself, somebody
  has cut the people apart, and the recording has no side.
- Subjects are not named: the video stands for its people.
- Other tasks lie beside (EXPR, AU, MTL), with files of the same names: left out here.
- Unpacking can nest a folder in one of its own name; the outer copy of a file is taken. A name in
  two splits is read from the first, with a warning.
- Some archives bring `.DS_Store` and other hidden files.
- The test set's annotations are not handed out; videos without an annotation are not listed here.

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
from affectkit.datasets.affwild2.finding import (
    annotation_of,
    find_annotations,
    find_crops,
    find_videos_of,
    person_of,
    split_of,
    video_name,
)
from affectkit.datasets.affwild2.text import HEADER, NOT_ANNOTATED, read_annotation
from affectkit.datasets.listing import announced, make_index
from affectkit.datasets.placing import annotate

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


def index(root: Path) -> pd.DataFrame:
    """List the annotated recordings under `root`, one row each, by split and name.

    A root with crops but no videos gets a warning that names the dataset which reads them; the
    recordings are listed all the same, without video.

    Raises:
        AffectkitError: `root` has no annotations in one of the known layouts.
    """
    root = Path(root)
    found, videos, cropped = find_annotations(root), find_videos_of(root), find_crops(root)
    if cropped and not videos:
        warnings.warn(
            f"{root} holds crops but no videos: the dataset affwild2-crops reads those",
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
        "person": "" if cut_apart else person_of(name, tracks),
        "annotation": (str(path),),
        **announced(videos.get(name) or videos.get(video)),
    }


def annotations(root: Path, name: str) -> xr.Dataset:
    """Read the annotation (frame, affect) of one recording, a line a frame.

    Raises:
        AffectkitError: there is no such recording, or its file is not in the format; names the
            line.
    """
    values = read_annotation(annotation_of(root, name))
    return annotate(values, dataset="affwild2", recording=name, alignment=ALIGNMENT)
