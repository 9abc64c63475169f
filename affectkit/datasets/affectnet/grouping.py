"""Groups of pictures as recordings, and the data structures of both releases."""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from affectkit.recording import AFFECT, AXIS, POINTS

STILLS = 1000  # in a recording
FPS = 0.01  # one picture every 100 s, to prevent smoothing across pictures
NOT_ANNOTATED = -2.0


class SplitFiles(NamedTuple):
    """The files of one split of a release."""

    pictures: Path | None  # the folder of the pictures
    annotation: Path  # a file, or a folder of files


class Stills(NamedTuple):
    """The pictures of one recording and their annotations."""

    still: list[str]  # (frame)
    values: NDArray[np.float64]  # (frame, affect), NaN = not annotated
    landmark: NDArray[np.float32]  # (frame, point, axis), NaN = unknown
    box: NDArray[np.float32] | None  # (frame, edge); None = box around the landmarks


def group_name(split: str, number: int) -> str:
    """The name of a recording."""
    return f"{split}_{number:04d}"


def parse_group_name(name: str) -> tuple[str, int]:
    """Split and number of a recording from its name; ("", 0) if the name is invalid."""
    split, _, number = name.rpartition("_")
    is_name = number.isdecimal() and name == group_name(split, int(number))
    return (split, int(number)) if is_name else ("", 0)


def grouped_row(
    split: str, number: int, pictures: Path | None, annotation: Path, count: int
) -> dict[str, Any]:
    """The row of a recording in the index."""
    name = group_name(split, number)
    return {
        "recording": name,
        "subject": name,
        "split": split,
        "video": str(pictures or ""),
        "annotation": (str(annotation),),
        "frames": count,
        "fps": FPS,
    }


def empty_arrays(count: int) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
    """Values (frame, affect) and landmarks (frame, point, axis), all NaN."""
    values = np.full((count, len(AFFECT)), np.nan)
    return values, np.full((count, POINTS, len(AXIS)), np.nan, np.float32)


def group_sizes(count: int) -> list[int]:
    """The number of pictures in each recording, for `count` pictures in total."""
    return [min(STILLS, count - start) for start in range(0, count, STILLS)]


def is_allowed(value: float) -> bool:
    """Whether a value is in [-1, 1] or the code for not annotated."""
    return -1 <= value <= 1 or value == NOT_ANNOTATED
