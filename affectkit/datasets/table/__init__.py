"""A folder of your own: videos, and tables of valence and arousal by frame or by time.

Layout, below the root, in any folders:
    *.csv *.tsv *.txt       one table for all videos, or one per video with the name of the video
    *.mp4 *.avi ...         the videos
A table has a header. Its columns are read by name, in any case and order; others are ignored:
    recording or video      the video of a row: its name, with or without suffix and folder. Both
                            columns are allowed; without either, the name of the table is used.
    frame                   the number of the decoded frame, from 0; used before time
    time or seconds         seconds; `time_ms`, `time [ms]`, `time (min)` name another unit
    valence, arousal        in [-1, 1]; blank if there is no annotation
    rater                   optional: rows are ratings, and the annotation is their mean
    subject, split          optional; the default subject is the recording
The encoding (UTF-8, UTF-16, Windows-1252), the delimiter (comma, semicolon, tab) and the decimal
sign (point or comma) are detected. A `LabelFormat` gives other units and ranges.

Quirks:
- Files of CARMA and DARMA are read with their range. CARMA writes one affect per file: the name of
  the file or of its folder says which, as in `clip_valence.csv` or `valence/clip.csv`. Own tables
  may be split in the same way.
- Frames and times may be in any order, and occur once per rater.
- If raters have different times, each rater is interpolated linearly at the times of all raters.
- Values outside the range are an error: a scale from 1 to 9 cannot be distinguished from a mistake.
- A recording without video is listed without it; a video without rows is not listed.
- Two videos with the same name in two folders are distinguished by their folders.
- CSV files that are not tables of labels are ignored, with a warning that says why.

Citation and licence: your own.
"""

import os
import warnings
from collections import Counter
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

import pandas as pd
import xarray as xr

from affectkit.datasets.index import (
    list_videos,
    make_index,
    not_found,
    video_columns,
    visible_files,
)
from affectkit.datasets.table.contents import RowInfo, read_contents
from affectkit.datasets.table.label_format import LabelFormat, without_affect
from affectkit.datasets.table.reading import FORMAT, WHOLE_TABLE, Rows, read_rows, read_table
from affectkit.errors import AffectkitError, unknown
from affectkit.files import StrPath
from affectkit.video import is_video_name

SUFFIXES = (".csv", ".tsv", ".txt")
SHOWN = 5  # files in a warning

__all__ = ["LabelFormat", "annotations", "index", "read_table"]


class Entry(NamedTuple):
    """The rows of a recording: their table, their key in it, and their other columns."""

    path: Path
    key: str
    info: RowInfo


def index(root: StrPath) -> pd.DataFrame:
    """List the recordings in the tables under `root`, one row each, sorted by name.

    Raises:
        AffectkitError: there are no tables with valence and arousal, or a recording has two
            subjects, two splits, or an unknown split.
    """
    root = Path(root)
    found, ignored = _find(root)
    more = [f"{len(ignored) - SHOWN} more"] if len(ignored) > SHOWN else []
    reasons = " | ".join(sorted(ignored)[:SHOWN] + more)
    if not found:
        wanted = "CSV files with valence, arousal, frame or time"
        error = not_found("annotation tables", root, wanted)
        raise AffectkitError(f"{error}; ignored: {reasons}") if ignored else error
    if ignored:
        warnings.warn(f"{root}: ignored {reasons}", stacklevel=2)
    videos = list_videos(_folders(root))
    # of two in one place or with one name, the first
    places = {_place(path.with_suffix("")): path for path in reversed(videos)}
    places |= {Path(path.stem): path for path in reversed(videos)}
    return make_index(_row(root, name, found[name], places) for name in sorted(found))


def _row(root: Path, name: str, entries: list[Entry], places: dict[Path, Path]) -> dict[str, Any]:
    entry = entries[0]
    return {
        "recording": name,
        "subject": entry.info.subject or name,
        "split": entry.info.split,
        "annotation": tuple(str(entry.path) for entry in entries),
        **video_columns(_video(root, entry, places)),
    }


def _folders(root: Path) -> list[Path]:
    """The root and its folders, including links."""
    return [root, *(path for path in sorted(root.glob("*")) if path.is_dir())]


def _video(root: Path, entry: Entry, places: dict[Path, Path]) -> Path | None:
    """The file that the row names, otherwise a video of that name, first next to the table.

    Args:
        root: the folder of all.
        entry: the row.
        places: videos by their path without suffix, and by their name without suffix.
    """
    text = entry.info.video or entry.key or _own_name(entry.path, entry.info)
    text = text.replace("\\", "/")
    for folder in (root, entry.path.parent):
        path = folder / text
        if is_video_name(path) and path.is_file():
            return path
        if found := places.get(_place(folder / _without_suffix(text))):
            return found
    return places.get(Path(PurePosixPath(_without_suffix(text)).name))


def _place(path: Path) -> Path:
    return Path(os.path.normpath(path))


def _find(root: Path) -> tuple[dict[str, list[Entry]], list[str]]:
    """The recordings by name; and why other CSV files are no tables of labels."""
    paths: dict[Path, Path] = {}
    for folder in _folders(root):
        for path in visible_files(folder, "**/*"):
            if path.suffix.lower() in SUFFIXES:
                paths.setdefault(
                    path.resolve(), path
                )  # a link may lead to a file that was already found
    tables = {path: read_contents(path) for path in paths.values()}
    alone = Counter(
        (_own_name(path, info[WHOLE_TABLE]), info[WHOLE_TABLE].affects)
        for path, (info, _) in tables.items()
        if WHOLE_TABLE in info
    )
    found: dict[str, list[Entry]] = {}
    for path, (info, _) in tables.items():
        for key, row_info in info.items():
            name = _recording_name(key)
            if key == WHOLE_TABLE:
                name = _own_name(path, row_info)
                if alone[name, row_info.affects] > 1:
                    name = _name_with_folder(path.relative_to(root), row_info)
            found.setdefault(name, []).append(Entry(path, key, row_info))
    return found, [why for path, (_, why) in tables.items() if why and path.suffix != ".txt"]


def _own_name(path: Path, info: RowInfo) -> str:
    """The name of a table of one video, without the affect if it is of only one."""
    single = len(info.affects) == 1
    return (without_affect(path.stem) or path.parent.name) if single else path.stem


def _name_with_folder(path: Path, info: RowInfo) -> str:
    folders = [part for part in path.parts[:-1] if len(info.affects) > 1 or without_affect(part)]
    return _recording_name("/".join([*folders, _own_name(path, info)]))


def _recording_name(text: str) -> str:
    """The name of a recording from the name of a video, which may include a folder."""
    parts = PurePosixPath(_without_suffix(text.replace("\\", "/"))).parts
    if not text.startswith("/"):
        return "_".join(part for part in parts if part not in ("..", "."))
    return parts[-1]


def _without_suffix(text: str) -> str:
    return str(PurePosixPath(text).with_suffix("")) if is_video_name(Path(text)) else text


def annotations(root: StrPath, name: str, labels: LabelFormat = FORMAT) -> xr.Dataset:
    """Read the annotation of one recording, and `rating` if its rows have raters.

    Args:
        root: the folder of the dataset.
        name: of the recording.
        labels: what the tables do not say.

    Raises:
        AffectkitError: there is no such recording, two tables have the same affect of it, or a
            table has another format; names the line.
    """
    found, _ = _find(Path(root))
    if name not in found:
        raise unknown("recording", name, found)
    affects = Counter(affect for entry in found[name] for affect in entry.info.affects)
    if max(affects.values()) > 1:
        files = " and ".join(str(entry.path) for entry in found[name])
        raise AffectkitError(f"recording {name!r} has rows in {files}; expected one table")
    sources = [Rows(entry.path, entry.key) for entry in found[name]]
    return read_rows(sources, labels, dataset="table", recording=name)
