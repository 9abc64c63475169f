"""What a layout is: how people are written in it, and what a loader must read back."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import xarray as xr

from affectkit.datasets.synthetic.plan import Plan
from affectkit.files import write_text


def write_once(path: Path, text: str, end: str = "\n") -> None:
    """Write a file with these line ends, unless it is there."""
    if not path.is_file():
        write_text(path, text.replace("\n", end))


def nothing(root: Path, plan: Plan) -> None:
    """The ending of layouts that have no file about all people."""


@dataclass(frozen=True)
class Layout:
    """Five functions; `write` and `finish` leave files that are there as they are."""

    index: Callable[[Path], pd.DataFrame]  # of the dataset whose layout it is
    annotations: Callable[[Path, str], xr.Dataset]
    write: Callable[[Path, Plan, int], None]  # the files of one person, by number
    written: Callable[[Plan, int], dict[str, xr.Dataset]]  # what must be read back, by recording
    finish: Callable[[Path, Plan], None] = nothing  # files about all people, when all are written
