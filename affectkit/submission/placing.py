"""The values of a prediction at the rows that a submission asks for."""

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from affectkit.recording import AFFECT
from affectkit.signals import resample

Array = NDArray[np.float64]


def place(prediction: xr.Dataset, rows: pd.DataFrame) -> tuple[xr.DataArray, int]:
    """Read a prediction at the rows of one recording.

    Args:
        prediction: `prediction` (frame, affect), with `frame` and `time`; NaN where no face was.
        rows: with `frame` (0-based), or `time` in seconds (read on a straight line between
            frames), or neither: then each row is the mean over the recording.

    Returns:
        (row, affect) clipped to [-1, 1], and how many rows have no prediction of their own: those
        take the nearest in time, or 0 where the whole recording has none.
    """
    known = prediction["prediction"].load().astype(np.float64).dropna("frame", how="any")
    if not known.sizes["frame"]:
        return _labelled(np.zeros((len(rows), len(AFFECT)))), len(rows)
    if "frame" in rows:
        frame = rows["frame"].to_numpy(np.float64)
        values = _nearest(known, _stamps(frame, prediction))
        own = np.isin(frame, known["frame"].values)
    elif "time" in rows:
        time, stamps = rows["time"].to_numpy(np.float64), prediction["time"].values
        values = resample(_values(prediction["prediction"]), stamps, time)
        own = np.asarray(~np.isnan(values).any(axis=1))
        values[~own] = _nearest(known, time[~own])
    else:
        values = np.tile(_values(known).mean(axis=0), (len(rows), 1))
        own = np.ones(len(rows), bool)
    return _labelled(values.clip(-1, 1)), int((~own).sum())


def _nearest(known: xr.DataArray, time: Array) -> Array:
    return resample(_values(known), known["time"].values, time, "nearest", reach=np.inf)


def _stamps(frame: Array, prediction: xr.Dataset) -> Array:
    """Seconds of frames; one that the prediction leaves out lies on a line between the others."""
    return np.asarray(np.interp(frame, prediction["frame"], prediction["time"]), np.float64)


def _values(array: xr.DataArray) -> Array:
    return np.asarray(array.transpose("frame", "affect").sel(affect=list(AFFECT)), np.float64)


def _labelled(values: Array) -> xr.DataArray:
    return xr.DataArray(values, {"affect": list(AFFECT)}, ("row", "affect"))
