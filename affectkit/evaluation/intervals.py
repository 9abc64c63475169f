"""Percentile bootstrap intervals: what is resampled, and when there is too little to resample.

Frames of one video follow each other closely, and videos of one person resemble each other:
resampling single frames would give intervals that are far too narrow. So whole subjects are
resampled for a split, and blocks of some seconds within a recording.
"""

from typing import NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import NDArray

BLOCK_SECONDS = 4.0
FEWEST_FRAMES = 100
FEWEST_GROUPS = 2
COVERAGE = 0.95


class Bootstrap(NamedTuple):
    """How many resamples are drawn, from which seed."""

    resamples: int = 2000
    seed: int = 0


def blocks(time: xr.DataArray) -> NDArray[np.int64]:
    """(frame) number of the block of `BLOCK_SECONDS` that each frame falls in."""
    seconds: NDArray[np.float64] = time.values - time.values[0]
    return (seconds // BLOCK_SECONDS).astype(np.int64)


def words(unit: str, *, groups: int, frames: int, resamples: int) -> str:
    """How the interval was found, or why there is none; `unit` is what is resampled, plural."""
    if frames < FEWEST_FRAMES:
        return f"too few frames ({frames}; needs {FEWEST_FRAMES})"
    if groups < FEWEST_GROUPS:
        return f"too few {unit} ({groups}; needs {FEWEST_GROUPS})"
    return f"percentile bootstrap, {unit} resampled, {resamples}"


def refused(interval: str) -> bool:
    """Whether these words say that there is no interval."""
    return interval.startswith("too few")


def weights(groups: int, bootstrap: Bootstrap) -> xr.DataArray:
    """(resample, group) how often each group is drawn; in all as often as there are groups."""
    generator = np.random.default_rng(bootstrap.seed)
    drawn = generator.multinomial(groups, np.full(groups, 1 / groups), bootstrap.resamples)
    return xr.DataArray(drawn.astype(np.float64), dims=("resample", "group"))


def bounds(resampled: xr.DataArray) -> tuple[xr.DataArray, xr.DataArray]:
    """Lower and upper end of the central 95 % over `resample`; NaN resamples are left out."""
    tail = (1 - COVERAGE) / 2
    known = resampled.notnull().any("resample")
    ends = resampled.where(known, 0.0).quantile([tail, 1 - tail], "resample").where(known)
    return ends.isel(quantile=0, drop=True), ends.isel(quantile=1, drop=True)
