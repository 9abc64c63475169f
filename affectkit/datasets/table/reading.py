"""From the rows of a table to a recording's annotation."""

import re
from functools import cache, lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from affectkit.datasets.delimited import numbers, read_delimited, require
from affectkit.datasets.placing import annotate
from affectkit.errors import AffectkitError, unknown
from affectkit.recording import AFFECT
from affectkit.signals import fuse, resample

OWN = ""  # the key of a table that names no recordings
NAMES = ("recording", "video")
TIME = re.compile(r"time(?:stamp)?[ _]*[\[(]?\s*(\w*)\s*[\])]?")
PER_SECOND = {
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


class Said(NamedTuple):
    """What a recording's rows say besides values; "" where they do not."""

    video: str
    subject: str
    split: str


def contents(path: Path) -> dict[str, Said]:
    """The recordings that a table tells of; none where it cannot be read, or is another table.

    Raises:
        AffectkitError: a recording has two videos, subjects or splits, or a split that is none.
    """
    try:
        changed = path.stat().st_mtime_ns
    except OSError:  # a link to nowhere
        return {}
    return _contents(path, changed)


@cache  # so that a folder of thousands of tables is read once, not for each recording
def _contents(path: Path, changed: int) -> dict[str, Said]:
    try:
        read_delimited(path)
    except AffectkitError:
        return {}
    groups = _groups(path, changed)
    if not all(set(AFFECT) <= set(rows.columns) for rows in groups.values()):
        return {}
    return {
        key: Said(
            _word(rows, "video", path),
            _word(rows, "subject", path),
            _split(_word(rows, "split", path), path),
        )
        for key, rows in groups.items()
    }


def _word(rows: pd.DataFrame, column: str, path: Path) -> str:
    words = sorted(set(rows[column]) - {""}) if column in rows else []
    if len(words) > 1:
        raise AffectkitError(
            f"{path}, line {rows.index[0]} and on: expected one {column} for a recording, "
            f"got {', '.join(words)}"
        )
    return words[0] if words else ""


def _split(word: str, path: Path) -> str:
    if word and word.lower() not in SPLITS:
        raise AffectkitError(f"{path}: {unknown('split', word, SPLITS)}")
    return SPLITS.get(word.lower(), "")


@lru_cache(maxsize=4)
def _groups(path: Path, changed: int) -> dict[str, pd.DataFrame]:
    """The rows of each recording; columns in small letters."""
    table = read_delimited(path).rename(columns=str.lower)
    twice = table.columns[table.columns.duplicated()]
    if len(twice):
        raise AffectkitError(f"{path} has two columns {twice[0]!r}; expected one")
    column = next((name for name in NAMES if name in table), None)
    if column is None:
        return {OWN: table}
    _check_filled(table, column, path)
    return {str(key): rows for key, rows in table.groupby(column, sort=False)}


def _check_filled(rows: pd.DataFrame, column: str, path: Path) -> None:
    blank = rows[column] == ""
    if blank.any():
        raise AffectkitError(f"{path}, line {blank.idxmax()}: expected a {column}, got none")


def read_table(path: Path) -> xr.Dataset:
    """Read the table of one video, as the module `table` describes it.

    Returns:
        annotation (frame, affect) or (sample, affect), as `datasets.on_frames` takes it, and
        `rating` with `rater` before that where the rows name raters.

    Raises:
        AffectkitError: the file cannot be read, tells of several recordings, a column is missing
            or is not numbers, or a value is outside [-1, 1]; names the line.
    """
    path = Path(path)
    read_delimited(path)
    groups = _groups(path, path.stat().st_mtime_ns)
    if len(groups) > 1:
        names = ", ".join(list(groups)[:5])
        raise AffectkitError(
            f"{path} tells of {len(groups)} recordings ({names}); expected those of one video: "
            "lay table and videos into a folder and prepare that as dataset 'table'"
        )
    return read_rows(path, next(iter(groups)), dataset="", recording=path.stem)


def read_rows(path: Path, key: str, *, dataset: str, recording: str) -> xr.Dataset:
    """Read the rows of one recording in a table.

    Raises:
        AffectkitError: as `read_table`.
    """
    rows = _groups(path, path.stat().st_mtime_ns)[key]
    column, per_second = _key(rows, path)
    moment = numbers(rows, column, path) / per_second
    if column == "frame":
        _check_frames(rows, moment, path)
    values = _values(rows, path)
    rater = rows["rater"].to_numpy() if "rater" in rows else np.full(len(rows), "")
    if (rater != "").any():
        _check_filled(rows, "rater", path)
    traces = {}
    for name in sorted(set(rater)):
        mine = rater == name
        traces[str(name)] = _sorted(rows[mine], moment[mine], values[mine], column, path)
    return _annotation(traces, column, dataset, recording)


def _key(rows: pd.DataFrame, path: Path) -> tuple[str, float]:
    """The column that says when, and its units in a second or a frame."""
    require(rows, AFFECT, path)
    if "frame" in rows:
        return "frame", 1.0
    for name in rows:
        match = TIME.fullmatch(str(name))
        if match and match[1] in PER_SECOND:
            return str(name), PER_SECOND[match[1]]
    raise AffectkitError(
        f"{path} has no column 'time' or 'frame': expected frame (from 0) or time, time_ms, "
        f"time [min]; got {', '.join(rows.columns)}"
    )


def _check_frames(rows: pd.DataFrame, frame: Array, path: Path) -> None:
    wrong = (frame < 0) | (frame % 1 != 0)
    if wrong.any():
        place = int(wrong.argmax())
        raise AffectkitError(
            f"{path}, line {rows.index[place]}: expected frames 0, 1, 2, ..., "
            f"got {rows['frame'].iloc[place]!r}"
        )


def _values(rows: pd.DataFrame, path: Path) -> Array:
    """Valence and arousal (row, affect); NaN in both where one is blank."""
    values = np.stack([numbers(rows, name, path, blank=True) for name in AFFECT], axis=1)
    size = np.nan_to_num(np.abs(values)).max(axis=1)
    if (size > 1).any():
        line, worst = rows.index[int((size > 1).argmax())], values[size.argmax()]
        raise AffectkitError(
            f"{path}, line {line}: valence and arousal should lie in [-1, 1], reach "
            f"{worst[np.nanargmax(np.abs(worst))]:g}; divide them by their range first "
            "(-5 to 5 by 5; from 1 to 9 subtract 5, divide by 4)"
        )
    values[np.isnan(values).any(axis=1)] = np.nan
    return values


def _sorted(
    rows: pd.DataFrame, moment: Array, values: Array, column: str, path: Path
) -> tuple[Array, Array]:
    order = np.argsort(moment, kind="stable")
    again = np.flatnonzero(np.diff(moment[order]) == 0)
    if len(again):
        place = order[again[0] + 1]
        raise AffectkitError(
            f"{path}, line {rows.index[place]}: two rows for {column} "
            f"{rows[column].iloc[place]}; expected one"
        )
    return moment[order], values[order]


def _annotation(
    traces: dict[str, tuple[Array, Array]], column: str, dataset: str, recording: str
) -> xr.Dataset:
    by_frame = column == "frame"
    moment = np.unique(np.concatenate([own for own, _ in traces.values()]))
    laid = np.stack(
        [
            _at_frames(values, own, moment) if by_frame else resample(values, own, moment)
            for own, values in traces.values()
        ]
    )
    rating = xr.DataArray(laid, dims=("rater", "frame", "affect"))
    known = annotate(
        fuse(rating, "mean").to_numpy(),
        dataset=dataset,
        recording=recording,
        frame=moment if by_frame else None,
        time=None if by_frame else moment,
        alignment=f"by {column}, as the table says",
    )
    if set(traces) == {""}:
        return known
    dims = ("rater", "frame" if by_frame else "sample", "affect")
    return known.assign(rating=(dims, laid.astype(np.float32)), rater=list(traces))


def _at_frames(values: Array, own: Array, frame: Array) -> Array:
    laid = np.full((len(frame), values.shape[1]), np.nan)
    laid[np.searchsorted(frame, own)] = values
    return laid
