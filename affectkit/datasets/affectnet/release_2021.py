"""The release of 2021: four small files per picture, a million of them in one folder.

The folder is listed once. The files of a recording are opened when it is read.
"""

import os
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from affectkit.datasets.affectnet.grouping import (
    NOT_ANNOTATED,
    STILLS,
    SplitFiles,
    Stills,
    empty_arrays,
    group_sizes,
    is_allowed,
)
from affectkit.errors import AffectkitError
from affectkit.recording import AXIS, POINTS

SETS = {"train": "train_set", "validation": "val_set"}
SUFFIXES = ("val", "aro")  # in the order of affect
DEPTHS = ("", "*/", "*/*/")
WANTED = "train_set/annotations and val_set/annotations"
ALIGNMENT = "a number is a picture"


def find(root: Path) -> dict[str, SplitFiles]:
    """The folders of annotations under `root` and of their pictures, by split."""
    found = {}
    for split, name in SETS.items():
        folders = (path for depth in DEPTHS for path in sorted(root.glob(depth + name)))
        if folder := next((path for path in folders if (path / "annotations").is_dir()), None):
            pictures = folder / "images"
            found[split] = SplitFiles(
                pictures if pictures.is_dir() else None, folder / "annotations"
            )
    return found


def counts(files: SplitFiles) -> list[int]:
    """The number of pictures in each recording of a split."""
    return group_sizes(len(_pictures(files)))


def _pictures(files: SplitFiles) -> dict[int, str]:
    folders = [folder for folder in files if folder]
    return _list_pictures(files, *(folder.stat().st_mtime_ns for folder in folders))


@lru_cache(maxsize=8)
def _list_pictures(files: SplitFiles, *changed: int) -> dict[int, str]:
    """The picture, or "", of each number with a picture or an annotation, in order."""
    annotated = (name.removesuffix(".npy").partition("_") for name in os.listdir(files.annotation))
    found = {int(number): "" for number, _, kind in annotated if _is_value_file(number, kind)}
    for name in os.listdir(files.pictures) if files.pictures else ():
        number, suffix = os.path.splitext(name)
        if suffix.lower() == ".jpg" and number.isdecimal():
            found[int(number)] = name
    return dict(sorted(found.items()))


def _is_value_file(number: str, kind: str) -> bool:
    return kind in SUFFIXES and number.isdecimal()


def read(files: SplitFiles, number: int) -> Stills:
    """Read the pictures of one recording.

    Raises:
        AffectkitError: a file has another format.
    """
    pictures = _pictures(files).items()
    own = dict(islice(pictures, number * STILLS, (number + 1) * STILLS))
    values, landmark = empty_arrays(len(own))
    for row, picture in enumerate(own):
        for column, suffix in enumerate(SUFFIXES):
            values[row, column] = _value(files.annotation / f"{picture}_{suffix}.npy")
        landmark[row] = _landmark(files.annotation / f"{picture}_lnd.npy")
    return Stills(list(own.values()), values, landmark, None)


def _value(path: Path) -> float:
    numbers = _numbers(path)
    if numbers is None:
        return np.nan
    if numbers.size != 1 or not is_allowed(numbers.item()):
        raise AffectkitError(f"{path}: expected a number in [-1, 1] or -2, got {numbers!r:.80}")
    value = float(numbers.item())
    return np.nan if value == NOT_ANNOTATED else value


def _landmark(path: Path) -> NDArray[np.float64]:
    numbers = _numbers(path)
    if numbers is None:
        return np.full((POINTS, len(AXIS)), np.nan)
    if numbers.size != POINTS * len(AXIS):
        raise AffectkitError(
            f"{path}: expected {POINTS} pairs of numbers, got an array of shape {numbers.shape}"
        )
    return numbers.reshape(POINTS, len(AXIS))


def _numbers(path: Path) -> NDArray[np.float64] | None:
    """The numbers in a file, which may be text; None if there is no file."""
    try:
        content: Any = np.load(path, allow_pickle=False)
        return np.asarray(content.astype(np.float64))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, EOFError, AttributeError) as error:
        raise AffectkitError(
            f"{path}: expected numbers in an npy file without Python objects (a pickle is never "
            f"loaded), got: {str(error).splitlines()[0]}"
        ) from None
