"""Agreement of two labelled signals: each metric is one function of (annotation, prediction, dim).

Frames where either signal is NaN are left out. Variances and covariances divide by n (ddof 0), as
the Aff-Wild and ABAW evaluations do. Whatever dims are not in `dim` survive. At the end stands how
several raters agree.
"""

from collections.abc import Callable, Collection, Hashable

import numpy as np
import xarray as xr

from affectkit.errors import unknown

Dims = str | Collection[Hashable]
ROUNDING = 1e-24


def _paired(a: xr.DataArray, b: xr.DataArray) -> tuple[xr.DataArray, xr.DataArray]:
    a, b = xr.align(a, b, join="exact")
    valid = a.notnull() & b.notnull()
    return a.where(valid).astype(np.float64), b.where(valid).astype(np.float64)


def ccc(annotation: xr.DataArray, prediction: xr.DataArray, dim: Dims) -> xr.DataArray:
    """Concordance correlation coefficient (Lin 1989) along `dim`.

    A constant prediction scores 0; two constant, equal signals give NaN.

    Raises:
        xarray.AlignmentError: the two do not share exactly the same coordinates.
    """
    a, p = _paired(annotation, prediction)
    covariance = _covariance(a, p, dim)
    shift = a.mean(dim) - p.mean(dim)
    return 2 * covariance / (_covariance(a, a, dim) + _covariance(p, p, dim) + shift**2)


def pearson(annotation: xr.DataArray, prediction: xr.DataArray, dim: Dims) -> xr.DataArray:
    """Pearson's correlation along `dim`; NaN where either signal is constant."""
    a, p = _paired(annotation, prediction)
    return _covariance(a, p, dim) / (_covariance(a, a, dim) * _covariance(p, p, dim)) ** 0.5


def _covariance(a: xr.DataArray, b: xr.DataArray, dim: Dims) -> xr.DataArray:
    covariance = ((a - a.mean(dim)) * (b - b.mean(dim))).mean(dim)
    # the mean of a constant signal is rounded: what is left of it is not variance
    return covariance.where(abs(covariance) > ROUNDING, 0.0).where(covariance.notnull())


def rmse(annotation: xr.DataArray, prediction: xr.DataArray, dim: Dims) -> xr.DataArray:
    """Root of the mean squared error along `dim`."""
    a, p = _paired(annotation, prediction)
    return ((p - a) ** 2).mean(dim) ** 0.5


def mae(annotation: xr.DataArray, prediction: xr.DataArray, dim: Dims) -> xr.DataArray:
    """Mean absolute error along `dim`."""
    a, p = _paired(annotation, prediction)
    return abs(p - a).mean(dim)


def bias(annotation: xr.DataArray, prediction: xr.DataArray, dim: Dims) -> xr.DataArray:
    """Mean of prediction minus annotation along `dim`; positive is too high."""
    a, p = _paired(annotation, prediction)
    return (p - a).mean(dim)


def sign_agreement(annotation: xr.DataArray, prediction: xr.DataArray, dim: Dims) -> xr.DataArray:
    """Share of frames with equal sign (SAGR) along `dim`; 0 agrees with 0 only."""
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
    """CCC of each rater with each other one along `dim`: (rater, other, ...), NaN with oneself."""
    numbered = rating.assign_coords(rater=range(rating.sizes["rater"]))
    other = numbered.rename(rater="other")
    pairs = ccc(numbered, other, dim).where(numbered["rater"] != other["other"])
    return pairs.drop_vars(["rater", "other"])


ICC = ("1,1", "1,k", "2,1", "2,k", "3,1", "3,k")


def icc(rating: xr.DataArray, dim: str, form: str = "2,1") -> xr.DataArray:
    """Intraclass correlation of the raters (Shrout & Fleiss 1979), the targets along `dim`.

    Args:
        rating: (rater, `dim`, ...); a target counts where no rater is NaN.
        dim: the dimension of the targets, as a rule `frame`.
        form: one of `ICC`. `2`: raters drawn from many, whose offsets are disagreement; `3`: these
            very raters, whose offsets do not matter; `1`: other raters for every target. After the
            comma `1`: how reliable a single rater is; `k`: the mean of them all.

    Returns:
        (...), NaN for fewer than two raters or targets, and where nothing varies.

    Raises:
        AffectkitError: the form is unknown.
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
    """Between targets, between raters, of the rest; and the number of targets, NaN below two."""
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
