"""Figures of affect over time: predictions against annotations, and annotations with ratings."""

from collections.abc import Sequence

import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from affectkit.metrics import ccc
from affectkit.paper import style
from affectkit.recording import AFFECT


def affect_traces(
    recording: xr.Dataset, prediction: xr.Dataset, *, width_inches: float = style.TWO_COLUMNS
) -> Figure:
    """Annotation and prediction over time, with the CCC: valence above arousal.

    Args:
        recording: with `annotation` and `crop_box`.
        prediction: `prediction` (frame, affect) on the same frames.
        width_inches: of the whole figure.

    Raises:
        xarray.AlignmentError: recording and prediction have different frames.
    """
    predicted = align_prediction(recording, prediction)
    figure = style.new_figure(width_inches, 2.85)
    scores = ccc(recording["annotation"], predicted, "frame")
    for row, affect in enumerate(recording["affect"].values):
        bottom = 1.65 - 1.3 * row
        axes = style.add_axes(figure, 0.5, bottom, width_inches - 1.15, 1.0)
        style.draw_affect(axes, recording, predicted, affect)
        score = float(scores.sel(affect=affect))
        title = f"CCC {score:.3f}" if score == score else "not annotated"
        axes.set_title(title, fontsize=style.FONT, color=style.INK2, loc="right", pad=2)
    figure.axes[-1].set_xlabel("time (s)", fontsize=style.FONT, color=style.INK)
    return figure


def align_prediction(recording: xr.Dataset, prediction: xr.Dataset) -> xr.DataArray:
    """`prediction` (frame, affect) with the time stamps of the recording.

    Raises:
        xarray.AlignmentError: recording and prediction have different frames.
    """
    bare = prediction["prediction"].drop_vars("time", errors="ignore")
    return xr.align(recording["annotation"], bare, join="exact")[1]


def traces_table(recording: xr.Dataset, prediction: xr.Dataset) -> pd.DataFrame:
    """The numbers of `affect_traces` and `film_strip`: one row for each frame.

    Raises:
        xarray.AlignmentError: recording and prediction have different frames.
    """
    predicted = align_prediction(recording, prediction)
    columns = {"frame": recording["frame"].values, "time": recording["time"].values}
    for affect in recording["affect"].values:
        columns[f"{affect}_annotation"] = recording["annotation"].sel(affect=affect).values
        columns[f"{affect}_prediction"] = predicted.sel(affect=affect).values
    return pd.DataFrame(columns)


def annotation_traces(
    recordings: Sequence[xr.Dataset], *, width_inches: float = style.TWO_COLUMNS
) -> Figure:
    """Annotations over time, with the ratings in grey: valence on the left, arousal on the right.

    One row for each recording; gaps where frames are not annotated.

    Args:
        recordings: with `time` and `annotation`, and optionally `rating` (rater, frame, affect).
        width_inches: of the whole figure.
    """
    left, gap, right, bottom, top = 0.45, 0.3, 0.12, 0.36, 0.3  # inches
    row_height, row_gap = 0.6, 0.36
    height = len(recordings) * (row_height + row_gap)
    figure = style.new_figure(width_inches, bottom + height - row_gap + top)
    width = (width_inches - left - gap - right) / 2
    for row, recording in enumerate(recordings):
        row_bottom = bottom + height - (row + 1) * (row_height + row_gap)
        for column, affect in enumerate(AFFECT):
            column_left = left + column * (width + gap)
            axes = style.add_axes(figure, column_left, row_bottom, width, row_height)
            _draw_annotation(axes, recording, affect)
        _label_recording(figure.axes[-2], recording)
    for axes, affect in zip(figure.axes[:2], AFFECT, strict=True):
        axes.set_title(affect, fontsize=style.FONT, color=style.INK, pad=3, loc="right")
    for axes in figure.axes[-2:]:
        axes.set_xlabel("time (s)", fontsize=style.FONT, color=style.INK)
    return figure


def _draw_annotation(axes: Axes, recording: xr.Dataset, affect: str) -> None:
    time = recording["time"].values
    axes.axhline(0, color=style.HAIR, linewidth=0.75, zorder=0)
    if "rating" in recording:
        for trace in recording["rating"].sel(affect=affect).transpose("rater", "frame").values:
            axes.plot(time, trace, color=style.FILL, linewidth=0.4, label="rating")
    values = recording["annotation"].sel(affect=affect).values
    axes.plot(time, values, color=style.ANNOTATION, linewidth=0.9, label="annotation")
    axes.set_xlim(time[0], max(time[-1], time[0] + 1e-3))
    axes.set_ylim(-1, 1)
    axes.set_yticks([-1, 0, 1], ["−1", "0", "1"])


def _label_recording(axes: Axes, recording: xr.Dataset) -> None:
    annotated = int(recording["annotation"].notnull().all("affect").sum())
    raters = f", {recording.sizes['rater']} raters (grey)" if "rating" in recording else ""
    title = f"{recording.attrs['recording'][:36]}, n = {annotated:,} frames{raters}"
    axes.set_title(title, fontsize=style.FONT, color=style.INK2, pad=3, loc="left")


def annotation_traces_table(recordings: Sequence[xr.Dataset]) -> pd.DataFrame:
    """The numbers of `annotation_traces`: one row for each frame of each recording."""
    return pd.concat([_annotation_table(recording) for recording in recordings], ignore_index=True)


def _annotation_table(recording: xr.Dataset) -> pd.DataFrame:
    columns = {
        "recording": recording.attrs["recording"],
        "frame": recording["frame"].values,
        "time": recording["time"].values,
    }
    for affect in AFFECT:
        columns[affect] = recording["annotation"].sel(affect=affect).values
        for number in range(recording.sizes["rater"] if "rating" in recording else 0):
            trace = recording["rating"].isel(rater=number).sel(affect=affect)
            columns[f"{affect}_rating_{number + 1}"] = trace.values
    return pd.DataFrame(columns)
