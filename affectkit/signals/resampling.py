"""Traces read at other stamps: labels at 10 Hz onto the frames of a video, and back."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from affectkit.errors import unknown
from affectkit.signals.times import check_times

Array = NDArray[np.float64]
SAME = 1e-6  # seconds: stamps no farther apart are one, so that 0.1 * 3 is 0.3


def resample(
    values: NDArray[np.floating],
    time: Array,
    at: Array,
    method: str = "linear",
    reach: float | None = None,
) -> Array:
    """Read traces at other stamps; where the stamps are equal, the values are too.

    Args:
        values: (sample, ...); each trace is read by itself, and its NaN stay its own.
        time: (sample) in seconds, rising; any spacing.
        at: (frame) in seconds, the stamps to read at.
        method: `linear`, a line between the two samples around a frame, NaN if one of them is, and
            beyond the ends the end's value; or `nearest`, the earlier of two equally near.
        reach: seconds; a frame farther from its nearest sample is NaN. By default 1.5 times the
            median step between samples, and 0.5 times it beyond either end.

    Returns:
        (frame, ...).

    Raises:
        AffectkitError: the stamps do not rise or do not fit `values`, or `method` is unknown.
    """
    check_times(values, time)
    if method not in METHODS:
        raise unknown("method", method, METHODS)
    at = np.asarray(at, np.float64)
    if not len(time):
        return np.full((len(at), *np.shape(values)[1:]), np.nan)
    flat = np.asarray(values, np.float64).reshape(len(values), -1)
    after = np.searchsorted(time, at + SAME, side="right").clip(1, max(len(time) - 1, 1))
    pair = np.stack([after - 1, after.clip(max=len(time) - 1)])
    read = METHODS[method](flat, time, at, pair)
    read[_far(time, at, pair, reach)] = np.nan
    return read.reshape(len(at), *np.shape(values)[1:])


def _linear(flat: Array, time: Array, at: Array, pair: NDArray[np.intp]) -> Array:
    left, right = flat[pair[0]], flat[pair[1]]
    way, width = at - time[pair[0]], time[pair[1]] - time[pair[0]]
    share = (way / np.where(width > 0, width, 1))[:, None]
    between = left * (1 - share) + right * share
    at_right, at_left = at > time[pair[1]] - SAME, at < time[pair[0]] + SAME
    between[at_right] = right[at_right]
    between[at_left] = left[at_left]
    return np.asarray(between)


def _nearest(flat: Array, time: Array, at: Array, pair: NDArray[np.intp]) -> Array:
    left, right = np.abs(time[pair] - at)
    return np.asarray(flat[np.where(right < left - SAME, pair[1], pair[0])])


METHODS: dict[str, Callable[[Array, Array, Array, NDArray[np.intp]], Array]] = {
    "linear": _linear,
    "nearest": _nearest,
}


def _far(time: Array, at: Array, pair: NDArray[np.intp], reach: float | None) -> NDArray[np.bool_]:
    """Which frames are out of the samples' reach."""
    step = float(np.median(np.diff(time))) if len(time) > 1 else 0.0
    inside = (at >= time[0]) & (at <= time[-1])
    limit = np.where(inside, 1.5 * step, 0.5 * step) if reach is None else np.full(len(at), reach)
    distance = np.abs(time[pair] - at).min(axis=0)
    return np.asarray(~(distance <= limit + SAME))  # a frame without a stamp is out of reach too
