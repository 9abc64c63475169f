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

import math
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from affectkit.errors import AffectkitError
from affectkit.recording import AFFECT
from affectkit.video import probe

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
VIDEO_SUFFIXES = (".mp4", ".avi")
PERSON_SUFFIXES = ("_left", "_right")
COLUMNS = ("recording", "subject", "split", "video", "annotation", "fps")


def index(root: Path) -> pd.DataFrame:
    """List the annotated recordings under `root`, one row each, by split and name.

    The columns are `recording`, `subject`, `split`, `video` (path, "" where there is none),
    `annotation` (path) and `fps` (as the container announces it; NaN where it cannot be read).

    Raises:
        AffectkitError: `root` has no annotations in one of the known layouts.
    """
    root = Path(root)
    videos = _find_videos(root)
    rows = [_row(path, videos) for path in _find_annotations(root)]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _row(annotation: Path, videos: dict[str, Path]) -> dict[str, str | float]:
    recording = annotation.stem
    subject = _video_name(recording)
    video = videos.get(recording) or videos.get(subject)
    return {
        "recording": recording,
        "subject": subject,
        "split": SPLITS[annotation.parent.name],
        "video": str(video or ""),
        "annotation": str(annotation),
        "fps": _announced_fps(video) if video else math.nan,
    }


def _video_name(recording: str) -> str:
    for suffix in PERSON_SUFFIXES:
        recording = recording.removesuffix(suffix)
    return recording


def _announced_fps(video: Path) -> float:
    # one broken video must not hide the others: whoever opens it reports it
    try:
        return float(probe(video).fps)
    except AffectkitError:
        return math.nan


def _find_annotations(root: Path) -> list[Path]:
    for name in ANNOTATION_FOLDERS:
        for folder in (root / name, *sorted(root.glob(f"*/{name}"))):
            found = [path for split in SPLITS for path in _visible(folder / split, "*.txt")]
            if found:
                return found
    raise AffectkitError(_not_found(root))


def _find_videos(root: Path) -> dict[str, Path]:
    folders = [folder for pattern in VIDEO_FOLDERS for folder in sorted(root.glob(pattern))]
    return {
        path.stem: path
        for folder in reversed(folders)
        for path in reversed(list(_visible(folder, "**/*")))
        if path.suffix.lower() in VIDEO_SUFFIXES
    }


def _visible(folder: Path, pattern: str) -> list[Path]:
    return [path for path in sorted(folder.glob(pattern)) if not path.name.startswith(".")]


def _not_found(root: Path) -> str:
    if not root.is_dir():
        return f"no Aff-Wild2 in {root}: there is no such folder"
    entries = sorted(path.name for path in root.iterdir() if not path.name.startswith("."))
    shown = ", ".join(entries[:8]) + (", ..." if len(entries) > 8 else "")
    wanted = " or ".join(
        f"{name}/{{Train_Set,Validation_Set}}/*.txt" for name in ANNOTATION_FOLDERS
    )
    return (
        f"no Aff-Wild2 in {root}: looked for {wanted} here and one folder down, "
        f"found {shown or 'an empty folder'}; see data/README.md"
    )


def annotations(root: Path, row: pd.Series, time: NDArray[np.float64]) -> xr.Dataset:
    """Read the annotation of one recording onto the frames of its video.

    Args:
        root: the dataset's folder.
        row: the recording's row of `index`.
        time: (frame) seconds, the time stamps of all decoded frames.

    Returns:
        `annotation` (frame, affect); NaN where a frame is marked as not annotated, or has no line.
        Lines beyond the last frame are left out. More than one line too many or too few warns.

    Raises:
        AffectkitError: the file is missing or not in the format; names the line.
    """
    path = Path(root) / str(row["annotation"])
    values = read_annotation(path)
    count, lines = len(time), len(values)
    if abs(lines - count) > 1:
        warnings.warn(f"{path} has {lines} lines, its video {count} frames", stacklevel=2)
    annotation = np.full((count, len(AFFECT)), np.nan, np.float32)
    annotation[:lines] = values[:count]
    return xr.Dataset(
        {"annotation": (("frame", "affect"), annotation)},
        {"frame": np.arange(count), "time": ("frame", np.asarray(time)), "affect": list(AFFECT)},
        {"dataset": "affwild2", "source_range": [-1.0, 1.0]},
    )


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
