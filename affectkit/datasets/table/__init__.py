"""A folder of your own: videos, and tables of valence and arousal by frame or by time.

Layout, below the root, in any folders:
    *.csv *.tsv *.txt       one table for all videos, or one a video, named like it
    *.mp4 *.avi ...         the videos
A table has a header; its columns are taken by their names, in any case and order:
    recording or video      which video a row is about: its name, with or without suffix and folder;
                            both may stand there. Without either the table's own name says it.
    frame                   the number of the decoded frame, from 0; goes before a time
    time                    seconds; `time_ms`, `time [ms]`, `time (min)` say another unit
    valence, arousal        in [-1, 1]; blank where there is no annotation
    rater                   optional: the rows are its ratings, the annotation is the raters' mean
    subject, split          optional: of the recording, which stands for a subject itself
Delimiter (comma, semicolon, tab) and decimals (point or comma) are found out.

Traps:
- Frames and times may come in any order, once for each rater.
- Raters with times of their own are read, linearly, at the times of all of them.
- Values outside [-1, 1] are refused: nobody can tell a scale from 1 to 9 from one with a slip.
- A recording without its video is listed without; a video without rows is not listed.
- Two videos of one name in two folders are told apart by their folders.
- CSV files without valence and arousal are passed over, with a warning.

Citation and licence: your own.
"""

import warnings
from collections import Counter
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

import pandas as pd
import xarray as xr

from affectkit.datasets.listing import (
    VIDEO_SUFFIXES,
    announced,
    find_videos,
    make_index,
    not_found,
    visible,
)
from affectkit.datasets.table.reading import OWN, Said, contents, read_rows, read_table
from affectkit.errors import AffectkitError, unknown

SUFFIXES = (".csv", ".tsv", ".txt")
SHOWN = 5  # names in a warning

__all__ = ["annotations", "index", "read_table"]


class Entry(NamedTuple):
    """A recording's rows: in which table, under which name, and what they say besides."""

    path: Path
    key: str
    said: Said


def index(root: Path) -> pd.DataFrame:
    """List the recordings that the tables under `root` tell of, one row each, by name.

    Raises:
        AffectkitError: there are no tables with valence and arousal; or one names two subjects or
            splits for a recording, or a split that is none.
    """
    root = Path(root)
    found, other = _find(root)
    if not found:
        raise not_found("annotation tables", root, "CSV files with valence, arousal, frame or time")
    if other:
        names = ", ".join(sorted(path.name for path in other)[:SHOWN])
        more = ", ..." if len(other) > SHOWN else ""
        warnings.warn(
            f"{root}: passed over {names}{more}: no columns valence and arousal", stacklevel=2
        )
    videos = find_videos(_folders(root))
    return make_index(_row(root, name, found[name], videos) for name in sorted(found))


def _row(root: Path, name: str, entries: list[Entry], videos: dict[str, Path]) -> dict[str, Any]:
    entry = entries[0]
    return {
        "recording": name,
        "subject": entry.said.subject or name,
        "split": entry.said.split,
        "annotation": tuple(str(entry.path) for entry in entries),
        **announced(_video(root, entry, videos)),
    }


def _folders(root: Path) -> list[Path]:
    """The root and the folders in it, of which some may be links."""
    return [root, *(path for path in sorted(root.glob("*")) if path.is_dir())]


def _video(root: Path, entry: Entry, videos: dict[str, Path]) -> Path | None:
    """The file that a row names, else the video of that name, the one beside the table first."""
    text = entry.said.video or entry.key or entry.path.stem
    text = text.replace("\\", "/")
    for folder in (root, entry.path.parent):
        for suffix in ("", *VIDEO_SUFFIXES):
            path = folder / f"{text}{suffix}"
            if path.suffix.lower() in VIDEO_SUFFIXES and path.is_file():
                return path
    return videos.get(PurePosixPath(_without_suffix(text)).name)


def _find(root: Path) -> tuple[dict[str, list[Entry]], list[Path]]:
    """The recordings by name, and CSV files that are no such tables."""
    paths: dict[Path, Path] = {}
    for folder in _folders(root):
        for path in visible(folder, "**/*"):
            if path.suffix.lower() in SUFFIXES:
                paths.setdefault(path.resolve(), path)  # a link may lead to one seen already
    held = {path: contents(path) for path in paths.values()}
    alone = Counter(path.stem for path, said in held.items() if OWN in said)
    found: dict[str, list[Entry]] = {}
    for path, said in held.items():
        for key, words in said.items():
            name = _named(key)
            if key == OWN:
                inside = path.relative_to(root).with_suffix("").as_posix()
                name = path.stem if alone[path.stem] == 1 else _named(inside)
            found.setdefault(name, []).append(Entry(path, key, words))
    return found, [path for path, said in held.items() if not said and path.suffix != ".txt"]


def _named(text: str) -> str:
    """A recording's name from a video's, which may have a folder."""
    parts = PurePosixPath(_without_suffix(text.replace("\\", "/"))).parts
    if not text.startswith("/"):
        return "_".join(part for part in parts if part not in ("..", "."))
    return parts[-1]


def _without_suffix(text: str) -> str:
    suffix = PurePosixPath(text).suffix
    return text.removesuffix(suffix) if suffix.lower() in VIDEO_SUFFIXES else text


def annotations(root: Path, name: str) -> xr.Dataset:
    """Read the annotation of one recording, and `rating` where its rows name raters.

    Raises:
        AffectkitError: there is no such recording, it stands in two tables, or a table is not in
            the format; names the line.
    """
    found, _ = _find(Path(root))
    if name not in found:
        raise unknown("recording", name, found)
    if len(found[name]) > 1:
        files = " and ".join(str(entry.path) for entry in found[name])
        raise AffectkitError(f"{name} has rows in {files}; expected them in one table")
    return read_rows(found[name][0].path, found[name][0].key, dataset="table", recording=name)
