"""Filters that are commonly applied to predictions; their length is in seconds."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy import signal

from affectkit.errors import AffectkitError, unknown
from affectkit.signals.smoothing import check_times, map_segments

Array = NDArray[np.float64]


def apply_filter(
    values: NDArray[np.floating], time: Array, method: str, seconds: float
) -> NDArray[np.float64]:
    """Filter signals in time with a window centred on each frame.

    Evenly spaced frames (all less than half a step from an even grid) are filtered directly. Others
    are resampled to an even grid, filtered there and resampled to the frames. Segments between gaps
    of NaN are filtered separately, and are mirrored at their ends.

    Args:
        values: (frame, ...); NaN stays NaN. A frame is missing if any of its values is NaN.
        time: (frame) in seconds, increasing.
        method: one of `FILTERS`.
        seconds: length of the window, rounded to an odd number of frames; windows of fewer than 3
            frames change nothing. A window is at most twice as long as its segment, which is enough
            to have the whole segment in it at every frame.

    Returns:
        (frame, ...).

    Raises:
        AffectkitError: the method is unknown, `seconds` is not positive and finite, or the time
            stamps do not increase or do not match `values`.
    """
    check_times(values, time)
    if method not in FILTERS:
        raise unknown("filter", method, FILTERS)
    if not 0 < seconds < np.inf:
        raise AffectkitError(
            f"the length of a filter should be more than 0 seconds and finite, got {seconds:g}"
        )

    def filter_segment(segment: Array, stamps: Array) -> Array:
        return _filter(segment, stamps, FILTERS[method], seconds)

    return map_segments(values, time, filter_segment)


def _filter(
    values: Array, time: Array, method: Callable[[Array, int], Array], seconds: float
) -> Array:
    if len(time) < 2:
        return values
    grid = even_grid(time)
    frames = min(seconds / (grid[1] - grid[0]), 2 * len(grid) - 1)
    window = 2 * round((frames - 1) / 2) + 1
    if window < 3:
        return values
    is_even = len(grid) == len(time)
    filtered = []
    for trace in values.T:
        even = trace if is_even else np.interp(grid, time, trace)
        mirrored = np.pad(even, window // 2, mode="symmetric")
        even = method(mirrored, window)[window // 2 : -(window // 2)]
        filtered.append(even if is_even else np.interp(time, grid, even))
    return np.stack(filtered, axis=1)


def even_grid(time: Array) -> Array:
    """Evenly spaced time stamps over the range of `time` (frame).

    If each frame is less than half a step from an even grid (for example because time stamps are
    rounded to milliseconds), the grid has one point for each frame. Otherwise, if frames were
    dropped or the frame rate changes, it has the step of the parts with the most frames per second.
    """
    even = np.linspace(time[0], time[-1], len(time))
    if np.abs(even - time).max() < (even[1] - even[0]) / 2:
        return even
    step = float(np.quantile(np.diff(time), 0.1))
    steps = int(np.ceil((time[-1] - time[0]) / step - 1e-6))
    return np.linspace(time[0], time[-1], 1 + steps)


def median(trace: Array, window: int) -> Array:
    """The median of the window, the filter of the paper."""
    return np.asarray(signal.medfilt(trace, window))


def savitzky_golay(trace: Array, window: int) -> Array:
    """Fit a parabola to the window (Savitzky & Golay 1964): keeps the height of peaks."""
    return np.asarray(signal.savgol_filter(trace, window, min(2, window - 1)))


def wiener(trace: Array, window: int) -> Array:
    """Wiener filter: smooths most where the variance is low; noise is estimated on the segment."""
    with np.errstate(divide="ignore", invalid="ignore"):
        filtered = signal.wiener(trace, window)
    return np.where(np.isfinite(filtered), filtered, trace)  # 0 / 0 if a window has no variance


FILTERS: dict[str, Callable[[Array, int], Array]] = {
    "median": median,
    "savitzky-golay": savitzky_golay,
    "wiener": wiener,
}
