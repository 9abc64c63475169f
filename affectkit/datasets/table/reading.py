"""Read the annotation of a recording from the rows of one table, or of one table per affect.

CARMA (Girard 2014) and DARMA write the settings of the rating, the header `Second,Rating` or
`Second,Valence,Arousal,Button`, a row of `%%%%%%`, and the mean of each bin with the time of its
end. The means are placed at the middle of their bins.
"""

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from affectkit.datasets.annotation import make_annotation
from affectkit.datasets.delimited import number_column, read_delimited, read_preamble
from affectkit.datasets.table.label_format import (
    FRAMES,
    LabelFormat,
    Position,
    find_affects,
    find_position,
    is_header,
    stored_range,
    time_unit,
)
from affectkit.datasets.text import describe_text
from affectkit.errors import AffectkitError
from affectkit.files import StrPath
from affectkit.recording import AFFECT
from affectkit.signals import fuse, resample

WHOLE_TABLE = ""  # the key of a table that does not name recordings
NAMES = ("recording", "video")
BINNED = "time of rating"  # first line of CARMA and DARMA
MAX_FRAME = 1e9
NOT_ANNOTATED = -5.0  # in Aff-Wild2
FORMAT = LabelFormat()

Array = NDArray[np.float64]


class Rows(NamedTuple):
    """The rows of one recording in one table."""

    path: Path
    key: str


class Trace(NamedTuple):
    """The labels of one affect by one rater."""

    position: Array  # (row) seconds or frames, increasing
    value: Array  # (row) in [-1, 1]; NaN = not annotated


def rows_by_recording(path: Path) -> dict[str, pd.DataFrame]:
    """The rows of each recording in a table, with lower-case columns.

    Raises:
        AffectkitError: the file cannot be read, or a row names no recording.
    """
    read_delimited(path, is_header)
    return _rows_by_recording(path, path.stat().st_mtime_ns)


@lru_cache(maxsize=8)
def _rows_by_recording(path: Path, modified: int) -> dict[str, pd.DataFrame]:
    table = read_delimited(path, is_header).rename(columns=str.lower)
    column = next((name for name in NAMES if name in table), None)
    if column is None:
        return {WHOLE_TABLE: table}
    if list(table.columns).count(column) > 1:
        raise AffectkitError(f"{path} has two columns {column!r}; expected one")
    _check_filled(table, column, path)
    return {str(key): rows for key, rows in table.groupby(column, sort=False)}


def _check_filled(rows: pd.DataFrame, column: str, path: Path) -> None:
    blank = rows[column] == ""
    if blank.any():
        raise AffectkitError(
            f"{path}, line {blank.idxmax()}: expected a {column}, got a blank cell"
        )


def read_table(path: StrPath | Sequence[StrPath], labels: LabelFormat = FORMAT) -> xr.Dataset:
    """Read the table of one video, in the format described in `datasets.table`.

    Args:
        path: of the table; or of two tables, of valence and of arousal.
        labels: what the table does not say.

    Returns:
        `annotation` (frame, affect) or (sample, affect), for `datasets.fit_to_video`, and
        `rating` with the additional dim `rater` if the rows have raters.

    Raises:
        AffectkitError: the file cannot be read or has several recordings, a column is missing or
            is not numbers, or a value is outside the range; names the line.
    """
    paths = [Path(path)] if isinstance(path, StrPath) else [Path(each) for each in path]
    sources = []
    for each in paths:
        groups = rows_by_recording(each)
        if len(groups) > 1:
            names = ", ".join(list(groups)[:5])
            raise AffectkitError(
                f"{each} has {len(groups)} recordings ({names}); expected one: to prepare several, "
                "put the table and the videos into one folder and use the dataset 'table'"
            )
        if not groups:
            raise AffectkitError(f"{each} has no rows below its header ({describe_text(each)})")
        sources.append(Rows(each, next(iter(groups))))
    return read_rows(sources, labels, dataset="", recording=paths[0].stem)


def read_rows(
    sources: Sequence[Rows], labels: LabelFormat, *, dataset: str, recording: str
) -> xr.Dataset:
    """Read the rows of one recording.

    Args:
        sources: its rows: in one table, or in one of valence and one of arousal.
        labels: what the tables do not say.
        dataset: name of the dataset.
        recording: name of the recording.

    Raises:
        AffectkitError: as `read_table`.
    """
    traces: dict[tuple[str, str], Trace] = {}
    units: dict[Path, str] = {}
    times: dict[float, float] = {}
    for path, key in sources:
        rows = rows_by_recording(path)[key]
        if rows.empty:
            raise AffectkitError(f"{path} has no rows below its header ({describe_text(path)})")
        position = find_position(rows, path, labels)
        units[path] = position.unit
        own = _read_traces(rows, path, position, labels)
        if twice := {affect for _, affect in own} & {affect for _, affect in traces}:
            raise AffectkitError(f"{path}: {min(twice)} is in another table too; expected one")
        traces |= own
        times |= _times_of_frames(rows, position) if labels.first_frame is None else {}
    _check_complete(traces, units)
    unit = next(iter(units.values()))
    reading: dict[str, Any] = {
        "time_unit": unit,
        "between": labels.between,
        "first_frame": "" if labels.first_frame is None else labels.first_frame,
    }
    ranges = _source_range([path for path, _ in sources], labels)
    annotation = _combine(traces, reading, dataset, recording, ranges)
    if unit != FRAMES or not times:
        return annotation
    known = [times.get(float(frame), np.nan) for frame in annotation["frame"].values]
    return annotation.assign_coords(time=("frame", np.array(known, np.float64)))


def _source_range(paths: Sequence[Path], labels: LabelFormat) -> dict[str, list[float]]:
    given = labels.label_range or stored_range(read_preamble(paths[0], is_header)) or (-1, 1)
    return {affect: [float(limit) for limit in given] for affect in AFFECT}


def _check_complete(traces: dict[tuple[str, str], Trace], units: dict[Path, str]) -> None:
    found = {affect for _, affect in traces}
    path = next(iter(units))
    if missing := [affect for affect in AFFECT if affect not in found]:
        got = f"a table of {min(found)} only" if found else "neither valence nor arousal"
        raise AffectkitError(
            f"{path} has no column {missing[0]!r}: expected valence and arousal, in one table or "
            f"in two named ..._valence and ..._arousal; got {got} ({describe_text(path)})"
        )
    if len({unit == FRAMES for unit in units.values()}) > 1:
        raise AffectkitError(
            f"{' and '.join(map(str, units))}: expected both by time or both by frame"
        )


def _read_traces(
    rows: pd.DataFrame, path: Path, position: Position, labels: LabelFormat
) -> dict[tuple[str, str], Trace]:
    """The traces in the rows, by rater and affect."""
    at = _read_positions(rows, path, position, labels)
    affects = find_affects(rows, path)
    limits = labels.label_range or stored_range(read_preamble(path, is_header))
    values = {
        affect: _read_values(rows, column, path, limits) for affect, column in affects.items()
    }
    rater = rows["rater"].to_numpy() if "rater" in rows else np.full(len(rows), "")
    if (rater != "").any():
        _check_filled(rows, "rater", path)
    traces = {}
    for name in sorted(set(rater)):
        own = np.flatnonzero(rater == name)
        order = own[np.argsort(at[own], kind="stable")]
        again = np.flatnonzero(np.diff(at[order]) == 0)
        if len(again):
            row = order[again[0] + 1]
            raise AffectkitError(
                f"{path}, line {rows.index[row]}: two rows for {position.column} "
                f"{rows[position.column].iloc[row]}; expected one"
            )
        for affect, value in values.items():
            traces[str(name), affect] = Trace(at[order], value[order])
    return traces


def _read_positions(
    rows: pd.DataFrame, path: Path, position: Position, labels: LabelFormat
) -> Array:
    """(row) seconds, or numbers of frames from 0."""
    at = number_column(rows, position.column, path) / position.per_second
    if position.unit != FRAMES:
        if BINNED in read_preamble(path, is_header):
            return at - (np.median(np.diff(np.unique(at))) if len(set(at)) > 1 else at[0]) / 2
        return at
    first = labels.first_frame or 0
    wrong = (at < first) | (at % 1 != 0) | (at > MAX_FRAME)
    if wrong.any():
        row = int(wrong.argmax())
        raise AffectkitError(
            f"{path}, line {rows.index[row]}: expected frames {first}, {first + 1}, "
            f"{first + 2}, ..., got {rows[position.column].iloc[row]!r}; times under this header "
            "need --time-unit s or ms"
        )
    return at - first


def _read_values(
    rows: pd.DataFrame, column: str, path: Path, limits: tuple[float, float] | None
) -> Array:
    """(row) labels in [-1, 1]; NaN = blank."""
    values = number_column(rows, column, path, blank=True)
    low, high = limits or (-1.0, 1.0)
    wrong = (values < low) | (values > high)
    if not wrong.any():
        return np.asarray(2 * (values - low) / (high - low) - 1 if limits else values)
    row = int(wrong.argmax())
    got = f"{values[row]:g}"
    text = f"column {column!r} has {np.nanmin(values):g} to {np.nanmax(values):g}"
    advice = "give the range of the scale: --label-range LOW HIGH"
    if set(values[wrong]) == {NOT_ANNOTATED}:
        text = f"{wrong.sum()} cells of {column!r}; in Aff-Wild2 it marks frames without annotation"
        advice = "leave these cells blank"
    raise AffectkitError(
        f"{path}, line {rows.index[row]}: expected valence and arousal in [{low:g}, {high:g}], "
        f"got {got} ({text}); {advice}"
    )


def _times_of_frames(rows: pd.DataFrame, position: Position) -> dict[float, float]:
    """The seconds that a table by frame also gives, by frame; unreadable cells are left out."""
    columns = [name for name in rows.columns if time_unit(name)]
    if position.unit != FRAMES or not columns or position.column in columns:
        return {}
    frames, seconds = (
        pd.to_numeric(rows.loc[:, name].str.replace(",", "."), errors="coerce")
        for name in (position.column, columns[0])
    )
    seconds = seconds / Position(columns[0], time_unit(columns[0])).per_second
    return dict(zip(frames, seconds, strict=True))


def _combine(
    traces: dict[tuple[str, str], Trace],
    reading: dict[str, Any],
    dataset: str,
    recording: str,
    ranges: dict[str, list[float]],
) -> xr.Dataset:
    """The traces of all raters and affects at the positions of all of them."""
    by_frame = reading["time_unit"] == FRAMES
    position = np.unique(np.concatenate([trace.position for trace in traces.values()]))
    raters = sorted({rater for rater, _ in traces})
    values = np.full((len(raters), len(position), len(AFFECT)), np.nan)
    for (rater, affect), trace in traces.items():
        values[raters.index(rater), :, AFFECT.index(affect)] = (
            _at_frames(trace, position)
            if by_frame
            else resample(trace.value, trace.position, position, reading["between"] or "linear")
        )
    values[np.isnan(values).any(axis=2)] = np.nan
    annotation = make_annotation(
        fuse(xr.DataArray(values, dims=("rater", "frame", "affect")), "mean").to_numpy(),
        dataset=dataset,
        recording=recording,
        frame=position if by_frame else None,
        time=None if by_frame else position,
        source_range=ranges,
        alignment=f"by {'frame' if by_frame else 'time'}, as in the table",
        reading=reading,
    )
    if raters == [""]:
        return annotation
    dims = ("rater", "frame" if by_frame else "sample", "affect")
    return annotation.assign(rating=(dims, values.astype(np.float32)), rater=raters)


def _at_frames(trace: Trace, frame: Array) -> Array:
    aligned = np.full(len(frame), np.nan)
    aligned[np.searchsorted(frame, trace.position)] = trace.value
    return aligned
