"""What every trace in time has to fulfil, and how one with gaps is gone through."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from affectkit.errors import AffectkitError

Array = NDArray[np.float64]


def check_times(values: NDArray[np.floating], time: NDArray[np.float64]) -> None:
    """Refuse time stamps (frame) that do not fit `values` (frame, ...) or do not rise."""
    if len(values) != len(time):
        raise AffectkitError(f"{len(values)} frames of values but {len(time)} time stamps")
    if not (np.diff(time) > 0).all():  # NaN does not rise
        raise AffectkitError("time stamps should rise from frame to frame")


def each_run(
    values: NDArray[np.floating], time: Array, action: Callable[[Array, Array], Array]
) -> Array:
    """Apply `action` to each run of frames between NaN, so that nothing leaks over a gap.

    Args:
        values: (frame, ...); a frame is missing where any of its values is NaN.
        time: (frame) in seconds.
        action: from the traces (frame, trace) and the stamps (frame) of a run to its new traces.

    Returns:
        (frame, ...), missing frames NaN.
    """
    flat = np.array(values, np.float64).reshape(len(values), -1)
    known = ~np.isnan(flat).any(axis=1)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], known, [False]])))
    for start, end in zip(edges[::2], edges[1::2], strict=True):
        flat[start:end] = action(flat[start:end], time[start:end])
    flat[~known] = np.nan
    return flat.reshape(np.shape(values))
