"""Filters for predictions, as the field applies them after a net; their windows are in seconds."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy import signal

from affectkit.errors import AffectkitError, unknown
from affectkit.signals.times import check_times, each_run

Array = NDArray[np.float64]


def apply_filter(
    values: NDArray[np.floating], time: Array, method: str, seconds: float
) -> NDArray[np.float64]:
    """Filter traces in time, looking as far ahead as back.

    Frames that follow one another evenly (none lies half a step from an even grid) are filtered as
    they are; others are read on an even grid, filtered there and read back at the frames. Runs of
    frames parted by NaN are filtered apart: nothing leaks over a gap. At its ends a run is
    mirrored.

    Args:
        values: (frame, ...); NaN stays NaN, and a frame is missing where any of its values is.
        time: (frame) in seconds, rising.
        method: one of `FILTERS`.
        seconds: the window, rounded to an odd number of frames; below 3 frames nothing changes.

    Returns:
        (frame, ...).

    Raises:
        AffectkitError: the method is unknown, `seconds` is not positive, or the stamps do not fit.
    """
    check_times(values, time)
    if method not in FILTERS:
        raise unknown("filter", method, FILTERS)
    if not 0 < seconds < np.inf:
        raise AffectkitError(f"a filter's window should be some seconds, got {seconds:g}")

    def run(traces: Array, stamps: Array) -> Array:
        return _filter_run(traces, stamps, FILTERS[method], seconds)

    return each_run(values, time, run)


def _filter_run(
    traces: Array, time: Array, method: Callable[[Array, int], Array], seconds: float
) -> Array:
    if len(time) < 2:
        return traces
    grid = even_grid(time)
    window = 2 * round((seconds / (grid[1] - grid[0]) - 1) / 2) + 1
    if window < 3:
        return traces
    as_they_are = len(grid) == len(time)
    filtered = []
    for trace in traces.T:
        even = trace if as_they_are else np.interp(grid, time, trace)
        mirrored = np.pad(even, window // 2, mode="symmetric")
        even = method(mirrored, window)[window // 2 : -(window // 2)]
        filtered.append(even if as_they_are else np.interp(time, grid, even))
    return np.stack(filtered, axis=1)


def even_grid(time: Array) -> Array:
    """Even stamps over `time` (frame): one for each frame where those are even enough.

    Stamps that are rounded, to milliseconds for example, are: each is less than half a step off.
    Where frames were dropped, or the rate changed, the grid has the step of the denser stretches.
    """
    even = np.linspace(time[0], time[-1], len(time))
    if np.abs(even - time).max() < (even[1] - even[0]) / 2:
        return even
    step = float(np.quantile(np.diff(time), 0.1))
    steps = int(np.ceil((time[-1] - time[0]) / step - 1e-6))
    return np.linspace(time[0], time[-1], 1 + steps)


def median(trace: Array, window: int) -> Array:
    """The median of the window; the paper's."""
    return np.asarray(signal.medfilt(trace, window))


def savitzky_golay(trace: Array, window: int) -> Array:
    """A parabola fitted to the window (Savitzky & Golay 1964): keeps the height of peaks."""
    return np.asarray(signal.savgol_filter(trace, window, min(2, window - 1)))


def wiener(trace: Array, window: int) -> Array:
    """Smooths most where the trace varies least (Wiener); the noise is that of the whole run."""
    with np.errstate(divide="ignore", invalid="ignore"):
        filtered = signal.wiener(trace, window)
    return np.where(np.isfinite(filtered), filtered, trace)  # a window without variance is 0 / 0


FILTERS: dict[str, Callable[[Array, int], Array]] = {
    "median": median,
    "savitzky-golay": savitzky_golay,
    "wiener": wiener,
}
