"""Scores of nets that were trained several times: a mean over seeds, with its interval.

The same subjects are scored under every seed: subjects and seeds are crossed. Each resample draws
subjects, scores every seed on all frames of the drawn ones, and takes the mean over drawn seeds:
the pigeonhole bootstrap (Owen, The pigeonhole bootstrap, Annals of Applied Statistics 2007, 1(2),
386-411), which for crossed data errs on the wide side. All nets get the same draws, so a difference
is paired by subject and by seed. What few seeds say of others stays little: from two or three their
spread is barely known, and who the training people are is not resampled at all.
"""

from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any

import xarray as xr

from affectkit.evaluation.intervals import Bootstrap, bounds, weights
from affectkit.evaluation.sums import metrics_of, with_mean

SHOWN = ("ccc", "rmse")
ITSELF = ""  # what a score that is no difference is compared with


def each_seed(sums: xr.DataArray) -> xr.DataArray:
    """Metrics (metric, seed, affect) of sums (seed, group, affect, sum), frames pooled."""
    return with_mean(metrics_of(sums.sum("group")))


def resample_both(sums: xr.DataArray, bootstrap: Bootstrap) -> xr.DataArray:
    """Mean over seeds (metric, resample, affect) when subjects and seeds are resampled.

    Args:
        sums: (seed, group, affect, sum) as `evaluation.sums.group_sums` gives them, the subjects as
            groups.
        bootstrap: equal ones give equal draws.
    """
    seeds = sums.sizes["seed"]
    subjects_drawn = weights(sums.sizes["group"], bootstrap)
    # a seed of its own: equally many subjects and seeds would else be drawn alike
    seeds_drawn = weights(seeds, bootstrap._replace(seed=bootstrap.seed + 1))
    scores = with_mean(metrics_of(xr.dot(subjects_drawn, sums, dim="group")))
    mean: xr.DataArray = xr.dot(seeds_drawn.rename(group="seed"), scores, dim="seed") / seeds
    return mean


def compare_nets(
    sums: Mapping[str, xr.DataArray], references: tuple[str, ...], bootstrap: Bootstrap
) -> Iterator[dict[str, Any]]:
    """Rows of every net's scores, and of their paired differences from some of the nets.

    Args:
        sums: of each net (seed, group, affect, sum), with the same subjects and seeds.
        references: nets to subtract.
        bootstrap: resamples and seed.

    Yields:
        For each net, reference (`ITSELF` for the score as it is), affect and metric of `SHOWN`: the
        mean over seeds, its 95 % interval and the value of each seed.
    """
    values = {net: each_seed(part) for net, part in sums.items()}
    resampled = {net: resample_both(part, bootstrap) for net, part in sums.items()}
    for net, minus in product(sums, (ITSELF, *references)):
        if minus == net:
            continue
        value, drawn = values[net], resampled[net]
        if minus != ITSELF:
            value, drawn = value - values[minus], drawn - resampled[minus]
        yield from _rows(net, minus, value, drawn)


def _rows(
    net: str, minus: str, value: xr.DataArray, drawn: xr.DataArray
) -> Iterator[dict[str, Any]]:
    low, high = bounds(drawn)
    for affect, metric in product(value["affect"].values, SHOWN):
        at = {"affect": affect, "metric": metric}
        single = value.sel(at)
        yield {
            "net": net,
            "minus": minus,
            **at,
            "value": float(single.mean("seed")),
            "low": float(low.sel(at)),
            "high": float(high.sel(at)),
            **{
                f"seed {int(seed)}": float(one)
                for seed, one in zip(single.seed, single, strict=True)
            },
        }
