"""What every trace in time has to fulfil."""

import numpy as np
from numpy.typing import NDArray

from affectkit.errors import AffectkitError


def check_times(values: NDArray[np.floating], time: NDArray[np.float64]) -> None:
    """Refuse time stamps (frame) that do not fit `values` (frame, ...) or do not rise."""
    if len(values) != len(time):
        raise AffectkitError(f"{len(values)} frames of values but {len(time)} time stamps")
    if not (np.diff(time) > 0).all():  # NaN does not rise
        raise AffectkitError("time stamps should rise from frame to frame")
