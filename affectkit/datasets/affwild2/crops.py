"""Aff-Wild2 from the crops that come with it: `cropped_aligned`, where the videos are not at hand.

Layout, below the root or one folder further down, beside the annotations of `affwild2`:
    cropped_aligned/RECORDING/    00001.jpg 00002.jpg ...    112 x 112 pixels, the face upright
    cropped_aligned_new_50_vids/RECORDING/                   the same, of later years
    batch1/ ...                                              videos, if any: only asked for fps

Traps, besides those of `affwild2`:
- Picture numbers are from 1 on: label line k belongs to picture k, which is frame k - 1. Lines are
  never left out before they are paired, or all that follow would shift.
- Where no face was found there is no picture: the frame stays, with its annotation and no `still`.
- Some copies have names padded with blanks (`     1.jpg`), `.DS_Store` and other files in between.
  Of two pictures with the same number the one in five digits is taken.
- One picture more than label lines has been seen: what has no line is left out.
- A folder holds one person, so that `person` is empty even where a video shows two.
- Pictures have no time stamps. The frame rate is the video's where it is there too, else 30, that
  of most of the videos; time is number / fps.

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

from affectkit.datasets.affwild2.finding import (
    annotation_of,
    find_annotations,
    find_crops,
    find_videos_of,
    split_of,
    video_name,
)
from affectkit.datasets.affwild2.text import read_annotation
from affectkit.datasets.listing import announced, make_index, not_found, read_lines, visible
from affectkit.datasets.placing import annotate
from affectkit.errors import AffectkitError
from affectkit.recording import DIMS, EDGE

FPS = 30.0
SUFFIXES = (".jpg", ".jpeg", ".png")


def index(root: Path) -> pd.DataFrame:
    """List the annotated recordings under `root`, one row each, by split and name.

    `video` is the folder of crops, "" where it is missing; `frames` counts the label lines.

    Raises:
        AffectkitError: `root` has no annotations, or no crops.
    """
    root = Path(root)
    found, videos, crops = find_annotations(root), find_videos_of(root), find_crops(root)
    if not crops:
        raise not_found(
            "crops of Aff-Wild2",
            root,
            "cropped_aligned/NAME/00001.jpg here and one folder down (affwild2 reads the videos)",
        )
    return make_index(_row(path, videos, crops) for path in found.values())


def _row(path: Path, videos: dict[str, Path], crops: dict[str, Path]) -> dict[str, Any]:
    name, video = path.stem, video_name(path.stem)
    seen = announced(videos.get(name) or videos.get(video))
    return {
        "recording": name,
        "subject": video,
        "split": split_of(path),
        "video": str(crops.get(name, "")),
        "annotation": (str(path),),
        "frames": _count_lines(path),
        "fps": FPS if np.isnan(seen["fps"]) else seen["fps"],
    }


def _count_lines(path: Path) -> int:
    try:
        return max(len(read_lines(path)) - 1, 0)
    except AffectkitError:  # whoever reads the annotation reports it
        return 0


def annotations(root: Path, name: str) -> xr.Dataset:
    """Read `annotation` (frame, affect), `still` (frame) and `crop_box` (frame, edge).

    `still` is the name of a picture in the recording's folder, "" = missing; `crop_box` is the
    whole picture, NaN = missing.

    Raises:
        AffectkitError: there is no such recording, its file is not in the format, or none of its
            pictures can be read.
    """
    root = Path(root)
    values = read_annotation(annotation_of(root, name))
    folder = find_crops(root).get(name)
    pictures = _pictures(folder) if folder else {}
    still = np.array([pictures.get(number, "") for number in range(1, len(values) + 1)], np.str_)
    box = np.full((len(still), len(EDGE)), np.nan, np.float32)
    if folder and pictures:
        box[still != ""] = _whole(folder, pictures.values())
    alignment = counted(len(values), len(pictures))
    known = annotate(values, dataset="affwild2-crops", recording=name, alignment=alignment)
    variables = {"still": (DIMS["still"], still), "crop_box": (DIMS["crop_box"], box)}
    return known.assign(variables).assign_coords(edge=list(EDGE))


def counted(lines: int, pictures: int) -> str:
    """The rule that laid lines on pictures, and how many there are of both."""
    return f"line k is picture k: {lines} lines, {pictures} pictures"


def _pictures(folder: Path) -> dict[int, str]:
    """The names of pictures by number; blanks sort before digits, so that five digits win."""
    return {
        int(path.stem): path.name
        for path in visible(folder, "*")
        if path.suffix.lower() in SUFFIXES and path.stem.strip().isdecimal()
    }


def _whole(folder: Path, names: Iterable[str]) -> NDArray[np.float32]:
    """The edges of the first picture that can be read: all in a folder are of one size."""
    for name in names:
        picture = cv2.imread(str(folder / name))
        if picture is not None:
            return np.array([0, 0, picture.shape[1], picture.shape[0]], np.float32)
    raise AffectkitError(f"{folder}: none of its pictures can be read; unpack it again")
