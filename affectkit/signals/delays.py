"""Estimate the reaction delay of raters, and compensate it."""

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from affectkit.errors import AffectkitError
from affectkit.signals.fusing import fuse
from affectkit.signals.resampling import SAME, resample

Array = NDArray[np.float64]
MIN_OVERLAP = 0.5  # share of the common frames; correlations of fewer frames are unreliable


def rater_delay(
    rating: xr.DataArray, reference: xr.DataArray | None = None, *, max_delay: float = 5.0
) -> xr.DataArray:
    """Estimate the delay of each rater relative to a reference, in seconds.

    The delay is the shift with the highest Pearson correlation. It is searched on an even grid of
    time stamps, and refined with a parabola through the peak, to a fraction of a frame.

    Args:
        rating: (rater, frame, ...) with `time` in seconds along `frame`; NaN if missing.
        reference: (frame, ...) on the same frames: a signal that the raters react to. By default
            the mean of the other raters; the delays are then relative to the mean delay of all
            raters, which remains unknown.
        max_delay: seconds; the search range is from minus this to plus this.

    Returns:
        (rater, ...) seconds, positive for late raters; NaN if there is no peak in the search range,
        a signal is constant, or there are too few frames.

    Raises:
        AffectkitError: `rating` has no `time`, or `max_delay` is not positive.
        xarray.AlignmentError: `reference` has other frames.
    """
    time = _time(rating)
    if not max_delay > 0:
        raise AffectkitError(f"max_delay should be more than 0 seconds, got {max_delay:g}")
    if reference is not None:
        reference, rating = xr.align(reference, rating, join="exact")
        return _delay(rating, reference, time, max_delay)
    rating = rating.reset_coords(drop=True)
    names = rating.coords.get("rater")
    numbered = rating.assign_coords(rater=range(rating.sizes["rater"]))
    delays = [
        _delay(numbered.sel(rater=rater), fuse(numbered.drop_sel(rater=rater)), time, max_delay)
        for rater in numbered["rater"].values
    ]
    delay = xr.concat(delays, "rater")
    delay = delay if names is None else delay.assign_coords(rater=names)
    raters = delay.notnull().sum("rater")
    # a rater d later than the mean of all n raters is d * n / (n - 1) later than the other raters
    return delay * (raters - 1) / raters.where(raters > 0)


def _time(rating: xr.DataArray) -> Array:
    if "time" not in rating.coords:
        raise AffectkitError(
            "ratings have no time stamps: expected a coordinate 'time' in seconds along 'frame'"
        )
    return np.asarray(rating["time"].values, np.float64)


def _delay(late: xr.DataArray, early: xr.DataArray, time: Array, max_delay: float) -> xr.DataArray:
    delay: xr.DataArray = xr.apply_ufunc(
        lambda one, other: _delay_between(one, other, time, max_delay),
        late,
        early,
        input_core_dims=[["frame"], ["frame"]],
        vectorize=True,
    )
    return delay


def _delay_between(late: Array, early: Array, time: Array, max_delay: float) -> float:
    """Delay of `late` (frame) relative to `early` (frame), in seconds."""
    if len(time) < 2:
        return np.nan
    step = float(np.median(np.diff(time)))
    grid = np.arange(time[0], time[-1] + step / 2, step)
    both = np.stack([late, early], axis=1)
    late, early = resample(both, time, grid, max_distance=np.inf).T
    max_shift = min(int(np.ceil(max_delay / step)), len(grid) - 2)
    min_frames = MIN_OVERLAP * (~np.isnan(late) & ~np.isnan(early)).sum()
    correlations = [
        _correlation(late, early, delay, min_frames) for delay in range(-max_shift, max_shift + 1)
    ]
    peak = _find_peak(np.array(correlations))
    return (peak - max_shift) * step


def _correlation(late: Array, early: Array, delay: int, min_frames: float) -> float:
    """Pearson correlation after `late` is shifted by `delay` frames, over the common frames."""
    count = len(late) - abs(delay)
    late, early = late[max(delay, 0) :][:count], early[max(-delay, 0) :][:count]
    known = ~np.isnan(late) & ~np.isnan(early)
    late, early = late[known], early[known]
    if len(late) < max(min_frames, 3) or np.ptp(late) == 0 or np.ptp(early) == 0:
        return np.nan
    return float(np.corrcoef(late, early)[0, 1])


def _find_peak(values: Array) -> float:
    """Position of the maximum, between the samples; NaN if it is at an end."""
    if np.isnan(values).all():
        return np.nan
    position = int(np.nanargmax(values))
    if position in (0, len(values) - 1) or np.isnan(values[position - 1 : position + 2]).any():
        return np.nan
    before, top, after = values[position - 1 : position + 2]
    curvature = before - 2 * top + after
    return position + (0.5 * (before - after) / curvature if curvature < 0 else 0.0)


def compensate_delay(rating: xr.DataArray, delay: xr.DataArray | float) -> xr.DataArray:
    """Shift ratings earlier in time by the delay of their raters.

    Args:
        rating: (..., frame, ...) with `time` in seconds along `frame`.
        delay: seconds, one for all or (rater, ...) as from `rater_delay`; negative shifts later.

    Returns:
        The ratings at `time + delay`, float64, with the dims of `rating`; NaN before the first and
        after the last frame, and next to a missing rating.

    Raises:
        AffectkitError: `rating` has no `time`, or a delay is NaN.
    """
    time = _time(rating)
    delays = xr.DataArray(delay)
    if delays.isnull().any():
        raise AffectkitError(
            "a delay is NaN, so the rating cannot be shifted; leave out that rater, or set it to 0"
        )
    moved: xr.DataArray = xr.apply_ufunc(
        lambda trace, seconds: _shift(trace, float(seconds), time),
        rating.astype(np.float64),
        delays,
        input_core_dims=[["frame"], []],
        output_core_dims=[["frame"]],
        vectorize=True,
    )
    return moved.transpose(*rating.dims)


def _shift(trace: Array, delay: float, time: Array) -> Array:
    at = time + delay
    moved = resample(trace, time, at, max_distance=np.inf)
    moved[(at < time[0] - SAME) | (at > time[-1] + SAME)] = np.nan
    return moved
