"""What the pages show in tables, from recordings, predictions and scores; no Streamlit here."""

from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

POINTS = 80  # of the little line of error over time
WIDE = {
    "CCC V": ("ccc", "valence"), "CCC A": ("ccc", "arousal"), "RMSE V": ("rmse", "valence"),
    "RMSE A": ("rmse", "arousal"), "bias V": ("bias", "valence"),
}  # fmt: skip


def recording_row(recording: xr.Dataset, prediction: xr.Dataset, split: str) -> dict[str, Any]:
    """What the overview says of a recording, but its scores."""
    return {
        "recording": str(prediction.attrs["recording"]),
        "split": split,
        "subject": str(recording.attrs["subject"]),
        "frames": recording.sizes["frame"],
        "no face %": 100 * float(1 - recording["detected"].mean()),
        "error over time": error_line(recording, prediction),
    }


def error_line(recording: xr.Dataset, prediction: xr.Dataset) -> list[float]:
    """Mean distance of prediction and annotation in the plane, at most `POINTS` means over time."""
    squared = (prediction["prediction"] - recording["annotation"]) ** 2
    distance = squared.sum("affect", skipna=False).values ** 0.5
    if not np.isfinite(distance).any():
        return []
    parts = np.array_split(distance, min(POINTS, len(distance)))
    means = [float(np.nanmean(part)) if np.isfinite(part).any() else np.nan for part in parts]
    return [float(value) for value in pd.Series(means).interpolate(limit_direction="both")]


def worst_first(rows: list[dict[str, Any]], scores: pd.DataFrame) -> pd.DataFrame:
    """Rows with their scores, by the mean of both RMSE; recordings without scores come last."""
    table = pd.DataFrame(rows)
    for column, (metric, affect) in WIDE.items():
        chosen = scores[scores["metric"].eq(metric) & scores["affect"].eq(affect)]
        table[column] = table["recording"].map(chosen.set_index("recording")["value"])
    level = table[["RMSE V", "RMSE A"]].mean(axis=1)
    columns = ["recording", "split", "subject", "frames", "no face %", *WIDE, "error over time"]
    order = level.sort_values(ascending=False, na_position="last", kind="stable").index
    return table.reindex(index=order, columns=columns)


def for_dots(scores: pd.DataFrame, table: pd.DataFrame) -> pd.DataFrame:
    """Scores in the order of the table, and those of all frames where they are of one split."""
    order = {name: place for place, name in enumerate(table["recording"])}
    if scores["split"].nunique() == 1:
        order["(all)"] = len(order)
    return scores[scores["recording"].isin(order)].sort_values(
        "recording", key=lambda names: names.map(order), kind="stable"
    )


def place_of(scores: pd.DataFrame, split: str, recording: str) -> tuple[int, int] | None:
    """Which in the order worst first (from 1), of how many in the split; None without scores."""
    rows = scores[scores["split"].eq(split) & scores["metric"].eq("rmse")]
    rows = rows[rows["affect"].ne("mean") & ~rows["recording"].str.startswith("(")]
    order = list(rows.groupby("recording")["value"].mean().sort_values(ascending=False).index)
    return (order.index(recording) + 1, len(order)) if recording in order else None


def level(scores: pd.DataFrame) -> float:
    """Mean pooled CCC over splits and both targets, -1 without scores: runs are ordered by it."""
    rows = scores[scores["recording"].eq("(all)") & scores["metric"].eq("ccc")]
    mean = rows.loc[rows["affect"].ne("mean"), "value"].mean()
    return float(mean) if pd.notna(mean) else -1.0


def split_of(contract: dict[str, Any], recording: str) -> str:
    """The split of a recording in the run, '–' where the run does not know it."""
    splits = contract.get("splits", {})
    return next((name for name, names in splits.items() if recording in names), "–")


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
