"""What all indexes have in common: their columns, and how files are looked for."""

import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from affectkit.errors import AffectkitError
from affectkit.video import probe

# `person` is "left" or "right" where a video shows two people who are annotated apart
COLUMNS = ("recording", "subject", "split", "person", "video", "annotation", "frames", "fps")
VIDEO_SUFFIXES = (".mp4", ".avi", ".mkv", ".mov", ".webm")


def make_index(rows: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """A table with a row a recording and the columns `COLUMNS`.

    `recording` and `subject` are names; `split` is `train`, `validation`, `test` or "";
    `video` is the path of a video or of a folder of pictures, "" where there is none;
    `annotation` is a tuple of paths; `frames` is what the container announces, 0 = unknown;
    `fps` is nominal, NaN = unknown. Columns that a row does not have are empty.
    """
    empty = {"subject": "", "split": "", "person": "", "video": "", "annotation": ()}
    unknown = {"frames": 0, "fps": math.nan}
    return pd.DataFrame([empty | unknown | dict(row) for row in rows], columns=list(COLUMNS))


def announced(video: Path | None) -> dict[str, Any]:
    """The columns `video`, `frames` and `fps` of a video; unknown where it cannot be read."""
    try:  # one broken video must not hide the others: whoever opens it reports it
        info = probe(video) if video else None
    except AffectkitError:
        info = None
    return {
        "video": str(video or ""),
        "frames": info.frames if info else 0,
        "fps": float(info.fps) if info else math.nan,
    }


def visible(folder: Path, pattern: str) -> list[Path]:
    """Files below `folder` that match, in order, without `.DS_Store` and other hidden ones."""
    return [path for path in sorted(folder.glob(pattern)) if not path.name.startswith(".")]


def find_videos(folders: Iterable[Path], pattern: str = "**/*") -> dict[str, Path]:
    """Videos by their name without suffix; the first folder wins where a name is there twice.

    Where folders of pictures may lie between, a `pattern` of one level spares listing them all.
    """
    return {
        path.stem: path
        for folder in reversed(list(folders))
        for path in reversed(visible(folder, pattern))
        if path.suffix.lower() in VIDEO_SUFFIXES
    }


def read_lines(path: Path) -> list[str]:
    """The lines of an annotation file, without byte order mark, line ends and blank last lines.

    Raises:
        AffectkitError: the file is missing, or is not text.
    """
    try:
        return path.read_text(encoding="utf-8-sig").rstrip().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise AffectkitError(f"{path} cannot be read as an annotation: {error}") from None


def not_found(title: str, root: Path, wanted: str) -> AffectkitError:
    """The error for a root in another layout: what was looked for and what is there."""
    if not root.is_dir():
        return AffectkitError(f"no {title} in {root}: there is no such folder")
    entries = sorted(path.name for path in root.iterdir() if not path.name.startswith("."))
    shown = ", ".join(entries[:8]) + (", ..." if len(entries) > 8 else "")
    return AffectkitError(
        f"no {title} in {root}: looked for {wanted}, found {shown or 'an empty folder'}; "
        "see data/README.md"
    )
