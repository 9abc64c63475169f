"""The release of 2017: one table per split with all pictures, of some hundred megabytes.

Only the positions of its lines are kept in memory, so that a recording reads only its own lines.
"""

import csv
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from affectkit.datasets.affectnet.grouping import (
    NOT_ANNOTATED,
    STILLS,
    SplitFiles,
    Stills,
    empty_arrays,
    is_allowed,
)
from affectkit.errors import AffectkitError
from affectkit.recording import AXIS, EDGE, POINTS

COLUMNS = ("subDirectory_filePath", "face_x", "face_y", "face_width", "face_height",
           "facial_landmarks", "expression", "valence", "arousal")  # fmt: skip
TABLES = {"train": "training.csv", "validation": "validation.csv"}
PICTURES = "Manually_Annotated_Images"
DEPTHS = ("", "*/", "*/*/")
NOTHING = ("", "null", "nan")
WANTED = f"training.csv, validation.csv and {PICTURES}"
ALIGNMENT = "a line of the table is a picture"


class LineRange(NamedTuple):
    """The position of the lines of one recording in a table."""

    offset: int  # bytes
    line: int  # number of the first line, from 1
    stills: int  # number of pictures


def find(root: Path) -> dict[str, SplitFiles]:
    """The tables under `root` and their pictures, by split."""
    found = {}
    for split, name in TABLES.items():
        if table := _first(root, name):
            found[split] = SplitFiles(_pictures(root), table)
    return found


def _first(root: Path, name: str) -> Path | None:
    return next((path for depth in DEPTHS for path in sorted(root.glob(depth + name))), None)


def _pictures(root: Path) -> Path | None:
    folder = _first(root, PICTURES)
    return folder / PICTURES if folder and (folder / PICTURES).is_dir() else folder


def counts(files: SplitFiles) -> list[int]:
    """The number of pictures in each recording of a split."""
    return [line_range.stills for line_range in _line_ranges(files.annotation)]


def _line_ranges(table: Path) -> tuple[LineRange, ...]:
    status = table.stat()
    return _find_line_ranges(table, status.st_mtime_ns, status.st_size)


@lru_cache(maxsize=8)
def _find_line_ranges(table: Path, changed: int, size: int) -> tuple[LineRange, ...]:
    """The positions of all recordings in a table; cached until the table changes."""
    ranges: list[LineRange] = []
    offset = 0
    with table.open("rb") as file:
        for line, text in enumerate(file, start=1):
            if text.strip() and not (line == 1 and _is_header(text)):
                if not ranges or ranges[-1].stills == STILLS:
                    ranges.append(LineRange(offset, line, 0))
                ranges[-1] = ranges[-1]._replace(stills=ranges[-1].stills + 1)
            offset += len(text)
    return tuple(ranges)


def _is_header(text: bytes) -> bool:
    return b"/" not in text.partition(b",")[0]


def read(files: SplitFiles, number: int) -> Stills:
    """Read the pictures of one recording.

    Raises:
        AffectkitError: the table has another header, or a line has another format.
    """
    table, line_range = files.annotation, _line_ranges(files.annotation)[number]
    _check_header(table)
    still, box = [], np.full((line_range.stills, len(EDGE)), np.nan, np.float32)
    values, landmark = empty_arrays(line_range.stills)
    for row, (line, cells) in enumerate(_lines(table, line_range)):
        where = f"{table}, line {line}"
        if len(cells) != len(COLUMNS):
            raise AffectkitError(
                f"{where}: expected the {len(COLUMNS)} cells {','.join(COLUMNS)}, got {len(cells)}"
            )
        path, *face, points, _, valence, arousal = (cell.strip() for cell in cells)
        is_there = files.pictures and (files.pictures / path).is_file()
        still.append(path if is_there else "")
        box[row] = _box(where, face)
        landmark[row] = _landmark(where, points)
        values[row] = _affect(where, valence, arousal)
    return Stills(still, values, landmark, box)


def _check_header(table: Path) -> None:
    with table.open(encoding="utf-8-sig", errors="replace") as file:
        first = file.readline()
    cells = [cell.strip() for cell in next(csv.reader([first]), [])]
    if _is_header(first.encode()) and tuple(cells) != COLUMNS:
        raise AffectkitError(
            f"{table}, line 1: expected the header {','.join(COLUMNS)}, got {first.strip()!r:.120}"
        )


def _lines(table: Path, line_range: LineRange) -> list[tuple[int, list[str]]]:
    """The line numbers and cells of a recording, without blank lines."""
    with table.open("rb") as file:
        file.seek(line_range.offset)
        lines = ((line, text) for line, text in enumerate(file, line_range.line) if text.strip())
        own = list(islice(lines, line_range.stills))
    try:
        texts = [(line, text.decode("utf-8-sig").strip()) for line, text in own]
    except UnicodeDecodeError as error:
        raise AffectkitError(f"{table} cannot be read: expected text in UTF-8 ({error})") from None
    return [(line, next(csv.reader([text]))) for line, text in texts]


def _numbers(where: str, name: str, texts: list[str]) -> NDArray[np.float64]:
    try:
        return np.array(texts, np.float64)
    except ValueError as error:
        raise AffectkitError(f"{where}: expected numbers as {name} ({error})") from None


def _box(where: str, face: list[str]) -> list[float]:
    if any(cell.lower() in NOTHING for cell in face):
        return [np.nan] * len(EDGE)
    x, y, width, height = _numbers(where, "face_x to face_height", face)
    return [x, y, x + width, y + height] if min(width, height) > 0 else [np.nan] * len(EDGE)


def _landmark(where: str, text: str) -> NDArray[np.float64]:
    if text.lower() in NOTHING:
        return np.full((POINTS, len(AXIS)), np.nan)
    points = _numbers(where, "facial_landmarks", text.split(";"))
    if len(points) != POINTS * len(AXIS):
        raise AffectkitError(
            f"{where}: expected {POINTS * len(AXIS)} numbers separated by ';' as facial_landmarks, "
            f"got {len(points)}"
        )
    return points.reshape(POINTS, len(AXIS))


def _affect(where: str, valence: str, arousal: str) -> NDArray[np.float64]:
    values = _numbers(where, "valence and arousal", [valence, arousal])
    if not all(map(is_allowed, values)):
        raise AffectkitError(
            f"{where}: expected valence and arousal in [-1, 1] or -2, got {valence}, {arousal}"
        )
    return np.where(values == NOT_ANNOTATED, np.nan, values)
