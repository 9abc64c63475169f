"""Two runs on the same frames: is one better than the other?"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from affectkit.errors import AffectkitError
from affectkit.evaluation import intervals, pairs
from affectkit.evaluation.intervals import Bootstrap
from affectkit.evaluation.resampling import resample
from affectkit.evaluation.scores import COLUMNS, POOLED, measure, rows
from affectkit.evaluation.sums import group_sums


def compare(
    first: Path,
    second: Path,
    recordings: Path | None = None,
    *,
    split: str = "test",
    resamples: int = 2000,
) -> pd.DataFrame:
    """Paired difference (second minus first) of the scores of two runs.

    Both runs are scored on the same frames, and the same subjects or blocks are drawn for both:
    what makes a recording hard for both cancels out.

    Args:
        first: a run folder with predictions for the split.
        second: another, whose split holds the same recordings.
        recordings: folder of the recordings; by default where each run has them from.
        split: which split to compare on.
        resamples: how many bootstrap resamples the intervals rest on.

    Returns:
        One row for each recording (`(all)`: frames pooled), affect and metric; `value` is the
        difference, `first` and `second` are what it is the difference of.

    Raises:
        AffectkitError: as `evaluate`, or the runs hold different recordings in the split.
    """
    bootstrap = Bootstrap(resamples)
    both = [pairs.open_pairs(run, recordings, split) for run in (first, second)]
    _check_same(first, second, both, split)
    both = [list(same) for same in zip(*map(_on_same_frames, *both), strict=True)]
    pooled = [pairs.pool(opened) for opened in both]
    parts = [_rows(POOLED, pooled, pairs.subjects_of_frames(both[0]), "subjects", bootstrap)]
    unit = f"{intervals.BLOCK_SECONDS:g} s blocks"
    for pair in zip(*both, strict=True):
        name, group = pair[0].attrs["recording"], intervals.blocks(pair[0]["time"])
        parts.append(_rows(name, list(pair), group, unit, bootstrap))
    table = pd.DataFrame([row for part in parts for row in part])
    table.insert(0, "split", split)
    return table[[*COLUMNS, "first", "second"]]


def _check_same(first: Path, second: Path, both: list[list[xr.Dataset]], split: str) -> None:
    names = [{pair.attrs["recording"] for pair in opened} for opened in both]
    only = sorted(names[0] ^ names[1])
    if only:
        raise AffectkitError(
            f"the split {split!r} differs: {', '.join(only)} only in one of {first} and {second}; "
            f"compare runs that were trained on the same splits"
        )


def _on_same_frames(first: xr.Dataset, second: xr.Dataset) -> tuple[xr.Dataset, xr.Dataset]:
    both = first["prediction"].notnull() & second["prediction"].notnull()
    return first.where(both), second.where(both)


def _rows(
    name: str,
    both: list[xr.Dataset],
    group: NDArray[np.int64],
    unit: str,
    bootstrap: Bootstrap,
) -> Iterator[dict[str, Any]]:
    values = [measure(pair) for pair in both]
    # equal seeds and equal groups: the same draw for both
    resampled = [resample(group_sums(pair, group), bootstrap) for pair in both]
    difference = (resampled[1] - resampled[0]).assign_attrs(resampled[0].attrs)
    for row in rows(name, values[1] - values[0], difference, pairs.count_frames(both[0]), unit):
        at = {"affect": row["affect"], "metric": row["metric"]}
        yield row | {"first": float(values[0].sel(at)), "second": float(values[1].sel(at))}
