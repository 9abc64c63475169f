"""Smoothing and bridging of traces in time; nothing here assumes a constant frame rate."""

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from affectkit.signals.times import check_times, each_run

STEPS = 8  # grid steps in one sigma: the grid then adds less than 1 % to the width of the filter


def bridge(
    values: NDArray[np.floating], time: NDArray[np.float64], max_gap: float
) -> NDArray[np.float64]:
    """Fill gaps of NaN by straight lines in time, at the ends by the nearest value.

    Args:
        values: (frame, ...); a frame is missing where any of its values is NaN.
        time: (frame) in seconds, rising.
        max_gap: seconds from the last frame before a gap to the first one after it (or from the
            known frame to the end); longer gaps stay NaN.

    Returns:
        (frame, ...), NaN in the long gaps.
    """
    check_times(values, time)
    flat = np.asarray(values, np.float64).reshape(len(values), -1)
    known: NDArray[np.bool_] = np.asarray(~np.isnan(flat).any(axis=1))
    if not known.any():
        return np.full(np.shape(values), np.nan)
    filled = np.stack([np.interp(time, time[known], trace[known]) for trace in flat.T], axis=1)
    filled[~known & (_gaps(time, known) > max_gap)] = np.nan
    return filled.reshape(np.shape(values))


def _gaps(time: NDArray[np.float64], known: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Seconds between the known frames around each frame; at the ends, to the first or last."""
    stamps = time[known]
    after = np.searchsorted(stamps, time)
    before = np.searchsorted(stamps, time, side="right") - 1
    start = np.where(before >= 0, stamps[before.clip(0)], time[0])
    end = np.where(after < len(stamps), stamps[after.clip(max=len(stamps) - 1)], time[-1])
    return np.asarray(end - start)


def smooth(
    values: NDArray[np.floating], time: NDArray[np.float64], sigma: float
) -> NDArray[np.float64]:
    """Gaussian smoothing in time.

    The trace is read on an even grid, filtered there and read back at the frames, so a stretch with
    many frames weighs no more than its seconds. Runs of frames parted by NaN are smoothed apart:
    nothing leaks over a gap. At its ends a run is mirrored.

    Args:
        values: (frame, ...); NaN stays NaN.
        time: (frame) in seconds, rising.
        sigma: seconds; 0 leaves the values as they are.

    Returns:
        (frame, ...).
    """
    check_times(values, time)
    return each_run(values, time, lambda run, stamps: _smooth_run(run, stamps, sigma))


def _smooth_run(
    run: NDArray[np.float64], time: NDArray[np.float64], sigma: float
) -> NDArray[np.float64]:
    interval = float(np.median(np.diff(time))) if len(run) > 1 else np.inf
    if sigma < interval / STEPS:  # too narrow to reach the next frame
        return run
    step = min(sigma / STEPS, interval)
    grid = np.arange(time[0], time[-1] + step, step)
    even = np.stack([np.interp(grid, time, trace) for trace in run.T], axis=1)
    even = gaussian_filter1d(even, sigma / step, axis=0, mode="reflect")
    return np.stack([np.interp(time, grid, trace) for trace in even.T], axis=1)
