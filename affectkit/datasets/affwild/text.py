"""The text files of Aff-Wild: a number a line."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from affectkit.datasets.listing import read_lines
from affectkit.errors import AffectkitError


def read_values(path: Path) -> NDArray[np.float64]:
    """Read a text file (line).

    Raises:
        AffectkitError: the file is missing or empty, or a line is not a number in [-1, 1].
    """
    lines = read_lines(path)
    if not lines:
        raise AffectkitError(f"{path}: expected a number a line, got an empty file")
    return np.array(list(_numbers(path, lines)), np.float64)


def _numbers(path: Path, lines: list[str]) -> Iterator[float]:
    for number, line in enumerate(lines, start=1):
        try:
            value = float(line)
        except ValueError:
            value = np.nan
        if not -1 <= value <= 1:
            raise AffectkitError(
                f"{path}, line {number}: expected a number in [-1, 1], got {line!r}"
            )
        yield value
