"""OMG-Emotion: utterances from YouTube videos, with one valence and one arousal each.

Layout, below the root (or one folder further down):
    omg_TrainVideos.csv  omg_ValidationVideos.csv
    omg_TestVideos_WithLabels.csv  omg_TestVideos_WithoutLabels.csv
    VIDEO/utterance_N.mp4, anywhere below the root
A table has the columns `link,start,end,video,utterance,arousal,valence,EmotionMaxVote`; without
labels it ends at `utterance`. A recording is an utterance, named VIDEO_utterance_N.

Quirks:
- Arousal comes before valence: columns are read by name.
- Arousal is in [0, 1], valence in [-1, 1]: arousal becomes 2 a - 1; `source_range` keeps the range.
- The last two rows of the training table have labels but no keys. Rows without keys are ignored,
  with a warning that counts them.
- One key of the test set ends in a space: keys are stripped.
- Twelve test utterances have no label. They are listed as not annotated. So is the whole test set
  if only the table without labels exists.
- The two test tables have different orders: rows are found by video and utterance, not by position.
- Copies edited in a spreadsheet have CRLF, empty rows, or `name` instead of `video`.
- Subjects are not named: each video counts as one subject. Many links are dead.

Citation: Barros et al., "The OMG-Emotion behavior dataset", IJCNN 2018.
Licence: CC BY-NC-SA 3.0 DE, without redistribution; the videos belong to their authors.
"""

import re
import warnings
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import xarray as xr

from affectkit.datasets.annotation import make_annotation
from affectkit.datasets.delimited import number_column, read_delimited, require_columns
from affectkit.datasets.index import (
    make_index,
    not_found,
    video_columns,
    visible_files,
)
from affectkit.errors import AffectkitError, unknown
from affectkit.files import StrPath
from affectkit.recording import AFFECT
from affectkit.video import is_video_name

SPLITS = {"omg_train": "train", "omg_valid": "validation", "omg_test": "test"}
UNLABELLED = "withoutlabels"
KEYS = ("video", "utterance")
RANGES = {"valence": (-1.0, 1.0), "arousal": (0.0, 1.0)}
ALIGNMENT = "one value for the whole utterance"


class Utterances(NamedTuple):
    """The rows of a table that have keys; the index of `table` is the line in the file."""

    table: pd.DataFrame
    line: dict[str, int]  # of each recording
    ignored_lines: list[int]  # lines without keys


def index(root: StrPath) -> pd.DataFrame:
    """List the utterances under `root`, one row each, in the order of the tables.

    Rows without video or utterance are ignored, with a warning.

    Raises:
        AffectkitError: there are no tables below `root`, or one has other columns or duplicate
            keys.
    """
    root = Path(root)
    tables = {path: _read(path) for path in _find_tables(root)}
    videos = _find_clips(root)
    rows: dict[str, dict[str, Any]] = {}
    for path, utterances in tables.items():
        _warn_of_ignored_rows(path, utterances.ignored_lines)
        keys = utterances.table[list(KEYS)].itertuples(index=False)
        for name, (video, utterance) in zip(utterances.line, keys, strict=True):
            clip = videos.get((video, Path(utterance).stem))
            rows.setdefault(name, _row(path, name, video, clip))
    return make_index(rows.values())


def recording_name(video: str, utterance: str) -> str:
    """The name of the recording of an utterance (`utterance_1.mp4`)."""
    return re.sub(r"[^\w.-]+", "_", f"{video}_{Path(utterance).stem}")


def _row(path: Path, name: str, video: str, clip: Path | None) -> dict[str, Any]:
    return {
        "recording": name,
        "subject": video,
        "split": _split(path),
        "annotation": (str(path),),
        **video_columns(clip),
    }


def _warn_of_ignored_rows(path: Path, lines: list[int]) -> None:
    if lines:
        shown = ", ".join(map(str, lines[:8])) + (", ..." if len(lines) > 8 else "")
        warnings.warn(
            f"{path.name}: ignored {len(lines)} rows without video and utterance (lines {shown})",
            stacklevel=3,
        )


def _find_tables(root: Path) -> list[Path]:
    """The tables, sorted by split; those without labels last."""
    found = [
        path
        for pattern in ("*.csv", "*/*.csv")
        for path in visible_files(root, pattern)
        if path.name.lower().startswith(tuple(SPLITS))
    ]
    if not found:
        raise not_found(
            "OMG-Emotion", root, "omg_TrainVideos.csv and the other tables, here or one folder down"
        )
    order = list(SPLITS.values())
    return sorted(
        found, key=lambda path: (UNLABELLED in path.name.lower(), order.index(_split(path)))
    )


def _split(path: Path) -> str:
    return next(split for start, split in SPLITS.items() if path.name.lower().startswith(start))


def _find_clips(root: Path) -> dict[tuple[str, str], Path]:
    """Videos by the name of their folder and their name without suffix."""
    folders = [root, *(path for path in sorted(root.iterdir()) if path.is_dir())]
    return {
        (path.parent.name, path.stem): path
        for folder in folders
        for path in visible_files(folder, "**/*")
        if is_video_name(path)
    }


def annotations(root: StrPath, name: str) -> xr.Dataset:
    """Read the annotation (affect) of one utterance; NaN if it has no label.

    Raises:
        AffectkitError: there is no such utterance, or a label is out of range; names the line.
    """
    tables = {path: _read(path) for path in _find_tables(Path(root))}
    values = list(_labels(tables, name))
    if not values:
        raise unknown("recording", name, {key for each in tables.values() for key in each.line})
    annotation = next((value for value in values if not np.isnan(value).any()), values[0])
    source_range = {affect: list(RANGES[affect]) for affect in AFFECT}
    return make_annotation(
        annotation, dataset="omg", recording=name, source_range=source_range, alignment=ALIGNMENT
    )


def _labels(tables: dict[Path, Utterances], name: str) -> Iterator[np.ndarray]:
    """The labels of the utterance in each table that contains it."""
    for path, utterances in tables.items():
        if name not in utterances.line:
            continue
        row = utterances.table.loc[[utterances.line[name]]]
        if UNLABELLED in path.name.lower() and not set(AFFECT) <= set(row):
            yield np.full(len(AFFECT), np.nan)
            continue
        require_columns(row, AFFECT, path)
        valence, arousal = (
            number_column(row, affect, path, RANGES[affect], blank=True)[0] for affect in AFFECT
        )
        yield np.array([valence, 2 * arousal - 1])


def _read(path: Path) -> Utterances:
    return _read_cached(path, path.stat().st_mtime_ns)


@lru_cache(maxsize=8)
def _read_cached(path: Path, changed: int) -> Utterances:
    table = read_delimited(path)
    if "video" not in table:
        table = table.rename(columns={"name": "video"})
    require_columns(table, KEYS, path)
    keyed = (table[list(KEYS)] != "").all(axis=1)
    line: dict[str, int] = {}
    for number, video, utterance in table.loc[keyed, list(KEYS)].itertuples():
        name = recording_name(video, utterance)
        if name in line:
            raise AffectkitError(
                f"{path}, line {number}: expected each utterance once, got {video} {utterance} "
                f"as in line {line[name]}"
            )
        line[name] = number
    return Utterances(table[keyed], line, list(table.index[~keyed]))
