"""Percentile bootstrap intervals, computed from sums over groups of frames.

Neighbouring frames of a video are similar, and so are the videos of one person. Resampling single
frames would give intervals that are far too narrow. Therefore whole subjects are resampled for a
split, and blocks of a few seconds within a recording.

Every metric is a function of a few sums over frames. The sums are computed once for each group of
frames (a subject or a block); a resample is then a weighted sum over groups.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from affectkit.metrics import ROUNDING

BLOCK_SECONDS = 4.0
MIN_FRAMES = 100
MIN_GROUPS = 2
CONFIDENCE = 0.95
# relative to the squared mean: a smaller difference mean(x^2) - mean(x)^2 is a rounding error
CANCELLATION = 1e-12

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


class Bootstrap(NamedTuple):
    """The number of resamples and the seed of the random draws."""

    resamples: int = 2000
    seed: int = 0


def time_blocks(time: xr.DataArray) -> NDArray[np.int64]:
    """(frame) number of the block of `BLOCK_SECONDS` that contains each frame."""
    seconds: NDArray[np.float64] = time.values - time.values[0]
    return (seconds // BLOCK_SECONDS).astype(np.int64)


def interval_method(unit: str, *, groups: int, frames: int, resamples: int) -> str:
    """How an interval was computed, or why there is none.

    Args:
        unit: what is resampled, in the plural: `subjects` or `4 s blocks`.
        groups: number of subjects or blocks.
        frames: number of frames with annotation and prediction.
        resamples: number of bootstrap resamples.
    """
    if frames < MIN_FRAMES:
        return f"too few frames ({frames}; needs {MIN_FRAMES})"
    if groups < MIN_GROUPS:
        return f"too few {unit} ({groups}; needs {MIN_GROUPS})"
    return f"percentile bootstrap, {unit} resampled, {resamples}"


def has_no_interval(method: str) -> bool:
    """Whether a text of `interval_method` says that there is no interval."""
    return method.startswith("too few")


def percentile_interval(resampled: xr.DataArray) -> tuple[xr.DataArray, xr.DataArray]:
    """Lower and upper end of the central 95 % over `resample`; NaN resamples are left out."""
    tail = (1 - CONFIDENCE) / 2
    known = resampled.notnull().any("resample")
    ends = resampled.where(known, 0.0).quantile([tail, 1 - tail], "resample").where(known)
    return ends.isel(quantile=0, drop=True), ends.isel(quantile=1, drop=True)


def draw_groups(groups: int, bootstrap: Bootstrap) -> xr.DataArray:
    """(resample, group) how often each group is drawn; each resample draws `groups` in total."""
    generator = np.random.default_rng(bootstrap.seed)
    counts = generator.multinomial(groups, np.full(groups, 1 / groups), bootstrap.resamples)
    return xr.DataArray(counts.astype(np.float64), dims=("resample", "group"))


def bootstrap_metrics(sums: xr.DataArray, bootstrap: Bootstrap) -> xr.DataArray:
    """Metrics (resample, metric, affect) of resampled groups of sums (group, affect, sum)."""
    counts = draw_groups(sums.sizes["group"], bootstrap)
    resampled = append_mean(metrics_from_sums(xr.dot(counts, sums, dim="group")))
    return resampled.assign_attrs(groups=sums.sizes["group"])


def bootstrap_mean(
    values: xr.DataArray, subject: NDArray[np.int64], bootstrap: Bootstrap
) -> xr.DataArray:
    """Mean over recordings (resample, metric, affect) of resampled subjects.

    Args:
        values: (recording, metric, affect); NaN where a recording has no score.
        subject: (recording) number of the subject of each recording.
        bootstrap: number of resamples, and seed.
    """
    groups = int(subject.max()) + 1
    counts = draw_groups(groups, bootstrap).isel(group=xr.DataArray(subject, dims="recording"))
    total = xr.dot(counts, values.fillna(0.0), dim="recording")
    number = xr.dot(counts, values.notnull().astype(np.float64), dim="recording")
    mean: xr.DataArray = total / number.where(number > 0)
    return mean.assign_attrs(groups=groups)


def group_sums(signals: xr.Dataset, group: NDArray[np.int64]) -> xr.DataArray:
    """Sums over the frames of each group.

    Args:
        signals: `annotation` and `prediction` (frame, affect); a frame with NaN in either adds
            nothing.
        group: (frame) number of the group of each frame.

    Returns:
        (group, affect, sum), with the sums named in `SUMS`. Annotation `a` and prediction `p` are
        centred first, to avoid cancellation when squares are subtracted.
    """
    valid = signals["annotation"].notnull() & signals["prediction"].notnull()
    a = signals["annotation"].where(valid).astype(np.float64)
    p = signals["prediction"].where(valid).astype(np.float64)
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


def metrics_from_sums(sums: xr.DataArray) -> xr.DataArray:
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
    return variance.where(~(variance <= np.maximum(ROUNDING, CANCELLATION * mean**2)), 0.0)


def append_mean(values: xr.DataArray) -> xr.DataArray:
    """Append `mean` to `affect`: the mean of valence and arousal, NaN if either is NaN."""
    mean = values.mean("affect", skipna=False).expand_dims(affect=["mean"])
    return xr.concat([values, mean.transpose(*values.dims)], "affect")
