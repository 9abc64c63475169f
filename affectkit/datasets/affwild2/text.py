"""The text files of Aff-Wild2: a header, then valence and arousal of a frame on each line."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from affectkit.datasets.listing import read_lines
from affectkit.errors import AffectkitError
from affectkit.recording import AFFECT

HEADER = "valence,arousal"
NOT_ANNOTATED = -5.0


def read_annotation(path: Path) -> NDArray[np.float32]:
    """Read a text file (line, affect); NaN in both columns where either says not annotated.

    Raises:
        AffectkitError: the file is missing, its header is another, or a line is not two numbers
            in [-1, 1] or -5.
    """
    lines = read_lines(path)
    header = lines[0].replace(" ", "").lower() if lines else ""
    if header != HEADER:
        raise AffectkitError(f"{path}, line 1: expected the header {HEADER!r}, got {header!r}")
    values = np.array(list(_numbers(path, lines)), np.float32).reshape(-1, len(AFFECT))
    values[(values == NOT_ANNOTATED).any(axis=1)] = np.nan
    return values


def _numbers(path: Path, lines: list[str]) -> Iterator[list[float]]:
    for number, line in enumerate(lines[1:], start=2):
        try:
            values = [float(text) for text in line.split(",")]
        except ValueError:
            values = []
        if len(values) != len(AFFECT) or not all(map(_is_allowed, values)):
            raise AffectkitError(
                f"{path}, line {number}: expected valence,arousal in [-1, 1] or -5, got {line!r}"
            )
        yield values


def _is_allowed(value: float) -> bool:
    return -1 <= value <= 1 or value == NOT_ANNOTATED
