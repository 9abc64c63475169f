"""Annotations of one's own videos, from a table."""

from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from affectkit.errors import AffectkitError
from affectkit.recording import AFFECT


def read_own_annotation(path: Path, time: NDArray[np.float64]) -> xr.Dataset:
    """Read a CSV file with `frame` or `time`, `valence` and `arousal` onto the frames of a video.

    Args:
        path: the file; `frame` counts from 0; with `time`, in seconds, a frame takes the nearest
            row within half a frame.
        time: (frame) in seconds.

    Returns:
        annotation (frame, affect), NaN where the table says nothing.

    Raises:
        AffectkitError: the file cannot be read, a column is missing or is not numbers, a value is
            outside [-1, 1], or no row falls on the video.
    """
    table = _read(Path(path))
    place = _by_frame(table, len(time)) if "frame" in table else _by_time(table, time)
    annotation = np.full((len(time), len(AFFECT)), np.nan, np.float32)
    on = place >= 0
    annotation[on] = table[list(AFFECT)].to_numpy(np.float32)[place[on]]
    if not on.any():
        raise AffectkitError(
            f"{path}: none of its {len(table)} rows falls on the video's {len(time)} frames "
            f"({time[0]:.2f} to {time[-1]:.2f} s)"
        )
    return xr.Dataset({"annotation": (("frame", "affect"), annotation)})


def _read(path: Path) -> pd.DataFrame:
    try:
        table = pd.read_csv(path)
    except (OSError, ValueError) as error:
        raise AffectkitError(f"{path} cannot be read as a CSV table ({error})") from None
    key = "frame" if "frame" in table else "time"
    absent = [name for name in (key, *AFFECT) if name not in table]
    if absent:
        raise AffectkitError(
            f"{path} has no column {absent[0]!r}: expected frame or time, valence, arousal; "
            f"got {', '.join(map(str, table.columns))}"
        )
    try:
        table = table[[key, *AFFECT]].astype(np.float64).dropna(subset=[key])
    except ValueError as error:
        raise AffectkitError(f"{path}: {error}; expected numbers only") from None
    table = table.sort_values(key, ignore_index=True)
    if table[key].duplicated().any():
        twice = table[key][table[key].duplicated()].iloc[0]
        raise AffectkitError(f"{path} has two rows for {key} {twice:g}; expected one")
    reach = float(table[list(AFFECT)].abs().max().max())
    if reach > 1:
        raise AffectkitError(
            f"{path}: valence and arousal should lie in [-1, 1], reach {reach:g}; "
            "divide them by their range first"
        )
    return table


def _by_frame(table: pd.DataFrame, count: int) -> NDArray[np.int64]:
    """The row of each frame, -1 where there is none."""
    place = np.full(count, -1, np.int64)
    frame = table["frame"].to_numpy(np.int64)
    inside = (frame >= 0) & (frame < count)
    place[frame[inside]] = np.flatnonzero(inside)
    return place


def _by_time(table: pd.DataFrame, time: NDArray[np.float64]) -> NDArray[np.int64]:
    """The row nearest to each frame, -1 where it is farther than half a frame."""
    stamps = table["time"].to_numpy()
    if not len(stamps):
        return np.full(len(time), -1, np.int64)
    after = np.searchsorted(stamps, time).clip(max=len(stamps) - 1)
    before = (after - 1).clip(0)
    nearest = np.where(abs(stamps[before] - time) <= abs(stamps[after] - time), before, after)
    half = float(np.median(np.diff(time))) / 2 if len(time) > 1 else np.inf
    return np.where(abs(stamps[nearest] - time) <= half + 1e-6, nearest, -1).astype(np.int64)
