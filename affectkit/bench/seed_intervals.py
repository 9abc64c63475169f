"""Scores of networks that were trained with several seeds: the mean over seeds and its interval.

The same subjects are scored with every seed: subjects and seeds are crossed. Each resample draws
subjects, scores every seed on all frames of the drawn subjects, and takes the mean over drawn
seeds. This is the pigeonhole bootstrap (Owen, The pigeonhole bootstrap, Annals of Applied
Statistics 2007, 1(2), 386-411), which is conservative for crossed data. All networks get the same
draws, so differences are paired by subject and by seed. A few seeds say little about other seeds:
the variance of two or three values is hardly known. The training subjects are not resampled.
"""

from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any

import xarray as xr

from affectkit.evaluation.intervals import (
    Bootstrap,
    append_mean,
    draw_groups,
    metrics_from_sums,
    percentile_interval,
)

METRICS = ("ccc", "rmse")
NO_BASELINE = ""  # in the column `minus` of a score that is not a difference


def seed_scores(sums: xr.DataArray) -> xr.DataArray:
    """Metrics (metric, seed, affect) of sums (seed, group, affect, sum), frames pooled."""
    return append_mean(metrics_from_sums(sums.sum("group")))


def resample_subjects_and_seeds(sums: xr.DataArray, bootstrap: Bootstrap) -> xr.DataArray:
    """Mean over seeds (metric, resample, affect) when subjects and seeds are resampled.

    Args:
        sums: (seed, group, affect, sum) as `evaluation.intervals.group_sums` returns them, with
            subjects as groups.
        bootstrap: the same values give the same draws.
    """
    seeds = sums.sizes["seed"]
    subject_weights = draw_groups(sums.sizes["group"], bootstrap)
    # another random seed: otherwise equal numbers of subjects and seeds would get the same draws
    seed_weights = draw_groups(seeds, bootstrap._replace(seed=bootstrap.seed + 1))
    scores = append_mean(metrics_from_sums(xr.dot(subject_weights, sums, dim="group")))
    mean: xr.DataArray = xr.dot(seed_weights.rename(group="seed"), scores, dim="seed") / seeds
    return mean


def score_rows(
    sums: Mapping[str, xr.DataArray], baselines: tuple[str, ...], bootstrap: Bootstrap
) -> Iterator[dict[str, Any]]:
    """Rows of the scores of all networks, and of their paired differences from the baselines.

    Args:
        sums: for each network (seed, group, affect, sum), with the same subjects and seeds.
        baselines: networks to subtract.
        bootstrap: resamples and seed.

    Yields:
        For each network, baseline (`NO_BASELINE` for the score itself), affect and metric of
        `METRICS`: the mean over seeds, its 95 % interval and the value of each seed.
    """
    values = {name: seed_scores(part) for name, part in sums.items()}
    resampled = {name: resample_subjects_and_seeds(part, bootstrap) for name, part in sums.items()}
    for network, minus in product(sums, (NO_BASELINE, *baselines)):
        if minus == network:
            continue
        value, resamples = values[network], resampled[network]
        if minus != NO_BASELINE:
            value, resamples = value - values[minus], resamples - resampled[minus]
        yield from _rows(network, minus, value, resamples)


def _rows(
    network: str, minus: str, value: xr.DataArray, resamples: xr.DataArray
) -> Iterator[dict[str, Any]]:
    low, high = percentile_interval(resamples)
    for affect, metric in product(value["affect"].values, METRICS):
        at = {"affect": affect, "metric": metric}
        of_seeds = value.sel(at)
        yield {
            "network": network,
            "minus": minus,
            **at,
            "value": float(of_seeds.mean("seed")),
            "low": float(low.sel(at)),
            "high": float(high.sel(at)),
            **{
                f"seed {int(seed)}": float(score)
                for seed, score in zip(of_seeds.seed, of_seeds, strict=True)
            },
        }
