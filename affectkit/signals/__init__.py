"""Traces in time: bridged, smoothed, read at other stamps; ratings fused, their lags undone.

Nothing here assumes a constant frame rate.
"""

from affectkit.signals.fusing import FUSIONS, fuse
from affectkit.signals.lags import rater_lag, undo_lag
from affectkit.signals.resampling import resample
from affectkit.signals.smoothing import bridge, smooth
from affectkit.signals.softening import soften

__all__ = ["FUSIONS", "bridge", "fuse", "rater_lag", "resample", "smooth", "soften", "undo_lag"]
