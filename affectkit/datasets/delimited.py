"""Read delimited text tables by column name, with errors that name the line."""

import math
import warnings
from collections.abc import Iterable
from functools import lru_cache
from io import StringIO
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from affectkit.errors import AffectkitError

DELIMITERS = ",;\t"
BLANK = ("", "nan", "na")


def read_text(path: Path) -> str:
    """The text of a file with any line ends, with or without a byte order mark.

    Raises:
        AffectkitError: it cannot be opened, or is not UTF-8.
    """
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise AffectkitError(f"{path} cannot be read: expected text in UTF-8") from None
    except OSError as error:
        raise AffectkitError(f"{path} cannot be read: {error.strerror}") from None


def read_delimited(path: Path) -> pd.DataFrame:
    """Read a table with a header; comma, semicolon or tab, whichever the header contains most.

    Returns:
        The cells as text, without surrounding spaces and quotes. The index contains line numbers.
        Blank rows are dropped. The table is cached: do not modify it.

    Raises:
        AffectkitError: the file cannot be read, is empty, or a row is longer than the header.
    """
    try:
        return _read(path, path.stat().st_mtime_ns)
    except OSError as error:
        raise AffectkitError(f"{path} cannot be read: {error.strerror}") from None


@lru_cache(maxsize=8)
def _read(path: Path, changed: int) -> pd.DataFrame:
    return parse_table(read_text(path), path)


def parse_table(
    text: str, path: Path, names: list[str] | None = None, first: int = 1
) -> pd.DataFrame:
    """The table in a text, as `read_delimited` returns it.

    Args:
        text: the lines.
        path: the file of the text, for errors.
        names: the columns, if the text has no header.
        first: the line number of the first line in the file.
    """
    body = text.lstrip("\n")
    first += len(text) - len(body)
    header = body.partition("\n")[0]
    delimiter = max(DELIMITERS, key=header.count)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)
            table = pd.read_csv(
                StringIO(body),
                sep=delimiter,
                header=None if names else 0,
                names=names,
                dtype=str,
                na_filter=False,
                skip_blank_lines=False,  # keeps row numbers equal to line numbers
                index_col=False,
            )
    except pd.errors.ParserWarning:
        raise AffectkitError(f"{path}: expected rows as long as the header {header!r}") from None
    except (ValueError, pd.errors.ParserError) as error:
        reason = " ".join(str(error).split())
        raise AffectkitError(f"{path} cannot be read as a CSV table ({reason})") from None
    table = table.map(_strip).rename(columns=_strip)
    table.index += first + (names is None)
    return table[(table != "").any(axis=1)]


def _strip(text: str) -> str:
    return text.strip().strip("'\"").strip()


def require_columns(table: pd.DataFrame, columns: Iterable[str], path: Path) -> None:
    """Check that a table has these columns.

    Raises:
        AffectkitError: names the first missing column, and the existing ones.
    """
    absent = [name for name in columns if name not in table]
    if absent:
        raise AffectkitError(
            f"{path} has no column {absent[0]!r}: expected {', '.join(columns)}; "
            f"got {', '.join(table.columns)}"
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
        AffectkitError: names the line of the first invalid cell.
    """
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
