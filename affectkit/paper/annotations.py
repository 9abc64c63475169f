"""Annotations over time, and behind them each rater's trace."""

from collections.abc import Sequence

import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from affectkit.paper import style
from affectkit.recording import AFFECT

LEFT, GAP, RIGHT, BOTTOM, TOP = 0.45, 0.3, 0.12, 0.36, 0.3  # inches
HEIGHT, BETWEEN = 0.6, 0.36


def annotation_traces(
    recordings: Sequence[xr.Dataset], *, width_inches: float = style.TWO_COLUMNS
) -> Figure:
    """A row a recording, valence on the left and arousal on the right; not annotated = a gap.

    Args:
        recordings: with `time` and `annotation`, and `rating` (rater, frame, affect) where there
            is one.
        width_inches: of the whole figure.
    """
    height = len(recordings) * (HEIGHT + BETWEEN)
    figure = style.new_figure(width_inches, BOTTOM + height - BETWEEN + TOP)
    width = (width_inches - LEFT - GAP - RIGHT) / 2
    for row, recording in enumerate(recordings):
        bottom = BOTTOM + height - (row + 1) * (HEIGHT + BETWEEN)
        for column, affect in enumerate(AFFECT):
            left = LEFT + column * (width + GAP)
            axes = style.add_axes(figure, left, bottom, width, HEIGHT)
            _draw(axes, recording, affect)
        _name(figure.axes[-2], recording)
    for axes, affect in zip(figure.axes[:2], AFFECT, strict=True):
        axes.set_title(affect, fontsize=style.FONT, color=style.INK, pad=3, loc="right")
    for axes in figure.axes[-2:]:
        axes.set_xlabel("time (s)", fontsize=style.FONT, color=style.INK)
    return figure


def _draw(axes: Axes, recording: xr.Dataset, affect: str) -> None:
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


def _name(axes: Axes, recording: xr.Dataset) -> None:
    valid = int(recording["annotation"].notnull().all("affect").sum())
    raters = f", {recording.sizes['rater']} raters (grey)" if "rating" in recording else ""
    words = f"{recording.attrs['recording'][:36]}, n = {valid:,} frames{raters}"
    axes.set_title(words, fontsize=style.FONT, color=style.INK2, pad=3, loc="left")


def annotation_series(recordings: Sequence[xr.Dataset]) -> pd.DataFrame:
    """What the lines show: a row a frame, to be written beside them."""
    return pd.concat([_series(recording) for recording in recordings], ignore_index=True)


def _series(recording: xr.Dataset) -> pd.DataFrame:
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
