"""The paired difference of the scores of two runs."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from affectkit.errors import AffectkitError
from affectkit.evaluation import scores
from affectkit.evaluation.intervals import Bootstrap, bootstrap_metrics, group_sums, time_blocks
from affectkit.files import StrPath


def compare(
    first: StrPath,
    second: StrPath,
    recordings: StrPath | None = None,
    *,
    split: str = "test",
    resamples: int = 2000,
) -> pd.DataFrame:
    """Paired difference (second minus first) of the scores of two runs.

    Both runs are scored on the same frames, and both use the same resamples of subjects or blocks.
    A recording that is difficult for both runs therefore does not widen the interval.

    Args:
        first: a run with predictions for the split.
        second: another run with the same recordings in the split.
        recordings: folder of the recordings; the folder named in each run by default.
        split: the split to compare on.
        resamples: number of bootstrap resamples for the intervals.

    Returns:
        One row for each recording (`(all)`: all frames pooled), affect and metric, with the columns
        of `evaluate`. `value` is the difference of the scores in the columns `first` and `second`.

    Raises:
        AffectkitError: as `evaluate`, or the split of the runs holds different recordings, or
            recordings with different frames or annotations.
    """
    bootstrap = Bootstrap(resamples)
    both = [
        sorted(scores.load_split(run, recordings, split), key=lambda each: each.attrs["recording"])
        for run in (first, second)
    ]
    _check_same_recordings(first, second, both, split)
    _check_same_annotations(first, second, both)
    both = [list(each) for each in zip(*map(_on_same_frames, *both), strict=True)]
    pooled = [scores.pool_frames(scored) for scored in both]
    parts = [_rows(scores.POOLED, pooled, scores.frame_subjects(both[0]), "subjects", bootstrap)]
    for signals in zip(*both, strict=True):
        name, blocks = signals[0].attrs["recording"], time_blocks(signals[0]["time"])
        parts.append(_rows(name, list(signals), blocks, scores.BLOCKS, bootstrap))
    table = pd.DataFrame([row for part in parts for row in part])
    table.insert(0, "split", split)
    return table[[*scores.COLUMNS, "first", "second"]]


def _check_same_recordings(
    first: StrPath, second: StrPath, both: list[list[xr.Dataset]], split: str
) -> None:
    names = [{signals.attrs["recording"] for signals in scored} for scored in both]
    different = sorted(names[0] ^ names[1])
    if different:
        raise AffectkitError(
            f"the split {split!r} differs: {', '.join(different)} only in one of {first} and "
            f"{second}; compare runs that were trained on the same splits"
        )


def _check_same_annotations(first: StrPath, second: StrPath, both: list[list[xr.Dataset]]) -> None:
    different = [
        signals[0].attrs["recording"]
        for signals in zip(*both, strict=True)
        if not signals[0]["annotation"].equals(signals[1]["annotation"])
    ]
    if different:
        raise AffectkitError(
            f"{first} and {second} predicted recordings with other frames or annotations: "
            f"{', '.join(different)}; predict the same recordings with both runs"
        )


def _on_same_frames(first: xr.Dataset, second: xr.Dataset) -> tuple[xr.Dataset, xr.Dataset]:
    predicted = first["prediction"].notnull() & second["prediction"].notnull()
    return first.where(predicted), second.where(predicted)


def _rows(
    name: str,
    both: list[xr.Dataset],
    group: NDArray[np.int64],
    unit: str,
    bootstrap: Bootstrap,
) -> Iterator[dict[str, Any]]:
    values = [scores.all_metrics(signals) for signals in both]
    # the same seed and the same groups give both runs the same resamples
    resampled = [bootstrap_metrics(group_sums(signals, group), bootstrap) for signals in both]
    difference = (resampled[1] - resampled[0]).assign_attrs(resampled[0].attrs)
    frames = scores.count_frames(both[0])
    for row in scores.score_rows(name, values[1] - values[0], difference, frames, unit):
        at = {"affect": row["affect"], "metric": row["metric"]}
        yield row | {"first": float(values[0].sel(at)), "second": float(values[1].sel(at))}
