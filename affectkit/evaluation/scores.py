"""Scores of a run on a split: all frames pooled, each recording, and the mean over recordings."""

from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from affectkit.card import write_card
from affectkit.errors import AffectkitError, unknown
from affectkit.evaluation import intervals
from affectkit.evaluation.intervals import Bootstrap
from affectkit.files import StrPath, lock
from affectkit.metrics import METRICS
from affectkit.recording import open_recording
from affectkit.results import check_same_frames, list_predictions, open_prediction, recording_path
from affectkit.run import SCORES, read_metadata, read_scores, write_scores

POOLED = "(all)"
MEAN = "(mean)"
SUMMARIES = (POOLED, MEAN)  # in the column `recording`; no recording can have such a name
BLOCKS = f"{intervals.BLOCK_SECONDS:g} s blocks"
COLUMNS = ["split", "recording", "affect", "metric", "value", "low", "high", "frames", "interval"]


def evaluate(
    run: StrPath,
    recordings: StrPath | None = None,
    *,
    split: str = "test",
    resamples: int = 2000,
    seed: int = 0,
) -> pd.DataFrame:
    """Score the predictions of a run, and write the scores to its scores.csv and its card.

    Args:
        run: a run with predictions for the split.
        recordings: folder of the recordings; the folder named in the run by default.
        split: one of the run's splits; scores of other splits stay in the file.
        resamples: number of bootstrap resamples for the intervals.
        seed: of the resampling.

    Returns:
        One row for each recording (`(all)`: all frames pooled, `(mean)`: mean over recordings),
        affect (`mean`: of valence and arousal) and metric. `low` and `high` are the ends of the
        95 % interval, `interval` says how it was computed. NaN where a metric is undefined, or
        where there are too few frames or groups for an interval.

    Raises:
        AffectkitError: predictions or annotations are missing, or the split is unknown.
    """
    run = Path(run)
    read_metadata(run)  # a folder that is not a run is not locked
    with lock(run, f"evaluate {split}"):
        scores = _score(load_split(run, recordings, split), Bootstrap(resamples, seed))
        scores.insert(0, "split", split)
        scores = scores[COLUMNS]
        write_scores(run, _with_other_splits(run, scores, split))
        write_card(run)
    return scores


def _score(scored: list[xr.Dataset], bootstrap: Bootstrap) -> pd.DataFrame:
    parts = [pooled_rows(scored, bootstrap), mean_rows(scored, bootstrap)]
    parts += [_recording_rows(signals, bootstrap) for signals in scored]
    return pd.DataFrame([row for part in parts for row in part])


def _with_other_splits(run: Path, scores: pd.DataFrame, split: str) -> pd.DataFrame:
    if not (run / SCORES).is_file():
        return scores
    older = read_scores(run)
    others = older[older["split"] != split]
    return pd.concat([others, scores]) if len(others) else scores


def load_split(run: StrPath, recordings: StrPath | None, split: str) -> list[xr.Dataset]:
    """Load `annotation` and `prediction` (frame, affect) of each annotated recording of a split.

    Args:
        run: a run with predictions.
        recordings: folder of the recordings; the folder named in the run by default.
        split: one of the run's splits.

    Returns:
        A Dataset for each recording, with attrs `recording` and `subject`.

    Raises:
        AffectkitError: the split is unknown, a prediction is missing or has other frames than its
            recording, or no annotated frame has a prediction.
    """
    run = Path(run)
    names = _split_names(run, split)
    _check_predicted(run, names, recordings or read_metadata(run)["recordings"])
    opened = [_load_signals(run, path) for path in split_paths(run, recordings, split)]
    annotated = [signals for signals in opened if signals["annotation"].notnull().any()]
    if not annotated:
        raise AffectkitError(
            f"no recording of the split {split!r} of {run} is annotated, so there is nothing to "
            "score; prepare the recordings with annotations, or evaluate another split"
        )
    if not any(max(count_frames(signals).values()) for signals in annotated):
        raise AffectkitError(
            f"no annotated frame of the split {split!r} has a prediction in {run}, so there is "
            f"nothing to score; run: affectkit predict {run} RECORDINGS"
        )
    return annotated


def split_paths(run: StrPath, recordings: StrPath | None, split: str) -> list[Path]:
    """The paths of the recordings of a split.

    Raises:
        AffectkitError: the split is unknown or empty, or a recording is not found.
    """
    run = Path(run)
    return [
        Path(recordings) / f"{name}.zarr" if recordings else recording_path(run, name)
        for name in _split_names(run, split)
    ]


def _split_names(run: Path, split: str) -> list[str]:
    splits: dict[str, list[str]] = read_metadata(run).get("splits", {})
    if split not in splits:
        raise unknown(f"split in {run}:", split, splits)
    if not splits[split]:
        raise AffectkitError(
            f"the split {split!r} of {run} has no recordings; evaluate another split"
        )
    return splits[split]


def _check_predicted(run: Path, names: list[str], recordings: StrPath) -> None:
    missing = sorted(set(names) - set(list_predictions(run)))
    if missing:
        raise AffectkitError(
            f"{run} has no prediction for {', '.join(missing)}; "
            f"run: affectkit predict {run} {recordings}"
        )


def _load_signals(run: Path, path: Path) -> xr.Dataset:
    recording, prediction = open_recording(path), open_prediction(run, path.stem)
    check_same_frames(prediction, recording)
    signals = {
        "annotation": recording["annotation"],
        "prediction": prediction["prediction"].drop_vars("time"),
    }
    attrs = {"recording": path.stem, "subject": recording.attrs["subject"] or path.stem}
    return xr.Dataset(signals, attrs=attrs).load()


def pool_frames(scored: list[xr.Dataset]) -> xr.Dataset:
    """Concatenate the frames of all recordings, without frame numbers and times."""
    bare = [signals.drop_vars(["frame", "time"]) for signals in scored]
    return xr.concat(bare, "frame", combine_attrs="drop")


def recording_subjects(scored: list[xr.Dataset]) -> NDArray[np.int64]:
    """(recording) number of the subject of each recording."""
    names = [signals.attrs["subject"] for signals in scored]
    return np.unique(names, return_inverse=True)[1].astype(np.int64)


def frame_subjects(scored: list[xr.Dataset]) -> NDArray[np.int64]:
    """(frame) number of the subject of each frame of `pool_frames`."""
    return np.repeat(recording_subjects(scored), [signals.sizes["frame"] for signals in scored])


def count_frames(signals: xr.Dataset) -> dict[str, int]:
    """Number of frames with annotation and prediction, by affect; `mean`: the smaller one."""
    valid = signals["annotation"].notnull() & signals["prediction"].notnull()
    counts = {str(affect): int(valid.sel(affect=affect).sum()) for affect in valid["affect"].values}
    return counts | {"mean": min(counts.values())}


def all_metrics(signals: xr.Dataset) -> xr.DataArray:
    """All metrics of annotation and prediction: (metric, affect), including affect `mean`."""
    values = [
        metric(signals["annotation"], signals["prediction"], "frame") for metric in METRICS.values()
    ]
    return intervals.append_mean(xr.concat(values, pd.Index(list(METRICS), name="metric")))


def pooled_rows(
    scored: list[xr.Dataset], bootstrap: Bootstrap, name: str = POOLED
) -> Iterator[dict[str, Any]]:
    """Rows for all frames pooled; subjects are resampled."""
    pooled = pool_frames(scored)
    sums = intervals.group_sums(pooled, frame_subjects(scored))
    resampled = intervals.bootstrap_metrics(sums, bootstrap)
    return score_rows(name, all_metrics(pooled), resampled, count_frames(pooled), "subjects")


def mean_rows(
    scored: list[xr.Dataset], bootstrap: Bootstrap, name: str = MEAN
) -> Iterator[dict[str, Any]]:
    """Rows for the mean over recordings; subjects are resampled."""
    values = xr.concat([all_metrics(signals) for signals in scored], "recording")
    resampled = intervals.bootstrap_mean(values, recording_subjects(scored), bootstrap)
    frames = count_frames(pool_frames(scored))
    return score_rows(name, values.mean("recording"), resampled, frames, "subjects")


def _recording_rows(signals: xr.Dataset, bootstrap: Bootstrap) -> Iterator[dict[str, Any]]:
    sums = intervals.group_sums(signals, intervals.time_blocks(signals["time"]))
    resampled = intervals.bootstrap_metrics(sums, bootstrap)
    name, frames = signals.attrs["recording"], count_frames(signals)
    return score_rows(name, all_metrics(signals), resampled, frames, BLOCKS)


def score_rows(
    name: str,
    values: xr.DataArray,
    resampled: xr.DataArray,
    frames: dict[str, int],
    unit: str,
) -> Iterator[dict[str, Any]]:
    """One row for each affect and metric.

    Args:
        name: of the recording, or of a summary such as `(all)`.
        values: (metric, affect) the scores.
        resampled: (resample, metric, affect) with attribute `groups`, as `bootstrap_metrics` and
            `bootstrap_mean` return it.
        frames: number of frames by affect.
        unit: what was resampled, in the plural.
    """
    low, high = intervals.percentile_interval(resampled)
    resamples, groups = resampled.sizes["resample"], resampled.attrs["groups"]
    for affect, metric in product(values["affect"].values, values["metric"].values):
        at = {"affect": affect, "metric": metric}
        count = frames[affect]
        method = intervals.interval_method(unit, groups=groups, frames=count, resamples=resamples)
        ends = [float(end.sel(at)) for end in (low, high)]
        if intervals.has_no_interval(method):
            ends = [float("nan")] * 2
        yield {
            "recording": name,
            **at,
            "value": float(values.sel(at)),
            "low": ends[0],
            "high": ends[1],
            "frames": count,
            "interval": method,
        }
