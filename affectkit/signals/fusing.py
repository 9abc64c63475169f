"""Fuse the ratings of several raters into one annotation.

Missing ratings (NaN) are left out. The result is NaN for frames without any rating.
"""

from collections.abc import Callable

import numpy as np
import xarray as xr

from affectkit.errors import unknown
from affectkit.metrics import pairwise_ccc, pearson


def fuse(rating: xr.DataArray, method: str = "mean") -> xr.DataArray:
    """Fuse the ratings of one recording.

    Args:
        rating: (rater, frame, ...), NaN if missing.
        method: one of `FUSIONS`.

    Returns:
        (frame, ...) float64.

    Raises:
        AffectkitError: the method is unknown.
    """
    if method not in FUSIONS:
        raise unknown("fusion method", method, FUSIONS)
    return FUSIONS[method](rating.astype(np.float64))


def mean(rating: xr.DataArray) -> xr.DataArray:
    """Mean of the raters, frame by frame."""
    return rating.mean("rater")


def median(rating: xr.DataArray) -> xr.DataArray:
    """Median of the raters, frame by frame."""
    return rating.median("rater")


def ewe(rating: xr.DataArray) -> xr.DataArray:
    """Evaluator-weighted estimator (Grimm & Kroschel 2005).

    The weight of a rater is the Pearson correlation with the mean of all raters over the recording;
    negative and undefined weights are set to 0. If all weights are 0, the result is the mean.
    """
    weight = pearson(rating, mean(rating), "frame")
    return _weighted(rating, weight.where(weight > 0, 0.0))


def recola(rating: xr.DataArray) -> xr.DataArray:
    """Gold standard of RECOLA as in AVEC 2016, with ratings centred by their agreement.

    The agreement of a rater is the mean CCC with the other raters (ddof 0). All ratings are shifted
    to the same mean, which is the mean of the raters' means weighted by agreement. The result is
    the mean of the shifted ratings. Negative agreements are not changed, as in the script of AVEC.
    But the common mean is limited to the range of the raters' means, and these have equal weights
    if the agreements sum to 0 or less. Single frames of the result can be outside of the range of
    the ratings.
    """
    means = rating.mean("frame")
    reference = _weighted(means, _agreement(rating))
    reference = reference.clip(means.min("rater"), means.max("rater"))
    return mean(rating - means + reference)


FUSIONS: dict[str, Callable[[xr.DataArray], xr.DataArray]] = {
    "mean": mean,
    "median": median,
    "ewe": ewe,
    "recola": recola,
}


def _agreement(rating: xr.DataArray) -> xr.DataArray:
    """Mean CCC of each rater with the other raters; 0 for a rater without common frames."""
    return pairwise_ccc(rating, "frame").mean("other").fillna(0.0)


def _weighted(values: xr.DataArray, weight: xr.DataArray) -> xr.DataArray:
    """Weighted mean of the raters; the mean with equal weights if the weights sum to 0 or less."""
    weight = weight.where(weight.sum("rater") > 0, 1.0).where(values.notnull())
    total = weight.sum("rater")
    fused: xr.DataArray = (values * weight).sum("rater") / total.where(total != 0)
    return fused
