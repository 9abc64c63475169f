"""Read delimited text tables by column name, with errors that name the line."""

import csv
import math
import re
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from affectkit.datasets.text import describe_text, read_text
from affectkit.errors import AffectkitError

DELIMITERS = ",;\t"
BLANK = ("", "nan", "na")
SEPARATOR_LINE = re.compile(r"\s*['\"]?sep=(.)['\"]?\s*", re.IGNORECASE)  # for Excel
UNDERLINE = re.compile(r"[-=_*#%]{2,}")  # a cell of a row that separates header and values
HEADER_LINES = 50  # the header is looked for in these

IsHeader = Callable[[Sequence[str]], bool]


class Layout(NamedTuple):
    """Where the header of a table is."""

    line: int  # number of the header's line, from 1
    delimiter: str


def read_delimited(path: Path, is_header: IsHeader | None = None) -> pd.DataFrame:
    """Read a table with a header; comma, semicolon or tab, whichever the header contains most.

    Args:
        path: a text file; a first line `sep=;` names the delimiter.
        is_header: whether these cells are the header. Lines before it are skipped; without such a
            line, and by default, the header is the first line.

    Returns:
        The cells as text, without surrounding spaces and quotes. The index contains line numbers.
        Blank rows are dropped. The table is cached: do not modify it.

    Raises:
        AffectkitError: the file cannot be read, is empty, or a row is longer than the header.
    """
    return _read(path, _modified(path), is_header)[0]


def read_preamble(path: Path, is_header: IsHeader) -> dict[str, str]:
    """The lines before the header as names (lower case) and values: their first two cells."""
    return _read(path, _modified(path), is_header)[1]


def _modified(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError as error:
        raise AffectkitError(f"{path} cannot be read: {error.strerror}") from None


@lru_cache(maxsize=8)
def _read(
    path: Path, modified: int, is_header: IsHeader | None
) -> tuple[pd.DataFrame, dict[str, str]]:
    lines = read_text(path).split("\n")
    layout = _find_header(lines, is_header)
    before = [_split(line, layout.delimiter) for line in lines[: layout.line - 1]]
    preamble = {cells[0].lower(): cells[1] for cells in before if len(cells) > 1}
    body = "\n".join(lines[layout.line - 1 :])
    table = parse_table(body, path, first=layout.line, delimiter=layout.delimiter)
    return table, preamble


def _find_header(lines: Sequence[str], is_header: IsHeader | None) -> Layout:
    named = SEPARATOR_LINE.fullmatch(lines[0])
    delimiter = named[1] if named else ""
    filled = [number for number, line in enumerate(lines) if line.strip()][bool(named) :]
    for number in filled[:HEADER_LINES] if is_header else ():
        chosen = delimiter or _most_frequent_delimiter(lines[number])
        if is_header and is_header(_split(lines[number], chosen)):
            return Layout(number + 1, chosen)
    first = filled[0] if filled else 0
    return Layout(first + 1, delimiter or _most_frequent_delimiter(lines[first]))


def _most_frequent_delimiter(line: str) -> str:
    return max(DELIMITERS, key=line.count)


def _split(line: str, delimiter: str) -> list[str]:
    return [_strip(cell) for cell in next(csv.reader([line], delimiter=delimiter), [])]


def parse_table(
    text: str,
    path: Path,
    names: Sequence[str] | None = None,
    *,
    first: int = 1,
    delimiter: str = "",
) -> pd.DataFrame:
    """The table in a text, as `read_delimited` returns it.

    Args:
        text: the lines.
        path: the file of the text, for errors.
        names: the columns, if the text has no header.
        first: the line number of the first line in the file.
        delimiter: by default the most frequent one in the first line.
    """
    body = text.lstrip("\n")
    first += len(text) - len(body)
    header = body.partition("\n")[0]
    rows, numbers = _parse_rows(body, delimiter or _most_frequent_delimiter(header), path, first)
    columns = list(names) if names else rows.pop(0) if rows else []
    while columns and not columns[-1]:
        columns.pop()
    if not columns:
        raise AffectkitError(f"{path} is empty: expected a table with a header")
    numbers = numbers[-len(rows) :] if rows else []
    if rows and not names and all(map(UNDERLINE.fullmatch, filter(None, rows[0]))):
        rows, numbers = rows[1:], numbers[1:]
    width = len(columns)
    for cells, number in zip(rows, numbers, strict=True):
        if any(cells[width:]):
            raise AffectkitError(
                f"{path}, line {number}: expected {width} cells as in the header "
                f"{header.strip()!r}, got {len(cells)}"
            )
    filled = [(cells + [""] * width)[:width] for cells in rows]
    return pd.DataFrame(filled, index=numbers, columns=columns, dtype=str)


def _parse_rows(
    text: str, delimiter: str, path: Path, first: int
) -> tuple[list[list[str]], list[int]]:
    """The rows that are not blank, and their line numbers."""
    rows, numbers, start = [], [], first
    reader = csv.reader(text.split("\n"), delimiter=delimiter, skipinitialspace=True)
    try:
        for cells in reader:
            stripped = list(map(_strip, cells))
            lines = first + reader.line_num - start
            if any(stripped):
                rows.append(stripped)
                numbers.append(start)
            start += lines
    except csv.Error as error:
        raise AffectkitError(f"{path}, line {start}: not a row of a CSV table ({error})") from None
    if rows and lines > 1 and text.count('"') % 2:
        raise AffectkitError(f"{path}, line {numbers[-1]}: a quotation mark is not closed")
    return rows, numbers


def _strip(text: str) -> str:
    return text.strip().strip("'\"").strip()


def require_columns(table: pd.DataFrame, columns: Iterable[str], path: Path) -> None:
    """Check that a table has these columns.

    Raises:
        AffectkitError: names the first missing column, and what the file contains.
    """
    for name in columns:
        if name not in table:
            raise AffectkitError(
                f"{path} has no column {name!r}: expected {', '.join(columns)}; got "
                f"{', '.join(table.columns)} ({describe_text(path)})"
            )


def number_column(
    table: pd.DataFrame,
    column: str,
    path: Path,
    limits: tuple[float, float] | None = None,
    *,
    blank: bool = False,
) -> NDArray[np.float64]:
    """A column as numbers, with decimal point or comma.

    Args:
        table: from `read_delimited`.
        column: its name.
        path: the file, for errors.
        limits: the lowest and highest allowed number.
        blank: whether cells may be blank or `nan`; they become NaN.

    Raises:
        AffectkitError: names the line of the first invalid cell; or there are two such columns.
    """
    if list(table.columns).count(column) > 1:
        raise AffectkitError(f"{path} has two columns {column!r}; expected one")
    text = table[column]
    wanted = "numbers only" if limits is None else f"{column} in [{limits[0]:g}, {limits[1]:g}]"
    values = np.array([_number(cell) for cell in text], np.float64)
    is_blank = np.isnan(values) & text.str.lower().isin(BLANK).to_numpy()
    low, high = limits or (-math.inf, math.inf)
    allowed = np.isfinite(values) & (values >= low) & (values <= high)
    wrong = ~allowed if not blank else ~allowed & ~is_blank
    if wrong.any():
        row = int(wrong.argmax())
        raise AffectkitError(
            f"{path}, line {table.index[row]}: expected {wanted}, got {column} {text.iloc[row]!r}"
        )
    return values


def _number(text: str) -> float:
    try:
        return float(text.replace(",", "."))
    except ValueError:
        return math.nan
