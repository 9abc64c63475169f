"""How late each rater follows, and ratings moved back to when things happened."""

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from affectkit.errors import AffectkitError
from affectkit.signals.fusing import fuse
from affectkit.signals.resampling import SAME, resample

Array = NDArray[np.float64]
OVERLAP = 0.5  # share of the frames that both know at no lag; on fewer, a correlation is chance


def rater_lag(
    rating: xr.DataArray, reference: xr.DataArray | None = None, *, max_lag: float = 5.0
) -> xr.DataArray:
    """Estimate how many seconds each rater comes after a reference.

    The lag at which Pearson's correlation of the two is highest, searched on an even grid in time
    and refined by a parabola through the peak, so that it is finer than a frame.

    Args:
        rating: (rater, frame, ...) with `time` in seconds along `frame`; gaps are NaN.
        reference: (frame, ...) on the same frames: something objective that raters react to. By
            default the mean of the other raters; lags are then relative, counted from the mean
            lag of all raters, and say nothing on how late the raters are together.
        max_lag: seconds; the lag is sought between minus and plus this.

    Returns:
        (rater, ...) seconds, positive for a rater who is late; NaN where there is no peak within
        the bounds, where a trace is constant, or where too few frames are known.

    Raises:
        AffectkitError: `rating` has no `time`, or `max_lag` is not positive.
        xarray.AlignmentError: `reference` has other frames.
    """
    time = _time(rating)
    if not max_lag > 0:
        raise AffectkitError(f"max_lag should be more than 0 seconds, is {max_lag:g}")
    if reference is not None:
        reference, rating = xr.align(reference, rating, join="exact")
        return _lag(rating, reference, time, max_lag)
    rating = rating.reset_coords(drop=True)
    names = rating.coords.get("rater")
    numbered = rating.assign_coords(rater=range(rating.sizes["rater"]))
    lags = [
        _lag(numbered.sel(rater=rater), fuse(numbered.drop_sel(rater=rater)), time, max_lag)
        for rater in numbered["rater"].values
    ]
    lag = xr.concat(lags, "rater")
    lag = lag if names is None else lag.assign_coords(rater=names)
    raters = lag.notnull().sum("rater")
    # of n raters, one who is d later than their mean lag is d * n / (n - 1) later than the others'
    return lag * (raters - 1) / raters.where(raters > 0)


def _time(rating: xr.DataArray) -> Array:
    if "time" not in rating.coords:
        raise AffectkitError(
            "ratings have no time stamps: expected a coordinate 'time' in seconds along 'frame'"
        )
    return np.asarray(rating["time"].values, np.float64)


def _lag(late: xr.DataArray, early: xr.DataArray, time: Array, max_lag: float) -> xr.DataArray:
    lag: xr.DataArray = xr.apply_ufunc(
        lambda one, other: _lag_of(one, other, time, max_lag),
        late,
        early,
        input_core_dims=[["frame"], ["frame"]],
        vectorize=True,
    )
    return lag


def _lag_of(late: Array, early: Array, time: Array, max_lag: float) -> float:
    """Seconds that `late` (frame) comes after `early` (frame)."""
    if len(time) < 2:
        return np.nan
    step = float(np.median(np.diff(time)))
    grid = np.arange(time[0], time[-1] + step / 2, step)
    both = np.stack([late, early], axis=1)
    late, early = resample(both, time, grid, reach=np.inf).T
    reach = min(int(np.ceil(max_lag / step)), len(grid) - 2)
    fewest = OVERLAP * (~np.isnan(late) & ~np.isnan(early)).sum()
    likeness = [_correlation(late, early, lag, fewest) for lag in range(-reach, reach + 1)]
    peak = _peak(np.array(likeness))
    return (peak - reach) * step


def _correlation(late: Array, early: Array, lag: int, fewest: float) -> float:
    """Pearson's correlation of the frames that overlap when `late` is moved `lag` frames back."""
    count = len(late) - abs(lag)
    late, early = late[max(lag, 0) :][:count], early[max(-lag, 0) :][:count]
    known = ~np.isnan(late) & ~np.isnan(early)
    late, early = late[known], early[known]
    if len(late) < max(fewest, 3) or np.ptp(late) == 0 or np.ptp(early) == 0:
        return np.nan
    return float(np.corrcoef(late, early)[0, 1])


def _peak(likeness: Array) -> float:
    """Where a curve is highest, between its points; NaN if it still rises at an end."""
    if np.isnan(likeness).all():
        return np.nan
    at = int(np.nanargmax(likeness))
    if at in (0, len(likeness) - 1) or np.isnan(likeness[at - 1 : at + 2]).any():
        return np.nan
    before, top, after = likeness[at - 1 : at + 2]
    bend = before - 2 * top + after
    return at + (0.5 * (before - after) / bend if bend < 0 else 0.0)


def undo_lag(rating: xr.DataArray, lag: xr.DataArray | float) -> xr.DataArray:
    """Move ratings earlier in time.

    Args:
        rating: (..., frame, ...) with `time` in seconds along `frame`.
        lag: seconds, one for all or (rater, ...) as `rater_lag` gives it; negative moves later.

    Returns:
        As `rating`, float64, read at `time + lag`: NaN where that lies before the first frame or
        after the last, or beside an unknown one.

    Raises:
        AffectkitError: `rating` has no `time`, or a lag is NaN.
    """
    time = _time(rating)
    lags = xr.DataArray(lag)
    if lags.isnull().any():
        raise AffectkitError(
            "a lag is NaN, so its rating cannot be moved; leave that rater out, or fill it with 0"
        )
    moved: xr.DataArray = xr.apply_ufunc(
        lambda trace, seconds: _moved(trace, float(seconds), time),
        rating.astype(np.float64),
        lags,
        input_core_dims=[["frame"], []],
        output_core_dims=[["frame"]],
        vectorize=True,
    )
    return moved.transpose(*rating.dims)


def _moved(trace: Array, lag: float, time: Array) -> Array:
    at = time + lag
    moved = resample(trace, time, at, reach=np.inf)
    moved[(at < time[0] - SAME) | (at > time[-1] + SAME)] = np.nan
    return moved
