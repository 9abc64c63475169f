"""The ratings of several people, fused into one trace.

A rater who is silent at a frame (NaN) does not count there; where nobody counts, the result is NaN.
"""

from collections.abc import Callable

import numpy as np
import xarray as xr

from affectkit.errors import unknown
from affectkit.metrics import pairwise_ccc, pearson


def fuse(rating: xr.DataArray, method: str = "mean") -> xr.DataArray:
    """Fuse the ratings of one recording.

    Args:
        rating: (rater, frame, ...), NaN where a rater is silent.
        method: one of `FUSIONS`.

    Returns:
        (frame, ...) float64.

    Raises:
        AffectkitError: the method is unknown.
    """
    if method not in FUSIONS:
        raise unknown("fusion", method, FUSIONS)
    return FUSIONS[method](rating.astype(np.float64))


def mean(rating: xr.DataArray) -> xr.DataArray:
    """The mean of the raters at each frame."""
    return rating.mean("rater")


def median(rating: xr.DataArray) -> xr.DataArray:
    """The median of the raters at each frame."""
    return rating.median("rater")


def ewe(rating: xr.DataArray) -> xr.DataArray:
    """The evaluator-weighted estimator of Grimm & Kroschel (2005).

    A rater's weight is Pearson's correlation with the mean of all raters, over the frames of the
    recording; a negative or undefined one is 0. If that leaves no weight at all, the plain mean.
    """
    weight = pearson(rating, mean(rating), "frame")
    return _weighted(rating, weight.where(weight > 0, 0.0))


def recola(rating: xr.DataArray) -> xr.DataArray:
    """The gold standard of RECOLA as AVEC 2016 made it, centred by concordance.

    A rater's agreement is the mean CCC with each other rater (ddof 0). The mean of every rater's
    trace is moved to one and the same value: the mean of the raters' means, weighted by agreement.
    Then the mean of the raters. Negative agreements count as they are, as in AVEC's script, but
    the value is kept among the raters' means, which weigh the same if the agreements sum to
    nothing or less. Single frames of the result may lie beyond the raters'.
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
    """Mean CCC of each rater with each other one; 0 for a rater who meets nobody."""
    return pairwise_ccc(rating, "frame").mean("other").fillna(0.0)


def _weighted(values: xr.DataArray, weight: xr.DataArray) -> xr.DataArray:
    """The mean over the raters, or the plain mean where the weights sum to nothing or less."""
    weight = weight.where(weight.sum("rater") > 0, 1.0).where(values.notnull())
    total = weight.sum("rater")
    fused: xr.DataArray = (values * weight).sum("rater") / total.where(total != 0)
    return fused
