"""What one recording is to be made of, and what became of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import xarray as xr

from affectkit.faces import Crop

Progress = Callable[[str, int, int], None]  # recording, frames done, frames in all (0 = unknown)
Annotate = Callable[[], xr.Dataset]


@dataclass(frozen=True)
class Job:
    """What one recording is made of; travels to other processes."""

    video: Path  # or the folder that its pictures lie below
    path: Path  # the recording to write
    attrs: dict[str, Any]  # dataset, subject, split
    annotate: Annotate | None
    annotation_files: tuple[str, ...]
    fps: float  # of pictures without time stamps; NaN = unknown
    person: str  # "left" or "right" in the picture; "" = the viewer
    detector: str
    options: Mapping[str, Any]  # of the detector
    crop: Crop
    detect: bool  # look for faces even where the dataset brings them

    @property
    def name(self) -> str:
        """The recording's name."""
        return self.path.stem


class Outcome(NamedTuple):
    """What became of a job."""

    name: str
    frames: int
    error: str  # "" = made
    warnings: tuple[str, ...]


def silent(name: str, done: int, total: int) -> None:
    """The progress that shows nothing."""
