"""Aff-Wild2: videos from the web, valence and arousal for every video frame.

Layout, below the root (or one folder further down):
    batch1/ batch2/ ... or raw_videos/                                  NAME.mp4 or NAME.avi
    VA_Estimation_Challenge/{Train_Set,Validation_Set,Test_Set}/        NAME.txt   ABAW3 and later
    annotations/VA_Set/{Training_Set,Validation_Set}/                   NAME.txt   ABAW2020
A text file has the header `valence,arousal`, then one line `v,a` for each frame of the video.

Traps:
- Line k is frame k of the decoded video. Files have been seen with one line more than frames.
- -5 in either column means that the frame is not annotated, whatever the other column says.
- Frame rates run from 7.5 to 30, many of them odd: time is the container's, never k / fps.
- A video of two people has an annotation for each, `NAME_left` and `NAME_right`; plain `NAME` may
  stand beside them. All belong to one video, and in one split.
- Subjects are not named: the video stands for its people.
- Some archives bring `.DS_Store` and other hidden files.
- The test set's annotations are not handed out; videos without an annotation are not listed here.

Citation: Kollias and Zafeiriou, "Expression, Affect, Action Unit Recognition: Aff-Wild2,
Multi-Task Learning and ArcFace", BMVC 2019; Kollias, "ABAW: Valence-Arousal Estimation, Expression
Recognition, Action Unit Detection & Multi-Task Learning Challenges", CVPRW 2022.
Licence: for academic, non-commercial research, under an agreement signed with the authors.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from affectkit.datasets.listing import announced, find_videos, make_index, not_found, visible
from affectkit.datasets.placing import annotate
from affectkit.errors import AffectkitError, unknown
from affectkit.recording import AFFECT

HEADER = "valence,arousal"
NOT_ANNOTATED = -5.0
SPLITS = {
    "Train_Set": "train",
    "Training_Set": "train",
    "Validation_Set": "validation",
    "Test_Set": "test",
}
ANNOTATION_FOLDERS = ("VA_Estimation_Challenge", "VA_Set")  # the newer release first
VIDEO_FOLDERS = ("batch*", "raw_videos")
PEOPLE = ("left", "right")
ALIGNMENT = "line k is frame k"


def index(root: Path) -> pd.DataFrame:
    """List the annotated recordings under `root`, one row each, by split and name.

    Raises:
        AffectkitError: `root` has no annotations in one of the known layouts.
    """
    root = Path(root)
    found = _find_annotations(root)
    videos = find_videos(
        folder for pattern in VIDEO_FOLDERS for folder in sorted(root.glob(pattern))
    )
    names = {path.stem for path in found}
    return make_index(_row(path, videos, names) for path in found)


def _row(path: Path, videos: dict[str, Path], names: set[str]) -> dict[str, Any]:
    video = _video_name(path.stem)
    return {
        "recording": path.stem,
        "subject": video,
        "split": SPLITS[path.parent.name],
        "person": _person(path.stem, names),
        "annotation": (str(path),),
        **announced(videos.get(path.stem) or videos.get(video)),
    }


def _video_name(recording: str) -> str:
    for person in PEOPLE:
        recording = recording.removesuffix(f"_{person}")
    return recording


def _person(recording: str, names: set[str]) -> str:
    """Which of two people; one who has no suffix is the one that the other's suffix leaves."""
    for person, other in (PEOPLE, PEOPLE[::-1]):
        beside = {f"{recording}_{other}", f"{recording}_{person}"} & names
        if recording.endswith(f"_{person}") or beside == {f"{recording}_{other}"}:
            return person
    return ""


def _find_annotations(root: Path) -> list[Path]:
    for name in ANNOTATION_FOLDERS:
        for folder in (root / name, *sorted(root.glob(f"*/{name}"))):
            found = [path for split in SPLITS for path in visible(folder / split, "*.txt")]
            if found:
                return found
    wanted = " or ".join(
        f"{name}/{{Train_Set,Validation_Set}}/*.txt" for name in ANNOTATION_FOLDERS
    )
    raise not_found("Aff-Wild2", root, f"{wanted} here and one folder down")


def annotations(root: Path, name: str) -> xr.Dataset:
    """Read the annotation (frame, affect) of one recording, a line a frame.

    Raises:
        AffectkitError: there is no such recording, or its file is not in the format; names the
            line.
    """
    found = {path.stem: path for path in _find_annotations(Path(root))}
    if name not in found:
        raise unknown("recording", name, found)
    values = read_annotation(found[name])
    return annotate(values, dataset="affwild2", recording=name, alignment=ALIGNMENT)


def read_annotation(path: Path) -> NDArray[np.float32]:
    """Read a text file (line, affect); NaN in both columns where either says not annotated.

    Raises:
        AffectkitError: the file is missing, its header is another, or a line is not two numbers
            in [-1, 1] or -5.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").rstrip().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise AffectkitError(f"{path} cannot be read as an annotation: {error}") from None
    header = lines[0].replace(" ", "").lower() if lines else ""
    if header != HEADER:
        raise AffectkitError(f"{path}, line 1: expected the header {HEADER!r}, got {header!r}")
    values = np.array(list(_numbers(path, lines)), np.float32).reshape(-1, len(AFFECT))
    values[(values == NOT_ANNOTATED).any(axis=1)] = np.nan
    return values


def _numbers(path: Path, lines: list[str]) -> Iterator[list[float]]:
    for number, line in enumerate(lines[1:], start=2):
        try:
            values = [float(text) for text in line.split(",")]
        except ValueError:
            values = []
        if len(values) != len(AFFECT) or not all(map(_is_allowed, values)):
            raise AffectkitError(
                f"{path}, line {number}: expected valence,arousal in [-1, 1] or -5, got {line!r}"
            )
        yield values


def _is_allowed(value: float) -> bool:
    return -1 <= value <= 1 or value == NOT_ANNOTATED
