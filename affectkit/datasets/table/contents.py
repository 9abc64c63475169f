"""The recordings in a table of labels, without their labels."""

from functools import cache
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from affectkit.datasets.delimited import read_preamble
from affectkit.datasets.table.label_format import find_affects, is_header
from affectkit.datasets.table.reading import rows_by_recording
from affectkit.datasets.text import describe_text
from affectkit.errors import AffectkitError, unknown

SPLITS = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("validation", "valid", "val", "dev", "devel"), "validation"),
    **dict.fromkeys(("test", "testing"), "test"),
}


class RowInfo(NamedTuple):
    """The other columns of a recording's rows; "" if they are missing."""

    affects: tuple[str, ...]  # valence, arousal, or both
    video: str
    subject: str
    split: str


class Contents(NamedTuple):
    """The recordings in a table; or, if it is no table of labels, why."""

    recordings: dict[str, RowInfo]
    reason: str


def read_contents(path: Path) -> Contents:
    """The recordings in a table.

    Raises:
        AffectkitError: a recording has two videos, subjects or splits, or an unknown split.
    """
    try:
        modified = path.stat().st_mtime_ns
    except OSError:  # a broken link
        return Contents({}, f"{path.name}: a link to a missing file")
    return _read_contents(path, modified)


@cache  # a folder of thousands of tables is read once, not once per recording
def _read_contents(path: Path, modified: int) -> Contents:
    try:
        groups = rows_by_recording(path)
        preamble = read_preamble(path, is_header)
    except AffectkitError as error:
        return Contents({}, str(error).replace(str(path), path.name))
    if not groups:
        return Contents({}, f"{path.name} has no rows below its header")
    if not all(find_affects(rows, path) for rows in groups.values()):
        columns = ", ".join(next(iter(groups.values())).columns)
        reason = (
            f"{path.name} has no columns of labels: expected valence and arousal, got {columns}"
        )
        return Contents({}, f"{reason} ({describe_text(path)})")
    recordings = {
        key: RowInfo(
            tuple(find_affects(rows, path)),
            _single_value(rows, "video", path) or preamble.get("multimedia file", ""),
            _single_value(rows, "subject", path),
            _split(_single_value(rows, "split", path), path),
        )
        for key, rows in groups.items()
    }
    return Contents(recordings, "")


def _single_value(rows: pd.DataFrame, column: str, path: Path) -> str:
    if list(rows.columns).count(column) > 1:
        raise AffectkitError(f"{path} has two columns {column!r}; expected one")
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
