"""Traces in time: bridged, smoothed, filtered, read at other stamps; ratings fused, lags undone.

Nothing here assumes a constant frame rate.
"""

from affectkit.signals.filtering import FILTERS, apply_filter
from affectkit.signals.fusing import FUSIONS, fuse
from affectkit.signals.lags import rater_lag, undo_lag
from affectkit.signals.resampling import resample
from affectkit.signals.smoothing import bridge, smooth
from affectkit.signals.softening import soften

__all__ = [
    "FILTERS",
    "FUSIONS",
    "apply_filter",
    "bridge",
    "fuse",
    "rater_lag",
    "resample",
    "smooth",
    "soften",
    "undo_lag",
]
