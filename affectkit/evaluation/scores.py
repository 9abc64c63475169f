"""Scores of a run on a split: pooled, per recording and as a mean over recordings."""

from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import pandas as pd
import xarray as xr

from affectkit.card import write_card
from affectkit.evaluation import intervals, pairs
from affectkit.evaluation.intervals import Bootstrap
from affectkit.evaluation.resampling import resample, resample_mean
from affectkit.evaluation.sums import group_sums, with_mean
from affectkit.metrics import METRICS
from affectkit.run import SCORES, read_scores, write_scores

POOLED = "(all)"
MEAN = "(mean)"
COLUMNS = ["split", "recording", "affect", "metric", "value", "low", "high", "frames", "interval"]


def evaluate(
    run: Path,
    recordings: Path | None = None,
    *,
    split: str = "test",
    resamples: int = 2000,
    seed: int = 0,
) -> pd.DataFrame:
    """Score the predictions of a run and write them to its scores.csv and its card.

    Args:
        run: a run folder with predictions for the split.
        recordings: folder of the recordings; by default where the run has them from.
        split: which of the run's splits; scores of other splits stay in the file.
        resamples: how many bootstrap resamples the intervals rest on.
        seed: of the resampling.

    Returns:
        One row for each recording (`(all)`: frames pooled, `(mean)`: mean over recordings), affect
        (`mean`: of valence and arousal) and metric, with a 95 % interval and words on how it was
        found. NaN where a metric is not defined, or where there is too little for an interval.

    Raises:
        AffectkitError: predictions or annotations are missing, or the split is unknown.
    """
    opened = pairs.open_pairs(run, recordings, split)
    bootstrap = Bootstrap(resamples, seed)
    parts = [pooled_rows(opened, bootstrap), mean_rows(opened, bootstrap)]
    parts += [_single(pair, bootstrap) for pair in opened]
    scores = pd.DataFrame([row for part in parts for row in part])
    scores.insert(0, "split", split)
    scores = scores[COLUMNS]
    write_scores(run, _with_other_splits(run, scores, split))
    write_card(run)
    return scores


def _with_other_splits(run: Path, scores: pd.DataFrame, split: str) -> pd.DataFrame:
    if not (run / SCORES).is_file():
        return scores
    older = read_scores(run)
    others = older[older["split"] != split]
    return pd.concat([others, scores]) if len(others) else scores


def measure(pair: xr.Dataset) -> xr.DataArray:
    """All metrics of one pair of signals: (metric, affect), affect with `mean`."""
    values = [
        metric(pair["annotation"], pair["prediction"], "frame") for metric in METRICS.values()
    ]
    return with_mean(xr.concat(values, pd.Index(list(METRICS), name="metric")))


def pooled_rows(
    opened: list[xr.Dataset], bootstrap: Bootstrap, name: str = POOLED
) -> Iterator[dict[str, Any]]:
    """Rows of all frames pooled; subjects are resampled."""
    pooled = pairs.pool(opened)
    sums = group_sums(pooled, pairs.subjects_of_frames(opened))
    resampled = resample(sums, bootstrap)
    return rows(name, measure(pooled), resampled, pairs.count_frames(pooled), "subjects")


def _single(pair: xr.Dataset, bootstrap: Bootstrap) -> Iterator[dict[str, Any]]:
    sums = group_sums(pair, intervals.blocks(pair["time"]))
    resampled = resample(sums, bootstrap)
    unit = f"{intervals.BLOCK_SECONDS:g} s blocks"
    return rows(pair.attrs["recording"], measure(pair), resampled, pairs.count_frames(pair), unit)


def mean_rows(
    opened: list[xr.Dataset], bootstrap: Bootstrap, name: str = MEAN
) -> Iterator[dict[str, Any]]:
    """Rows of the mean over recordings; subjects are resampled."""
    values = xr.concat([measure(pair) for pair in opened], "recording")
    resampled = resample_mean(values, pairs.subjects(opened), bootstrap)
    frames = pairs.count_frames(pairs.pool(opened))
    return rows(name, values.mean("recording"), resampled, frames, "subjects")


def rows(
    recording: str,
    values: xr.DataArray,
    resampled: xr.DataArray,
    frames: dict[str, int],
    unit: str,
) -> Iterator[dict[str, Any]]:
    """One row for each affect and metric.

    Args:
        recording: its name, or what stands for many.
        values: (metric, affect) the scores.
        resampled: (resample, metric, affect) with attribute `groups`, as `resampling` makes it.
        frames: how many frames there are, by affect.
        unit: what was resampled, in the plural.
    """
    low, high = intervals.bounds(resampled)
    resamples, groups = resampled.sizes["resample"], resampled.attrs["groups"]
    for affect, metric in product(values["affect"].values, values["metric"].values):
        at = {"affect": affect, "metric": metric}
        count = frames[affect]
        words = intervals.words(unit, groups=groups, frames=count, resamples=resamples)
        ends = [float(end.sel(at)) for end in (low, high)]
        if intervals.refused(words):
            ends = [float("nan")] * 2
        yield {
            "recording": recording,
            **at,
            "value": float(values.sel(at)),
            "low": ends[0],
            "high": ends[1],
            "frames": count,
            "interval": words,
        }
