"""Read the annotation of a recording from the rows of a table."""

import math
import re
from functools import cache, lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from affectkit.datasets.annotation import make_annotation
from affectkit.datasets.delimited import number_column, read_delimited, require_columns
from affectkit.errors import AffectkitError, unknown
from affectkit.files import StrPath
from affectkit.recording import AFFECT
from affectkit.signals import fuse, resample

WHOLE_TABLE = ""  # the key of a table that does not name recordings
NAMES = ("recording", "video")
TIME = re.compile(r"time(?:stamp)?[ _]*[\[(]?\s*(\w*)\s*[\])]?")
UNITS_PER_SECOND = {
    **dict.fromkeys(("", "s", "sec", "second", "seconds"), 1.0),
    **dict.fromkeys(("ms", "msec", "millisecond", "milliseconds"), 1000.0),
    **dict.fromkeys(("min", "minute", "minutes"), 1 / 60),
}
SPLITS = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("validation", "valid", "val", "dev", "devel"), "validation"),
    **dict.fromkeys(("test", "testing"), "test"),
}

Array = NDArray[np.float64]


class RowInfo(NamedTuple):
    """The other columns of a recording's rows; "" if they are missing."""

    video: str
    subject: str
    split: str
    fps: float  # of a folder of pictures; NaN if it is missing


def read_contents(path: Path) -> dict[str, RowInfo]:
    """The recordings in a table; none if it cannot be read or has no valence and arousal.

    Raises:
        AffectkitError: a recording has two videos, subjects, splits or frame rates, or one that is
            unknown or impossible.
    """
    try:
        changed = path.stat().st_mtime_ns
    except OSError:  # a broken link
        return {}
    return _read_contents(path, changed)


@cache  # a folder of thousands of tables is read once, not once per recording
def _read_contents(path: Path, changed: int) -> dict[str, RowInfo]:
    try:
        read_delimited(path)
    except AffectkitError:
        return {}
    groups = _groups(path, changed)
    if not all(set(AFFECT) <= set(rows.columns) for rows in groups.values()):
        return {}
    return {
        key: RowInfo(
            _single_value(rows, "video", path),
            _single_value(rows, "subject", path),
            _split(_single_value(rows, "split", path), path),
            _rate(_single_value(rows, "fps", path), path),
        )
        for key, rows in groups.items()
    }


def _single_value(rows: pd.DataFrame, column: str, path: Path) -> str:
    values = sorted(set(rows[column]) - {""}) if column in rows else []
    if len(values) > 1:
        raise AffectkitError(
            f"{path}, from line {rows.index[0]}: expected one {column} per recording, "
            f"got {', '.join(values)}"
        )
    return values[0] if values else ""


def _split(name: str, path: Path) -> str:
    if name and name.lower() not in SPLITS:
        raise AffectkitError(f"{path}: {unknown('split', name, SPLITS)}")
    return SPLITS.get(name.lower(), "")


def _rate(text: str, path: Path) -> float:
    try:
        fps = float(text or "nan")
    except ValueError:
        fps = 0.0
    if fps <= 0 or math.isinf(fps):
        raise AffectkitError(f"{path}: expected an fps above 0, got {text!r}")
    return fps


@lru_cache(maxsize=4)
def _groups(path: Path, changed: int) -> dict[str, pd.DataFrame]:
    """The rows of each recording, with lower-case columns."""
    table = read_delimited(path).rename(columns=str.lower)
    twice = table.columns[table.columns.duplicated()]
    if len(twice):
        raise AffectkitError(f"{path} has two columns {twice[0]!r}; expected one")
    column = next((name for name in NAMES if name in table), None)
    if column is None:
        return {WHOLE_TABLE: table}
    _check_filled(table, column, path)
    return {str(key): rows for key, rows in table.groupby(column, sort=False)}


def _check_filled(rows: pd.DataFrame, column: str, path: Path) -> None:
    blank = rows[column] == ""
    if blank.any():
        raise AffectkitError(
            f"{path}, line {blank.idxmax()}: expected a {column}, got a blank cell"
        )


def read_table(path: StrPath) -> xr.Dataset:
    """Read the table of one video, in the format described in `datasets.table`.

    Returns:
        `annotation` (frame, affect) or (sample, affect), for `datasets.align_to_frames`, and
        `rating` with the additional dim `rater` if the rows have raters.

    Raises:
        AffectkitError: the file cannot be read or has several recordings, a column is missing or
            is not numbers, or a value is outside [-1, 1]; names the line.
    """
    path = Path(path)
    read_delimited(path)
    groups = _groups(path, path.stat().st_mtime_ns)
    if len(groups) > 1:
        names = ", ".join(list(groups)[:5])
        raise AffectkitError(
            f"{path} has {len(groups)} recordings ({names}); expected one: to prepare several, put "
            "the table and the videos into one folder and use the dataset 'table'"
        )
    return read_rows(path, next(iter(groups)), dataset="", recording=path.stem)


def read_rows(path: Path, key: str, *, dataset: str, recording: str) -> xr.Dataset:
    """Read the rows of one recording in a table.

    Raises:
        AffectkitError: as `read_table`.
    """
    rows = _groups(path, path.stat().st_mtime_ns)[key]
    column, per_second = _key(rows, path)
    position = number_column(rows, column, path) / per_second
    if column == "frame":
        _check_frames(rows, position, path)
    values = _values(rows, path)
    rater = rows["rater"].to_numpy() if "rater" in rows else np.full(len(rows), "")
    if (rater != "").any():
        _check_filled(rows, "rater", path)
    traces = {}
    for name in sorted(set(rater)):
        is_own = rater == name
        traces[str(name)] = _sorted(rows[is_own], position[is_own], values[is_own], column, path)
    return _annotation(traces, column, dataset, recording)


def _key(rows: pd.DataFrame, path: Path) -> tuple[str, float]:
    """The column of times or frames, and its units per second or frame."""
    require_columns(rows, AFFECT, path)
    if "frame" in rows:
        return "frame", 1.0
    for name in rows:
        match = TIME.fullmatch(str(name))
        if match and match[1] in UNITS_PER_SECOND:
            return str(name), UNITS_PER_SECOND[match[1]]
    raise AffectkitError(
        f"{path} has no column 'time' or 'frame': expected frame (from 0) or time, time_ms, "
        f"time [min]; got {', '.join(rows.columns)}"
    )


def _check_frames(rows: pd.DataFrame, frame: Array, path: Path) -> None:
    wrong = (frame < 0) | (frame % 1 != 0)
    if wrong.any():
        row = int(wrong.argmax())
        raise AffectkitError(
            f"{path}, line {rows.index[row]}: expected frames 0, 1, 2, ..., "
            f"got {rows['frame'].iloc[row]!r}"
        )


def _values(rows: pd.DataFrame, path: Path) -> Array:
    """Valence and arousal (row, affect); NaN in both if one is blank."""
    values = np.stack([number_column(rows, name, path, blank=True) for name in AFFECT], axis=1)
    size = np.nan_to_num(np.abs(values)).max(axis=1)
    if (size > 1).any():
        line, worst = rows.index[int((size > 1).argmax())], values[size.argmax()]
        raise AffectkitError(
            f"{path}, line {line}: expected valence and arousal in [-1, 1], got "
            f"{worst[np.nanargmax(np.abs(worst))]:g}; rescale them first "
            "(-5 to 5: divide by 5; 1 to 9: subtract 5, then divide by 4)"
        )
    values[np.isnan(values).any(axis=1)] = np.nan
    return values


def _sorted(
    rows: pd.DataFrame, position: Array, values: Array, column: str, path: Path
) -> tuple[Array, Array]:
    order = np.argsort(position, kind="stable")
    again = np.flatnonzero(np.diff(position[order]) == 0)
    if len(again):
        row = order[again[0] + 1]
        raise AffectkitError(
            f"{path}, line {rows.index[row]}: two rows for {column} "
            f"{rows[column].iloc[row]}; expected one"
        )
    return position[order], values[order]


def _annotation(
    traces: dict[str, tuple[Array, Array]], column: str, dataset: str, recording: str
) -> xr.Dataset:
    by_frame = column == "frame"
    position = np.unique(np.concatenate([own for own, _ in traces.values()]))
    aligned = np.stack(
        [
            _at_frames(values, own, position) if by_frame else resample(values, own, position)
            for own, values in traces.values()
        ]
    )
    rating = xr.DataArray(aligned, dims=("rater", "frame", "affect"))
    annotation = make_annotation(
        fuse(rating, "mean").to_numpy(),
        dataset=dataset,
        recording=recording,
        frame=position if by_frame else None,
        time=None if by_frame else position,
        alignment=f"by {column}, as in the table",
    )
    if set(traces) == {""}:
        return annotation
    dims = ("rater", "frame" if by_frame else "sample", "affect")
    return annotation.assign(rating=(dims, aligned.astype(np.float32)), rater=list(traces))


def _at_frames(values: Array, own: Array, frame: Array) -> Array:
    aligned = np.full((len(frame), values.shape[1]), np.nan)
    aligned[np.searchsorted(frame, own)] = values
    return aligned
