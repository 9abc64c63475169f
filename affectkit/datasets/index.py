"""The table of recordings that every loader returns, and functions to find files."""

import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from affectkit.errors import AffectkitError
from affectkit.video import is_video_name, probe

# `person` is "left" or "right" if a video shows two separately annotated people
COLUMNS = ("recording", "subject", "split", "person", "video", "annotation", "frames", "fps")


def make_index(rows: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """A table with one row per recording and the columns `COLUMNS`.

    `recording` and `subject` are names; `split` is `train`, `validation`, `test` or "";
    `video` is the path of a video or of a folder of pictures, "" if there is none;
    `annotation` is a tuple of paths; `frames` is the count in the file header, 0 = unknown;
    `fps` is nominal, NaN = unknown. Missing values of a row are empty or unknown.
    """
    empty = {"subject": "", "split": "", "person": "", "video": "", "annotation": ()}
    unknown = {"frames": 0, "fps": math.nan}
    return pd.DataFrame([empty | unknown | dict(row) for row in rows], columns=list(COLUMNS))


def video_columns(video: Path | None) -> dict[str, Any]:
    """The columns `video`, `frames` and `fps`; frames and fps are unknown if it cannot be read."""
    try:  # one broken video must not hide others; it is reported when it is opened
        info = probe(video) if video else None
    except AffectkitError:
        info = None
    return {
        "video": str(video or ""),
        "frames": info.frames if info else 0,
        "fps": float(info.fps) if info else math.nan,
    }


def visible_files(folder: Path, pattern: str) -> list[Path]:
    """Sorted files below `folder` that match, without `.DS_Store` and other hidden files."""
    return [path for path in sorted(folder.glob(pattern)) if not path.name.startswith(".")]


def find_videos(folders: Iterable[Path], pattern: str = "**/*") -> dict[str, Path]:
    """Videos by name without suffix; of two with the same name, the one in the first folder.

    If `folders` may contain folders of pictures, use a `pattern` of one level: it is faster.
    """
    return {path.stem: path for path in reversed(list_videos(folders, pattern))}


def list_videos(folders: Iterable[Path], pattern: str = "**/*") -> list[Path]:
    """Files with the name of a video, folder by folder."""
    return [
        path for folder in folders for path in visible_files(folder, pattern) if is_video_name(path)
    ]


def not_found(title: str, root: Path, wanted: str) -> AffectkitError:
    """The error for a root with another layout: states what was expected and what was found."""
    if not root.is_dir():
        return AffectkitError(f"no {title} in {root}: the folder does not exist")
    entries = sorted(path.name for path in root.iterdir() if not path.name.startswith("."))
    shown = ", ".join(entries[:8]) + (", ..." if len(entries) > 8 else "")
    return AffectkitError(
        f"no {title} in {root}: expected {wanted}, found {shown or 'an empty folder'}; "
        "see data/README.md"
    )
