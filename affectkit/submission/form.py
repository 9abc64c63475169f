"""What a submission is made of: files, columns, and rows that a sample names."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from affectkit.errors import AffectkitError

LOWEST, HIGHEST = -1.0, 1.0


@dataclass(frozen=True)
class Sheet:
    """One file of a submission.

    `rows` has a row for each of the file's, in order: the key columns as text; `recording`, the
    name of the prediction to read; and `frame` (0-based) or `time` (seconds) to read it at, or
    neither, for the mean over the recording. `affects` says what stands in each value column;
    None is something that affectkit does not predict, written as 0.
    """

    rows: pd.DataFrame
    affects: tuple[str | None, ...]
    name: str = ""  # within the submission's folder; empty where the submission is one file


@dataclass(frozen=True)
class Form:
    """The layout of one challenge."""

    columns: tuple[str, ...]
    keys: tuple[str, ...]  # the first of the columns; the others are values
    sheets: Callable[[Path], list[Sheet]]  # of a sample
    decimals: int
    separator: str = ","
    header: str = ""  # where it is more than the names of the columns
    lowest: Mapping[str, float] = field(default_factory=dict)  # of columns that do not start at -1

    @property
    def values(self) -> tuple[str, ...]:
        """The columns that hold values."""
        return self.columns[len(self.keys) :]

    def low(self, column: str) -> float:
        """The least value of a column; the greatest is 1."""
        return self.lowest.get(column, LOWEST)


def sample_files(sample: Path, suffix: str) -> list[Path]:
    """The files of a sample, which is one file or a folder of them, by name.

    Raises:
        AffectkitError: there are none.
    """
    if sample.is_file():
        return [sample]
    found = [path for path in sample.rglob(f"*{suffix}") if not path.name.startswith(".")]
    if not found:
        raise AffectkitError(
            f"no sample at {sample}: expected a {suffix} file or a folder of them, as the "
            f"organisers give them or as the labels are"
        )
    return sorted(found)


def read_lines(path: Path) -> list[str]:
    """The lines of a text file, without empty ones at the end.

    Raises:
        AffectkitError: it cannot be read as text.
    """
    try:
        return path.read_text(encoding="utf-8-sig").rstrip().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise AffectkitError(f"{path} cannot be read as text: {error}") from None


def lines_below(path: Path, header: str) -> list[str]:
    """The lines below a header that begins with `header`.

    Raises:
        AffectkitError: it cannot be read as text, or begins otherwise.
    """
    lines = read_lines(path)
    if not lines or not lines[0].replace(" ", "").startswith(header):
        found = repr(lines[0]) if lines else "nothing"
        raise AffectkitError(f"{path}:1 has {found}, expected a header that begins with {header!r}")
    return lines[1:]


def joined(table: pd.DataFrame, separator: str) -> list[str]:
    """Each row of a table of texts as one text."""
    return [separator.join(row) for row in zip(*(table[name] for name in table), strict=True)]
