"""Aff-Wild2 from its published crops (`cropped_aligned`), if the videos are not available.

Layout, below the root or one folder further down, with the annotations of `affwild2`:
    cropped_aligned/RECORDING/    00001.jpg 00002.jpg ...    112 x 112 pixels, upright face
    cropped_aligned_new_50_vids/RECORDING/                   the same, of later years
    batch1/ ...                                              videos, optional: only fps is read

Quirks, in addition to those of `affwild2`:
- Picture numbers start at 1: label line k belongs to picture k, which is frame k - 1. No line is
  removed before lines and pictures are paired, since that would shift all later ones.
- If no face was found, there is no picture. The frame stays, with its annotation and without
  `still`.
- Some copies have names padded with blanks (`     1.jpg`), `.DS_Store` and other files. Of two
  pictures with the same number, the one with five digits is read.
- Some folders have one picture more than label lines. A picture without line is ignored.
- A folder shows one person, so `person` is empty even if the video shows two.
- Pictures have no time stamps. The frame rate is that of the video if it exists, otherwise 30, as
  in most of the videos. Time is number / fps.

Citation and licence: see `affwild2`.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from affectkit.datasets.affwild2.files import (
    annotation_file,
    find_annotations,
    find_crops,
    find_videos_of,
    read_annotation,
    split_of,
    video_name,
)
from affectkit.datasets.annotation import make_annotation
from affectkit.datasets.index import make_index, not_found, video_columns, visible_files
from affectkit.errors import AffectkitError
from affectkit.files import StrPath, read_lines
from affectkit.recording import DIMS, EDGE

FPS = 30.0
SUFFIXES = (".jpg", ".jpeg", ".png")


def index(root: StrPath) -> pd.DataFrame:
    """List the annotated recordings under `root`, one row each, sorted by split and name.

    `video` is the folder of crops, "" if it is missing; `frames` is the number of label lines.

    Raises:
        AffectkitError: `root` has no annotations, or no crops.
    """
    root = Path(root)
    found, videos, crops = find_annotations(root), find_videos_of(root), find_crops(root)
    if not crops:
        raise not_found(
            "crops of Aff-Wild2",
            root,
            "cropped_aligned/NAME/00001.jpg here or one folder down (affwild2 reads videos)",
        )
    return make_index(_row(path, videos, crops) for path in found.values())


def _row(path: Path, videos: dict[str, Path], crops: dict[str, Path]) -> dict[str, Any]:
    name, video = path.stem, video_name(path.stem)
    columns = video_columns(videos.get(name) or videos.get(video))
    return {
        "recording": name,
        "subject": video,
        "split": split_of(path),
        "video": str(crops.get(name, "")),
        "annotation": (str(path),),
        "frames": _count_lines(path),
        "fps": FPS if np.isnan(columns["fps"]) else columns["fps"],
    }


def _count_lines(path: Path) -> int:
    try:
        return max(len(read_lines(path)) - 1, 0)
    except AffectkitError:  # reported when the annotation is read
        return 0


def annotations(root: StrPath, name: str) -> xr.Dataset:
    """Read `annotation` (frame, affect), `still` (frame) and `crop_box` (frame, edge).

    `still` is the name of a picture in the folder of the recording, "" if it is missing;
    `crop_box` is the whole picture, NaN if it is missing.

    Raises:
        AffectkitError: there is no such recording, its file has another format, or none of its
            pictures can be read.
    """
    root = Path(root)
    values = read_annotation(annotation_file(root, name))
    folder = find_crops(root).get(name)
    pictures = _pictures(folder) if folder else {}
    still = np.array([pictures.get(number, "") for number in range(1, len(values) + 1)], np.str_)
    box = np.full((len(still), len(EDGE)), np.nan, np.float32)
    if folder and pictures:
        box[still != ""] = _picture_box(folder, pictures.values())
    alignment = alignment_text(len(values), len(pictures))
    annotation = make_annotation(
        values, dataset="affwild2-crops", recording=name, alignment=alignment
    )
    variables = {"still": (DIMS["still"], still), "crop_box": (DIMS["crop_box"], box)}
    return annotation.assign(variables).assign_coords(edge=list(EDGE))


def alignment_text(lines: int, pictures: int) -> str:
    """The alignment rule, and the number of lines and pictures."""
    return f"line k is picture k: {lines} lines, {pictures} pictures"


def _pictures(folder: Path) -> dict[int, str]:
    """The names of pictures by number; names with five digits sort last and replace others."""
    return {
        int(path.stem): path.name
        for path in visible_files(folder, "*")
        if path.suffix.lower() in SUFFIXES and path.stem.strip().isdecimal()
    }


def _picture_box(folder: Path, names: Iterable[str]) -> NDArray[np.float32]:
    """The edges of the first readable picture; all pictures in a folder have one size."""
    for name in names:
        picture = cv2.imread(str(folder / name))
        if picture is not None:
            return np.array([0, 0, picture.shape[1], picture.shape[0]], np.float32)
    raise AffectkitError(f"{folder}: none of its pictures can be read; unpack it again")
