"""Annotated against predicted affect over time."""

import pandas as pd
import xarray as xr
from matplotlib.figure import Figure

from affectkit.metrics import ccc
from affectkit.paper import style


def traces(
    recording: xr.Dataset, prediction: xr.Dataset, *, width_inches: float = style.TWO_COLUMNS
) -> Figure:
    """Valence above arousal, annotation and prediction in each, with the CCC.

    Args:
        recording: with `annotation` and `crop_box`.
        prediction: `prediction` (frame, affect) on the same frames.
        width_inches: of the whole figure.

    Raises:
        xarray.AlignmentError: the two do not share exactly the same frames.
    """
    predicted = aligned(recording, prediction)
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


def aligned(recording: xr.Dataset, prediction: xr.Dataset) -> xr.DataArray:
    """`prediction` (frame, affect), with the recording's own times.

    Raises:
        xarray.AlignmentError: the two do not share exactly the same frames.
    """
    bare = prediction["prediction"].drop_vars("time", errors="ignore")
    return xr.align(recording["annotation"], bare, join="exact")[1]


def series(recording: xr.Dataset, prediction: xr.Dataset) -> pd.DataFrame:
    """What the lines of the figures show: a row a frame, to be written beside them."""
    predicted = aligned(recording, prediction)
    columns = {"frame": recording["frame"].values, "time": recording["time"].values}
    for affect in recording["affect"].values:
        columns[f"{affect}_annotation"] = recording["annotation"].sel(affect=affect).values
        columns[f"{affect}_prediction"] = predicted.sel(affect=affect).values
    return pd.DataFrame(columns)
