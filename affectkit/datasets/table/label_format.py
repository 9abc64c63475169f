"""The format of a table of labels: its columns, units and ranges, and what the user says of it."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from affectkit.datasets.text import describe_text
from affectkit.errors import AffectkitError, unknown
from affectkit.recording import AFFECT
from affectkit.signals.resampling import METHODS

FRAMES = "frames"
UNITS_PER_SECOND = {
    **dict.fromkeys(("", "s", "sec", "second", "seconds"), 1.0),
    **dict.fromkeys(("ms", "msec", "millisecond", "milliseconds"), 1000.0),
    **dict.fromkeys(("min", "minute", "minutes"), 1 / 60),
}
TIME_UNITS = ("s", "ms", FRAMES)
TIME = re.compile(r"time(?:stamp)?[ _]*[\[(]?\s*(\w*)\s*[\])]?|(sec|seconds?|milliseconds?)")
VALUE = ("rating", "value")  # columns of a table of one affect that its name says
IN_NAME = re.compile(r"(?:^|[ _.-]+)(valence|arousal)(?=$|[ _.-])", re.IGNORECASE)


@dataclass(frozen=True)
class LabelFormat:
    """What a table of labels does not say itself.

    Attributes:
        time_unit: unit of the column of times, `s`, `ms` or `frames` (numbers of frames); by
            default the unit in the name of the column, otherwise seconds. With `s` or `ms`, a
            column of times is used before `frame`.
        label_range: the lowest and the highest label of the scale, which become -1 and 1; by
            default that of a CARMA or DARMA file, otherwise (-1, 1).
        first_frame: number of the first frame, 0 or 1; by default 0, unless the numbers are 1 to N
            and the video has N frames, or a column of times shows that they begin at 1.
        between: the labels of frames between two rows. `linear` (default for times): interpolated;
            `nearest`: that of the nearest row; both leave frames without label where rows are
            farther apart than 1.5 times the median. `hold`: the label of the row before, up to the
            end of the video. By default, frames without a row in a table by frame have no label.
    """

    time_unit: str = ""
    label_range: tuple[float, float] | None = None
    first_frame: int | None = None
    between: str = ""

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            AffectkitError: a value is unknown, or the range is empty.
        """
        if self.time_unit not in ("", *TIME_UNITS):
            raise unknown("time unit", self.time_unit, TIME_UNITS)
        if self.between not in ("", *METHODS):
            raise unknown("method between rows", self.between, METHODS)
        if self.first_frame not in (None, 0, 1):
            raise AffectkitError(f"expected 0 or 1 as the first frame, got {self.first_frame}")
        if self.label_range and not self.label_range[0] < self.label_range[1]:
            low, high = self.label_range
            raise AffectkitError(f"expected a label range LOW HIGH, got {low:g} {high:g}")


class Position(NamedTuple):
    """The column that says which frame or time a row belongs to."""

    column: str
    unit: str  # `frames`, `s`, `ms` or `min`

    @property
    def per_second(self) -> float:
        """Units in a second; 1 for numbers of frames."""
        return 1.0 if self.unit == FRAMES else UNITS_PER_SECOND[self.unit]


def is_header(cells: Sequence[str]) -> bool:
    """Whether the cells of a line are the columns of a table of labels."""
    return len(cells) > 1 and any(
        cell == "frame" or time_unit(cell) for cell in map(str.lower, cells)
    )


def time_unit(column: str) -> str:
    """The unit of a column of times by its name, `s` if it has none; "" for other columns."""
    match = TIME.fullmatch(column)
    name = (match[1] or match[2] or "") if match else None
    if name is None or name not in UNITS_PER_SECOND:
        return ""
    return {1000.0: "ms", 1 / 60: "min"}.get(UNITS_PER_SECOND[name], "s")


def find_position(table: pd.DataFrame, path: Path, labels: LabelFormat) -> Position:
    """The column of times or frame numbers to use.

    Raises:
        AffectkitError: there is none.
    """
    times = [name for name in table.columns if time_unit(name)]
    frames = ["frame"] if "frame" in table else []
    columns = times + frames if labels.time_unit in ("s", "ms") else frames + times
    if not columns:
        raise AffectkitError(
            f"{path} has no column 'time' or 'frame': expected frame (from 0) or time, time_ms, "
            f"time [min]; got {', '.join(table.columns)} ({describe_text(path)})"
        )
    column = columns[0]
    unit = labels.time_unit or (FRAMES if column == "frame" else time_unit(column))
    if labels.first_frame is not None and unit != FRAMES:
        raise AffectkitError(
            f"{path}: the first frame was given for a table by time (column {column!r}); leave "
            "it out"
        )
    return Position(column, unit)


def find_affects(table: pd.DataFrame, path: Path) -> dict[str, str]:
    """The columns of valence and arousal; of a table of one affect by time or frame, its column.

    Which affect it is, is in the name of the column, of the file or of its folder.
    """
    named = {affect: affect for affect in AFFECT if affect in table}
    if len(named) == len(AFFECT) or not is_header(list(table.columns)):
        return named if len(named) > 1 else {}
    if named:
        return named
    match = IN_NAME.search(path.stem) or IN_NAME.search(path.parent.name)
    column = next((name for name in VALUE if name in table), None)
    return {match[1].lower(): column} if match and column else {}


def without_affect(name: str) -> str:
    """The name of a file of one affect without the name of the affect."""
    return IN_NAME.sub("", name).strip(" _.-")


def stored_range(preamble: Mapping[str, str]) -> tuple[float, float] | None:
    """The range in the lines before the header: of CARMA, or the magnitude of DARMA."""
    try:
        if "magnitude" in preamble:
            magnitude = float(preamble["magnitude"])
            low, high = -magnitude, magnitude
        else:
            low, high = float(preamble["minimum value"]), float(preamble["maximum value"])
    except (KeyError, ValueError):
        return None
    return (low, high) if low < high else None
