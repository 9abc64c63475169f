"""Metrics of the agreement of annotation and prediction, and of several raters.

Each metric is a function of (annotation, prediction, dim). Frames where either signal is NaN are
left out. Variances and covariances divide by n (ddof 0), as in the Aff-Wild and ABAW evaluations.
The result keeps all dims except `dim`.
"""

from collections.abc import Callable, Collection, Hashable

import numpy as np
import xarray as xr

from affectkit.errors import unknown

Dims = str | Collection[Hashable]
ROUNDING = 1e-24  # smaller covariances and variances are rounding errors


def _paired(a: xr.DataArray, b: xr.DataArray) -> tuple[xr.DataArray, xr.DataArray]:
    a, b = xr.align(a, b, join="exact")
    valid = a.notnull() & b.notnull()
    return a.where(valid).astype(np.float64), b.where(valid).astype(np.float64)


def ccc(annotation: xr.DataArray, prediction: xr.DataArray, dim: Dims) -> xr.DataArray:
    """Concordance correlation coefficient (Lin 1989) along `dim`.

    A constant prediction has a CCC of 0; two constant, equal signals have NaN.

    Raises:
        xarray.AlignmentError: the coordinates of the signals differ.
    """
    a, p = _paired(annotation, prediction)
    covariance = _covariance(a, p, dim)
    shift = a.mean(dim) - p.mean(dim)
    return 2 * covariance / (_covariance(a, a, dim) + _covariance(p, p, dim) + shift**2)


def pearson(annotation: xr.DataArray, prediction: xr.DataArray, dim: Dims) -> xr.DataArray:
    """Pearson correlation along `dim`; NaN if either signal is constant."""
    a, p = _paired(annotation, prediction)
    return _covariance(a, p, dim) / (_covariance(a, a, dim) * _covariance(p, p, dim)) ** 0.5


def _covariance(a: xr.DataArray, b: xr.DataArray, dim: Dims) -> xr.DataArray:
    covariance = ((a - a.mean(dim)) * (b - b.mean(dim))).mean(dim)
    # rounding of the mean leaves a tiny covariance for constant signals
    return covariance.where(abs(covariance) > ROUNDING, 0.0).where(covariance.notnull())


def rmse(annotation: xr.DataArray, prediction: xr.DataArray, dim: Dims) -> xr.DataArray:
    """Root mean squared error along `dim`."""
    a, p = _paired(annotation, prediction)
    return ((p - a) ** 2).mean(dim) ** 0.5


def mae(annotation: xr.DataArray, prediction: xr.DataArray, dim: Dims) -> xr.DataArray:
    """Mean absolute error along `dim`."""
    a, p = _paired(annotation, prediction)
    return abs(p - a).mean(dim)


def bias(annotation: xr.DataArray, prediction: xr.DataArray, dim: Dims) -> xr.DataArray:
    """Mean of prediction minus annotation along `dim`; positive if predictions are too high."""
    a, p = _paired(annotation, prediction)
    return (p - a).mean(dim)


def sign_agreement(annotation: xr.DataArray, prediction: xr.DataArray, dim: Dims) -> xr.DataArray:
    """Share of frames with equal sign (SAGR) along `dim`; 0 has the same sign as 0 only."""
    a, p = _paired(annotation, prediction)
    same = xr.apply_ufunc(np.sign, a) == xr.apply_ufunc(np.sign, p)
    share: xr.DataArray = same.where(a.notnull()).mean(dim)
    return share


METRICS: dict[str, Callable[[xr.DataArray, xr.DataArray, Dims], xr.DataArray]] = {
    "ccc": ccc,
    "pearson": pearson,
    "rmse": rmse,
    "mae": mae,
    "bias": bias,
    "sign_agreement": sign_agreement,
}


def pairwise_ccc(rating: xr.DataArray, dim: Dims) -> xr.DataArray:
    """CCC of each pair of raters along `dim`: (rater, other, ...), NaN for a rater with itself."""
    numbered = rating.assign_coords(rater=range(rating.sizes["rater"]))
    other = numbered.rename(rater="other")
    pairs = ccc(numbered, other, dim).where(numbered["rater"] != other["other"])
    return pairs.drop_vars(["rater", "other"])


ICC = ("1,1", "1,k", "2,1", "2,k", "3,1", "3,k")


def icc(rating: xr.DataArray, dim: str, form: str = "2,1") -> xr.DataArray:
    """Intraclass correlation of raters (Shrout & Fleiss 1979), with targets along `dim`.

    Args:
        rating: (rater, `dim`, ...); targets with a missing rating (NaN) are left out.
        dim: dimension of the targets, usually `frame`.
        form: one of `ICC`. Before the comma, `1`: each target is rated by different raters; `2`: a
            random sample of raters, and their offsets count as disagreement; `3`: a fixed set of
            raters, and their offsets do not count. After the comma, `1`: reliability of a single
            rater; `k`: reliability of the mean of all raters.

    Returns:
        (...), NaN for fewer than two raters or targets, or without variance.

    Raises:
        AffectkitError: `form` is unknown.
    """
    if form not in ICC:
        raise unknown("form of the intraclass correlation", form, ICC)
    between, raters, rest, n = _mean_squares(rating, dim)
    k = rating.sizes["rater"]
    noise = (raters + (n - 1) * rest) / n if form[0] == "1" else rest
    offsets = (raters - rest) / n if form[0] == "2" else 0
    signal = between - noise
    whole = between + (k - 1) * noise + k * offsets if form[-1] == "1" else between + offsets
    return signal / whole.where(abs(whole) > ROUNDING)


def _mean_squares(rating: xr.DataArray, dim: str) -> tuple[xr.DataArray, ...]:
    """Mean squares between targets, between raters and residual; number of targets, NaN if < 2."""
    complete = rating.notnull().all("rater")
    rating = rating.astype(np.float64).where(complete)
    k, n = rating.sizes["rater"], complete.sum(dim).astype(np.float64)
    n = n.where((n > 1) & (k > 1))
    target, rater = rating.mean("rater"), rating.mean(dim)
    grand = target.mean(dim)
    between = k * ((target - grand) ** 2).sum(dim) / (n - 1)
    raters = n * ((rater - grand) ** 2).sum("rater") / max(k - 1, 1)
    rest = ((rating - target - rater + grand) ** 2).sum(["rater", dim]) / (n - 1) / max(k - 1, 1)
    return between, raters, rest, n
