"""Metrics from sums: what makes thousands of resamples cheap.

Every metric is a function of a few sums over frames. They are taken once for each group of frames
(a block of seconds, or a subject); a resample is then a weighted sum of groups.
"""

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from affectkit.metrics import ROUNDING

LOST = 1e-12  # of a squared mean: what subtracting it leaves below this is rounding

SUMS = (
    "count",
    "a",
    "p",
    "aa",
    "pp",
    "ap",
    "error",
    "error_squared",
    "error_absolute",
    "same_sign",
)


def group_sums(pair: xr.Dataset, group: NDArray[np.int64]) -> xr.DataArray:
    """Sums over the frames of each group.

    Args:
        pair: `annotation` and `prediction` (frame, affect); where either is NaN, the frame counts
            for nothing.
        group: (frame) number of the group that each frame belongs to.

    Returns:
        (group, affect, sum), the sums as in `SUMS`; `a` and `p` are centred first, so that nothing
        is lost to rounding when squares are subtracted.
    """
    valid = pair["annotation"].notnull() & pair["prediction"].notnull()
    a = pair["annotation"].where(valid).astype(np.float64)
    p = pair["prediction"].where(valid).astype(np.float64)
    error = p - a
    same_sign = (np.sign(a) == np.sign(p)) & valid
    a, p = a - a.mean("frame"), p - p.mean("frame")
    terms = [valid, a, p, a * a, p * p, a * p, error, error**2, abs(error), same_sign]
    stacked = xr.concat([term.astype(np.float64) for term in terms], pd.Index(SUMS, name="sum"))
    table = stacked.fillna(0.0).transpose("frame", "affect", "sum")
    groups, number = np.unique(group, return_inverse=True)
    sums = np.zeros((len(groups), *table.shape[1:]))
    np.add.at(sums, number, table.values)
    coords = {"affect": table["affect"], "sum": list(SUMS)}
    return xr.DataArray(sums, coords, ("group", "affect", "sum"))


def metrics_of(sums: xr.DataArray) -> xr.DataArray:
    """Metrics (metric, ..., affect) of sums (..., affect, sum), equal to `affectkit.metrics`."""
    mean = sums / sums.sel(sum="count").where(lambda count: count > 0)
    a, p, aa, pp, ap, error, squared, absolute, sign = (
        mean.sel(sum=name, drop=True) for name in SUMS[1:]
    )
    variance_a, variance_p = _variance(aa, a), _variance(pp, p)
    constant = (variance_a == 0) | (variance_p == 0)
    covariance = (ap - a * p).where(~constant, 0.0)
    values: dict[str, xr.DataArray] = {
        "ccc": 2 * covariance / (variance_a + variance_p + error**2),
        "pearson": covariance / (variance_a * variance_p) ** 0.5,
        "rmse": squared**0.5,
        "mae": absolute,
        "bias": error,
        "sign_agreement": sign,
    }
    return xr.concat(list(values.values()), pd.Index(list(values), name="metric"))


def _variance(square: xr.DataArray, mean: xr.DataArray) -> xr.DataArray:
    variance = square - mean**2
    return variance.where(~(variance <= np.maximum(ROUNDING, LOST * mean**2)), 0.0)


def with_mean(values: xr.DataArray) -> xr.DataArray:
    """Append `mean` to `affect`: the mean of valence and arousal, NaN where either is."""
    mean = values.mean("affect", skipna=False).expand_dims(affect=["mean"])
    return xr.concat([values, mean.transpose(*values.dims)], "affect")
