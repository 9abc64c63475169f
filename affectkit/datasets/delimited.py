"""Tables as text, read by the names of their columns; what is wrong in one is named by its line."""

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
    """The text of a file, any line ends, with or without a byte order mark.

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
    """Read a table with a header, delimited by comma, semicolon or tab, as the header is.

    Returns:
        The cells as text, spaces and quotes around them stripped; the index holds line numbers.
        Blank rows are left out. Kept in memory for the next call: not to be changed.

    Raises:
        AffectkitError: the file cannot be read, is empty, or a row is longer than the header.
    """
    try:
        return _read(path, path.stat().st_mtime_ns)
    except OSError as error:
        raise AffectkitError(f"{path} cannot be read: {error.strerror}") from None


@lru_cache(maxsize=8)
def _read(path: Path, changed: int) -> pd.DataFrame:
    return parse(read_text(path), path)


def parse(text: str, path: Path, names: list[str] | None = None, first: int = 1) -> pd.DataFrame:
    """The table in a text, as `read_delimited` gives it.

    Args:
        text: the lines.
        path: the file that they are from, for errors.
        names: of the columns, where the text has no header.
        first: the number that the text's first line has in the file.
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
                skip_blank_lines=False,  # so that rows can be counted as lines
                index_col=False,
            )
    except pd.errors.ParserWarning:
        raise AffectkitError(f"{path}: expected rows as long as the header {header!r}") from None
    except (ValueError, pd.errors.ParserError) as error:
        reason = " ".join(str(error).split())
        raise AffectkitError(f"{path} cannot be read as a CSV table ({reason})") from None
    table = table.map(_bare).rename(columns=_bare)
    table.index += first + (names is None)
    return table[(table != "").any(axis=1)]


def _bare(text: str) -> str:
    return text.strip().strip("'\"").strip()


def require(table: pd.DataFrame, columns: Iterable[str], path: Path) -> None:
    """Check that a table has columns of these names.

    Raises:
        AffectkitError: names the first that is absent, and those that are there.
    """
    absent = [name for name in columns if name not in table]
    if absent:
        raise AffectkitError(
            f"{path} has no column {absent[0]!r}: expected {', '.join(columns)}; "
            f"got {', '.join(table.columns)}"
        )


def numbers(
    table: pd.DataFrame,
    column: str,
    path: Path,
    reach: tuple[float, float] | None = None,
    *,
    blank: bool = False,
) -> NDArray[np.float64]:
    """A column as numbers, written with a decimal point or comma.

    Args:
        table: from `read_delimited`.
        column: its name.
        path: the file, for errors.
        reach: the lowest and highest number allowed.
        blank: whether cells may be blank, or `nan`: they become NaN.

    Raises:
        AffectkitError: names the line of the first cell that is something else.
    """
    text = table[column]
    wanted = "numbers only" if reach is None else f"{column} in [{reach[0]:g}, {reach[1]:g}]"
    values = np.array([_number(cell) for cell in text], np.float64)
    silent = np.isnan(values) & text.str.lower().isin(BLANK).to_numpy()
    low, high = reach or (-math.inf, math.inf)
    allowed = np.isfinite(values) & (values >= low) & (values <= high)
    wrong = ~allowed if not blank else ~allowed & ~silent
    if wrong.any():
        place = int(wrong.argmax())
        raise AffectkitError(
            f"{path}, line {table.index[place]}: expected {wanted}, "
            f"got {column} {text.iloc[place]!r}"
        )
    return values


def _number(text: str) -> float:
    try:
        return float(text.replace(",", "."))
    except ValueError:
        return math.nan
