"""Agreement of two labelled signals: each metric is one function of (annotation, prediction, dim).

Frames where either signal is NaN are left out. Variances and covariances divide by n (ddof 0), as
the Aff-Wild and ABAW evaluations do. Whatever dims are not in `dim` survive.
"""

from collections.abc import Callable, Collection, Hashable

import numpy as np
import xarray as xr

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
