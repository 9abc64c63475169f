"""Fill gaps of signals, and smooth signals and saliency maps with Gaussian filters."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, gaussian_filter1d

from affectkit.errors import AffectkitError

Array = NDArray[np.float64]
STEPS_PER_SIGMA = 8  # of the even grid; linear interpolation then adds < 1 % to the filter's width


def check_times(values: NDArray[np.floating], time: NDArray[np.float64]) -> None:
    """Check that `time` (frame) has one increasing time stamp for each frame of `values`.

    Raises:
        AffectkitError: the lengths differ, or the time stamps do not increase.
    """
    if len(values) != len(time):
        raise AffectkitError(
            f"expected one time stamp for each frame, got {len(values)} frames of values but "
            f"{len(time)} time stamps"
        )
    if not (np.diff(time) > 0).all():  # False for NaN too
        raise AffectkitError("time stamps should increase from frame to frame")


def map_segments(
    values: NDArray[np.floating], time: Array, function: Callable[[Array, Array], Array]
) -> Array:
    """Apply a function to each segment of frames without NaN, separately.

    Args:
        values: (frame, ...); a frame is missing if any of its values is NaN.
        time: (frame) in seconds.
        function: called with the values (frame, signal) and the time stamps (frame) of a segment;
            returns new values.

    Returns:
        (frame, ...), NaN for missing frames.
    """
    flat = np.array(values, np.float64).reshape(len(values), -1)
    known = ~np.isnan(flat).any(axis=1)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], known, [False]])))
    for start, end in zip(edges[::2], edges[1::2], strict=True):
        flat[start:end] = function(flat[start:end], time[start:end])
    flat[~known] = np.nan
    return flat.reshape(np.shape(values))


def interpolate_gaps(
    values: NDArray[np.floating], time: NDArray[np.float64], max_gap: float
) -> NDArray[np.float64]:
    """Fill gaps of NaN: linearly in time; at the ends, with the value of the nearest known frame.

    Args:
        values: (frame, ...); a frame is missing if any of its values is NaN.
        time: (frame) in seconds, increasing.
        max_gap: seconds from the last frame before a gap to the first frame after it, or from a
            known frame to the end of the signal. Longer gaps stay NaN.

    Returns:
        (frame, ...), NaN in long gaps.

    Raises:
        AffectkitError: the time stamps do not increase, or do not match `values`.
    """
    check_times(values, time)
    flat = np.asarray(values, np.float64).reshape(len(values), -1)
    known: NDArray[np.bool_] = np.asarray(~np.isnan(flat).any(axis=1))
    if not known.any():
        return np.full(np.shape(values), np.nan)
    filled = np.stack([np.interp(time, time[known], signal[known]) for signal in flat.T], axis=1)
    filled[~known & (_gap_lengths(time, known) > max_gap)] = np.nan
    return filled.reshape(np.shape(values))


def _gap_lengths(time: NDArray[np.float64], known: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Seconds between the known frames around each frame; at the ends, to the end of the signal."""
    stamps = time[known]
    after = np.searchsorted(stamps, time)
    before = np.searchsorted(stamps, time, side="right") - 1
    start = np.where(before >= 0, stamps[before.clip(0)], time[0])
    end = np.where(after < len(stamps), stamps[after.clip(max=len(stamps) - 1)], time[-1])
    return np.asarray(end - start)


def smooth(
    values: NDArray[np.floating], time: NDArray[np.float64], sigma: float
) -> NDArray[np.float64]:
    """Smooth signals in time with a Gaussian filter.

    The values are resampled to an even grid, filtered there and resampled to the frames, so a
    second with many frames has the same weight as a second with few. Segments between gaps of NaN
    are smoothed separately, and are mirrored at their ends.

    Args:
        values: (frame, ...); NaN stays NaN.
        time: (frame) in seconds, increasing.
        sigma: standard deviation of the Gaussian in seconds; 0 changes nothing.

    Returns:
        (frame, ...).

    Raises:
        AffectkitError: the time stamps do not increase, or do not match `values`.
    """
    check_times(values, time)
    return map_segments(values, time, lambda segment, stamps: _smooth(segment, stamps, sigma))


def _smooth(values: Array, time: Array, sigma: float) -> Array:
    interval = float(np.median(np.diff(time))) if len(values) > 1 else np.inf
    if sigma < interval / STEPS_PER_SIGMA:  # too narrow to reach the next frame
        return values
    step = min(sigma / STEPS_PER_SIGMA, interval)
    grid = np.arange(time[0], time[-1] + step, step)
    even = np.stack([np.interp(grid, time, signal) for signal in values.T], axis=1)
    even = gaussian_filter1d(even, sigma / step, axis=0, mode="reflect")
    return np.stack([np.interp(time, grid, signal) for signal in even.T], axis=1)


def smooth_saliency(maps: NDArray[np.floating], share: float = 1 / 32) -> NDArray[np.float32]:
    """Smooth saliency maps for display; stored attributions and region shares are not smoothed.

    The signs of the gradients of neighbouring pixels differ. Without smoothing, a small display of
    the map averages them to grey.

    Args:
        maps: (..., row, col); NaN counts as 0.
        share: standard deviation of the Gaussian, relative to the width of the map.

    Returns:
        (..., row, col).
    """
    sigma = share * maps.shape[-1]
    sigmas = (0.0,) * (maps.ndim - 2) + (sigma, sigma)
    smoothed: NDArray[np.float32] = gaussian_filter(np.nan_to_num(maps.astype(np.float32)), sigmas)
    return smoothed
