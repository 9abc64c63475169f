"""The functions of a layout, and writers of single files that several layouts use."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from affectkit.datasets.synthetic.landmarks import landmarks
from affectkit.datasets.synthetic.movement import MOVEMENT
from affectkit.datasets.synthetic.scene import Scene, Settings
from affectkit.files import StrPath, atomic_write, write_text


def nothing_to_finish(root: Path, settings: Settings) -> None:
    """The last step of layouts that have no files about all subjects."""


@dataclass(frozen=True)
class Layout:
    """The functions of a layout; `write` and `finish` keep files that already exist."""

    index: Callable[[StrPath], pd.DataFrame]  # of the loader
    annotations: Callable[[StrPath, str], xr.Dataset]
    write: Callable[[Path, Settings, int], None]  # the files of one subject, by number
    expected: Callable[[Settings, int], dict[str, xr.Dataset]]  # what to read back, by recording
    finish: Callable[[Path, Settings], None] = nothing_to_finish  # files about all subjects


def write_once(path: Path, text: str, end: str = "\n") -> None:
    """Write a file with these line ends, unless it exists."""
    if not path.is_file():
        write_text(path, text.replace("\n", end))


def write_picture(path: Path, rgb: NDArray[np.uint8]) -> None:
    """Write a picture in the format of its suffix, unless it exists."""
    if not path.is_file():
        _, content = cv2.imencode(path.suffix, cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR))
        with atomic_write(path) as partial:
            partial.write_bytes(content.tobytes())


def true_landmarks(scene: Scene, decimals: int) -> NDArray[np.float64]:
    """The true landmarks (frame, point, axis) of all frames, rounded as in the file."""
    rows = (dict(zip(MOVEMENT, values, strict=True)) for values in scene.movement.tolist())
    return np.array([landmarks(scene.subject, row) for row in rows]).round(decimals)
