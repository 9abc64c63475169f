"""The `.pts` files of Aff-Wild: points of a face, in pixels of the video."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from affectkit.datasets.listing import read_lines
from affectkit.errors import AffectkitError
from affectkit.recording import AXIS

HEAD = 3  # lines: version, n_points, opening brace


def read_points(path: Path, count: int) -> NDArray[np.float32]:
    """Read `count` points (point, axis).

    Raises:
        AffectkitError: the file is missing, has another number of points, or a line is not two
            numbers.
    """
    lines = [line.strip() for line in read_lines(path)]
    if len(lines) != HEAD + count + 1 or (lines[HEAD - 1], lines[-1]) != ("{", "}"):
        raise AffectkitError(
            f"{path}: expected version, n_points and {count} points in braces on "
            f"{HEAD + count + 1} lines, got {len(lines)} lines"
        )
    return np.array(
        [_point(path, number, lines[number - 1]) for number in range(HEAD + 1, len(lines))],
        np.float32,
    )


def _point(path: Path, number: int, line: str) -> list[float]:
    try:
        point = [float(text) for text in line.split()]
    except ValueError:
        point = []
    if len(point) != len(AXIS) or not np.isfinite(point).all():
        raise AffectkitError(f"{path}, line {number}: expected x and y, got {line!r}")
    return point
