"""Metrics of resampled groups of frames, and of resampled recordings."""

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from affectkit.evaluation.intervals import Bootstrap, weights
from affectkit.evaluation.sums import metrics_of, with_mean


def resample(sums: xr.DataArray, bootstrap: Bootstrap) -> xr.DataArray:
    """Metrics (resample, metric, affect) of resampled groups of sums (group, affect, sum)."""
    drawn = weights(sums.sizes["group"], bootstrap)
    resampled = with_mean(metrics_of(xr.dot(drawn, sums, dim="group")))
    return resampled.assign_attrs(groups=sums.sizes["group"])


def resample_mean(
    values: xr.DataArray, subject: NDArray[np.int64], bootstrap: Bootstrap
) -> xr.DataArray:
    """Mean over recordings (resample, metric, affect) when subjects are resampled.

    Args:
        values: (recording, metric, affect); NaN where a recording has no score.
        subject: (recording) number of the subject of each recording.
        bootstrap: resamples and seed.
    """
    groups = int(subject.max()) + 1
    drawn = weights(groups, bootstrap).isel(group=xr.DataArray(subject, dims="recording"))
    total = xr.dot(drawn, values.fillna(0.0), dim="recording")
    count = xr.dot(drawn, values.notnull().astype(np.float64), dim="recording")
    mean: xr.DataArray = total / count.where(count > 0)
    return mean.assign_attrs(groups=groups)
