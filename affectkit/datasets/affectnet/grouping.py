"""Which pictures make up a recording, and what both releases are read into."""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from affectkit.recording import AFFECT, AXIS, POINTS

STILLS = 1000  # in a recording
FPS = 0.01  # a picture every 100 s: far more than any smoothing reaches
NOT_ANNOTATED = -2.0


class Part(NamedTuple):
    """One split of a release."""

    pictures: Path | None  # the folder that the pictures' paths count from
    annotation: Path  # a file, or a folder of files


class Stills(NamedTuple):
    """What is known of the pictures of one recording."""

    still: list[str]  # (frame)
    values: NDArray[np.float64]  # (frame, affect), NaN = not annotated
    landmark: NDArray[np.float32]  # (frame, point, axis), NaN = not given
    box: NDArray[np.float32] | None  # (frame, edge); None = around the landmarks


def group_name(split: str, number: int) -> str:
    """The name of a recording."""
    return f"{split}_{number:04d}"


def group(name: str) -> tuple[str, int]:
    """Split and number of a recording, from its name; ("", 0) where it is none."""
    split, _, number = name.rpartition("_")
    is_name = number.isdecimal() and name == group_name(split, int(number))
    return (split, int(number)) if is_name else ("", 0)


def grouped_row(
    split: str, number: int, pictures: Path | None, annotation: Path, count: int
) -> dict[str, Any]:
    """The row of the index of one recording."""
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


def no_stills(count: int) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
    """Values (frame, affect) and landmarks (frame, point, axis) of which nothing is known yet."""
    values = np.full((count, len(AFFECT)), np.nan)
    return values, np.full((count, POINTS, len(AXIS)), np.nan, np.float32)


def sizes(count: int) -> list[int]:
    """How many of `count` pictures each recording holds."""
    return [min(STILLS, count - start) for start in range(0, count, STILLS)]


def is_allowed(value: float) -> bool:
    """Whether a value is in range, or says that there is none."""
    return -1 <= value <= 1 or value == NOT_ANNOTATED
