"""The parts of a submission: files, columns, and the rows given by the organisers' sample."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from affectkit.errors import AffectkitError
from affectkit.files import read_lines

LOWEST, HIGHEST = -1.0, 1.0


@dataclass(frozen=True)
class SubmissionFile:
    """One file of a submission.

    `rows` has one row for each row of the file, in the same order. Its columns: the key columns as
    text; `recording`, the name of the prediction; and `frame` (0-based) or `time` (seconds) at
    which to read the prediction, or neither, for the mean over the recording. `affects` names the
    affect in each value column; None stands for a column that affectkit does not predict and fills
    with 0.
    """

    rows: pd.DataFrame
    affects: tuple[str | None, ...]
    name: str = ""  # within the folder of the submission; empty if the submission is one file


@dataclass(frozen=True)
class SubmissionFormat:
    """The file format of one challenge."""

    columns: tuple[str, ...]
    keys: tuple[str, ...]  # the first columns; the others hold values
    read_sample: Callable[[Path], list[SubmissionFile]]
    decimals: int
    separator: str = ","
    header: str = ""  # if it is not just the names of the columns
    lowest: Mapping[str, float] = field(default_factory=dict)  # of columns that do not start at -1

    @property
    def values(self) -> tuple[str, ...]:
        """The columns that hold values."""
        return self.columns[len(self.keys) :]

    def minimum(self, column: str) -> float:
        """The minimum of a value column; the maximum is always 1."""
        return self.lowest.get(column, LOWEST)


def sample_files(sample: Path, suffix: str) -> list[Path]:
    """The files of a sample, sorted; the sample is one file or a folder.

    Raises:
        AffectkitError: there are none.
    """
    if sample.is_file():
        return [sample]
    found = [path for path in sample.rglob(f"*{suffix}") if not path.name.startswith(".")]
    if not found:
        raise AffectkitError(
            f"no sample at {sample}: expected a {suffix} file or a folder of {suffix} files: the "
            "organisers' sample, or label files of the same recordings"
        )
    return sorted(found)


def lines_after_header(path: Path, header: str) -> list[str]:
    """The lines of a file after its header.

    Raises:
        AffectkitError: the file is not text, or its first line does not begin with `header`.
    """
    lines = read_lines(path)
    if not lines or not lines[0].replace(" ", "").startswith(header):
        found = repr(lines[0]) if lines else "nothing"
        raise AffectkitError(f"{path}:1 has {found}, expected a header that begins with {header!r}")
    return lines[1:]


def join_columns(table: pd.DataFrame, separator: str) -> list[str]:
    """Each row of a table of texts as one line."""
    return [separator.join(row) for row in zip(*(table[name] for name in table), strict=True)]
