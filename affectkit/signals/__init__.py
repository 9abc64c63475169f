"""Signals over time: fill gaps, smooth, filter and resample them; fuse ratings, estimate delays.

No function assumes a constant frame rate.
"""

from affectkit.signals.delays import compensate_delay, rater_delay
from affectkit.signals.filtering import FILTERS, apply_filter
from affectkit.signals.fusing import FUSIONS, fuse
from affectkit.signals.resampling import resample
from affectkit.signals.smoothing import interpolate_gaps, smooth, smooth_saliency

__all__ = [
    "FILTERS",
    "FUSIONS",
    "apply_filter",
    "compensate_delay",
    "fuse",
    "interpolate_gaps",
    "rater_delay",
    "resample",
    "smooth",
    "smooth_saliency",
]
