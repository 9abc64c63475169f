"""Resample signals to other time stamps, for example from labels at 10 Hz to video frames."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from affectkit.errors import unknown
from affectkit.signals.smoothing import check_times

Array = NDArray[np.float64]
SAME = 1e-6  # seconds; time stamps closer than this are equal, so that 0.1 * 3 equals 0.3


def resample(
    values: NDArray[np.floating],
    time: Array,
    at: Array,
    method: str = "linear",
    max_distance: float | None = None,
) -> Array:
    """Resample signals to other time stamps; equal time stamps keep their values.

    Args:
        values: (sample, ...); signals are resampled separately, also where one of them is NaN.
        time: (sample) in seconds, increasing, with any spacing.
        at: (frame) in seconds, the new time stamps.
        method: `linear` interpolates between the two samples around a frame (NaN if one of them is
            NaN) and repeats the first and last sample beyond the ends; `nearest` takes the nearest
            sample, and the earlier one of two with equal distance; `hold` repeats each sample
            until the next one, and the last one to the end.
        max_distance: seconds; a frame farther than this from its nearest sample is NaN. By default
            1.5 times the median step between samples, and 0.5 times beyond the ends; with `hold`,
            only frames before the first sample are NaN.

    Returns:
        (frame, ...).

    Raises:
        AffectkitError: the time stamps do not increase or do not match `values`, or the method is
            unknown.
    """
    check_times(values, time)
    if method not in METHODS:
        raise unknown("resampling method", method, METHODS)
    at = np.asarray(at, np.float64)
    if not len(time):
        return np.full((len(at), *np.shape(values)[1:]), np.nan)
    flat = np.asarray(values, np.float64).reshape(len(values), -1)
    after = np.searchsorted(time, at + SAME, side="right").clip(1, max(len(time) - 1, 1))
    pair = np.stack([after - 1, after.clip(max=len(time) - 1)])
    result = METHODS[method](flat, time, at, pair)
    if method == "hold" and max_distance is None:
        result[~(at >= time[0] - SAME)] = np.nan
    else:
        result[_too_far(time, at, pair, max_distance)] = np.nan
    return result.reshape(len(at), *np.shape(values)[1:])


def _linear(flat: Array, time: Array, at: Array, pair: NDArray[np.intp]) -> Array:
    left, right = flat[pair[0]], flat[pair[1]]
    distance, width = at - time[pair[0]], time[pair[1]] - time[pair[0]]
    share = (distance / np.where(width > 0, width, 1))[:, None]
    between = left * (1 - share) + right * share
    at_right, at_left = at > time[pair[1]] - SAME, at < time[pair[0]] + SAME
    between[at_right] = right[at_right]
    between[at_left] = left[at_left]
    return np.asarray(between)


def _nearest(flat: Array, time: Array, at: Array, pair: NDArray[np.intp]) -> Array:
    left, right = np.abs(time[pair] - at)
    return np.asarray(flat[np.where(right < left - SAME, pair[1], pair[0])])


def _hold(flat: Array, time: Array, at: Array, pair: NDArray[np.intp]) -> Array:
    return np.asarray(flat[np.where(at > time[pair[1]] - SAME, pair[1], pair[0])])


METHODS: dict[str, Callable[[Array, Array, Array, NDArray[np.intp]], Array]] = {
    "linear": _linear,
    "nearest": _nearest,
    "hold": _hold,
}


def _too_far(
    time: Array, at: Array, pair: NDArray[np.intp], max_distance: float | None
) -> NDArray[np.bool_]:
    """Frames that are too far from their nearest sample."""
    step = float(np.median(np.diff(time))) if len(time) > 1 else 0.0
    inside = (at >= time[0]) & (at <= time[-1])
    limit = (
        np.where(inside, 1.5 * step, 0.5 * step)
        if max_distance is None
        else np.full(len(at), max_distance)
    )
    distance = np.abs(time[pair] - at).min(axis=0)
    return np.asarray(~(distance <= limit + SAME))  # True for NaN time stamps too
