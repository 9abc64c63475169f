"""Tables of the pages, computed from recordings, predictions and scores; without Streamlit."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from affectkit.evaluation.scores import SUMMARIES

UNKNOWN_SPLIT = "–"  # of a recording that is in no split of the run
POINTS = 80  # of the small line chart of the error over time
SCORE_COLUMNS = {  # metric and affect of each column
    "CCC V": ("ccc", "valence"), "CCC A": ("ccc", "arousal"), "RMSE V": ("rmse", "valence"),
    "RMSE A": ("rmse", "arousal"), "bias V": ("bias", "valence"),
}  # fmt: skip


def recording_row(recording: xr.Dataset, prediction: xr.Dataset, split: str) -> dict[str, Any]:
    """One row of the overview table, without scores."""
    return {
        "recording": str(prediction.attrs["recording"]),
        "split": split,
        "subject": str(recording.attrs["subject"]),
        "frames": recording.sizes["frame"],
        "no face %": 100 * float(1 - recording["detected"].mean()),
        "error over time": error_over_time(recording, prediction),
    }


def error_over_time(recording: xr.Dataset, prediction: xr.Dataset) -> list[float]:
    """Distance of prediction and annotation in the valence-arousal plane, as `POINTS` means.

    Frames without annotation are interpolated; a recording without annotation gives no points.
    """
    squared = (prediction["prediction"] - recording["annotation"]) ** 2
    distance = squared.sum("affect", skipna=False).values ** 0.5
    if not np.isfinite(distance).any():
        return []
    parts = np.array_split(distance, min(POINTS, len(distance)))
    means = [float(np.nanmean(part)) if np.isfinite(part).any() else np.nan for part in parts]
    return [float(value) for value in pd.Series(means).interpolate(limit_direction="both")]


def overview_table(rows: list[dict[str, Any]], scores: pd.DataFrame) -> pd.DataFrame:
    """Rows with their scores, highest mean of both RMSE first; rows without scores come last."""
    table = pd.DataFrame(rows)
    for column, (metric, affect) in SCORE_COLUMNS.items():
        chosen = scores[scores["metric"].eq(metric) & scores["affect"].eq(affect)]
        table[column] = table["recording"].map(chosen.set_index("recording")["value"])
    error = table[["RMSE V", "RMSE A"]].mean(axis=1)
    columns = [
        "recording", "split", "subject", "frames", "no face %", *SCORE_COLUMNS, "error over time",
    ]  # fmt: skip
    order = error.sort_values(ascending=False, na_position="last", kind="stable").index
    return table.reindex(index=order, columns=columns)


def in_table_order(scores: pd.DataFrame, table: pd.DataFrame) -> pd.DataFrame:
    """Scores in the order of the table, pooled scores last; those only if there is one split."""
    order = {name: position for position, name in enumerate(table["recording"])}
    if scores["split"].nunique() == 1:
        order["(all)"] = len(order)
    return scores[scores["recording"].isin(order)].sort_values(
        "recording", key=lambda names: names.map(order), kind="stable"
    )


def error_rank(scores: pd.DataFrame, split: str, recording: str) -> tuple[int, int] | None:
    """Rank of a recording by RMSE, 1 for the highest, and number of recordings in the split.

    None without scores.
    """
    rows = scores[scores["split"].eq(split) & scores["metric"].eq("rmse")]
    rows = rows[rows["affect"].ne("mean") & ~rows["recording"].isin(SUMMARIES)]
    order = list(rows.groupby("recording")["value"].mean().sort_values(ascending=False).index)
    return (order.index(recording) + 1, len(order)) if recording in order else None


def mean_pooled_ccc(scores: pd.DataFrame) -> float:
    """Mean pooled CCC over splits and both targets; -1 without scores."""
    rows = scores[scores["recording"].eq("(all)") & scores["metric"].eq("ccc")]
    mean = rows.loc[rows["affect"].ne("mean"), "value"].mean()
    return float(mean) if pd.notna(mean) else -1.0


def split_of(metadata: Mapping[str, Any], recording: str) -> str:
    """The split of a recording in the run, or `UNKNOWN_SPLIT`."""
    splits = metadata.get("splits", {})
    return next((name for name, names in splits.items() if recording in names), UNKNOWN_SPLIT)


def score(
    scores: pd.DataFrame, split: str, recording: str, affect: str, *, metric: str = "ccc"
) -> dict[str, Any] | None:
    """One row of scores.csv, or None."""
    rows = scores[
        scores["split"].eq(split)
        & scores["recording"].eq(recording)
        & scores["affect"].eq(affect)
        & scores["metric"].eq(metric)
        & scores["value"].notna()
    ]
    return None if rows.empty else {str(k): v for k, v in rows.iloc[0].items()}
