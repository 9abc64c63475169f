"""Density of annotation and prediction in the valence-arousal plane."""

from typing import Any

import numpy as np
import plotly.graph_objects as go
import xarray as xr
from numpy.typing import NDArray
from plotly.subplots import make_subplots
from scipy.ndimage import gaussian_filter, gaussian_filter1d

from affectkit.figures.style import Palette, apply_style, palette, tick_labels
from affectkit.statistics import affect_histogram

CELLS = 90
SMOOTHING = 3.0  # standard deviation of the Gaussian, in cells
MARGINAL_SMOOTHING = 2.0
ANNOTATION_SHARES = (0.25, 0.5, 0.75, 0.95)  # shares of frames inside the filled areas
PREDICTION_SHARES = (0.5, 0.95)

Grid = NDArray[np.float64]


def affect_density(
    annotation: xr.DataArray, prediction: xr.DataArray, *, dark: bool = False
) -> go.Figure:
    """Areas that contain given shares of the frames: annotation filled, prediction outlined.

    Args:
        annotation: (frame, affect); frames with NaN are left out.
        prediction: (frame, affect), not necessarily of the same frames.
        dark: use the dark palette.
    """
    colours = palette(dark)
    figure = make_subplots(
        2, 2, shared_xaxes=True, shared_yaxes=True, column_widths=[0.87, 0.13],
        row_heights=[0.13, 0.87], horizontal_spacing=0.015, vertical_spacing=0.015,
    )  # fmt: skip
    signals = {"annotation": _valid_values(annotation), "prediction": _valid_values(prediction)}
    if len(signals["annotation"]):
        _add_areas(figure, signals["annotation"], colours)
    if len(signals["prediction"]):
        _add_outlines(figure, signals["prediction"], colours)
    for name, values in signals.items():
        if len(values):
            _add_marginals(figure, values, name, getattr(colours, name))
    apply_style(figure, colours, width=322, height=318)
    _style_axes(figure, colours)
    _add_labels(figure, colours, annotated=bool(len(signals["annotation"])))
    figure.update_layout(margin={"l": 44, "r": 2, "t": 2, "b": 38})
    return figure


def _valid_values(signal: xr.DataArray) -> Grid:
    values = signal.transpose("frame", "affect").values.astype(np.float64)
    valid: Grid = values[np.isfinite(values).all(axis=1)]
    return valid


def enclosed_share(values: Grid) -> xr.DataArray:
    """For each cell (arousal, valence), the share of frames in cells that are at least as dense."""
    histogram = affect_histogram(values, CELLS).transpose("arousal", "valence")
    counts = histogram.values.astype(np.float64)
    density = gaussian_filter(counts, SMOOTHING)
    order = np.argsort(density, axis=None)[::-1]
    share = np.empty(density.size)
    share[order] = np.cumsum(counts.ravel()[order]) / len(values)
    return histogram.copy(data=share.reshape(density.shape))


def _contour(values: Grid, shares: tuple[float, ...]) -> dict[str, Any]:
    """Arguments of a contour trace at these shares.

    The shares are mapped to 1, 2, 3, ..., since plotly only draws contours at equal distances.
    """
    share = enclosed_share(values)
    return {
        "z": np.interp(share.values, [0, *shares, 1], range(len(shares) + 2)),
        "x": share["valence"].values,
        "y": share["arousal"].values,
        "contours": {"start": 1, "end": len(shares), "size": 1},
        "showscale": False,
        "hoverinfo": "skip",
        "row": 2,
        "col": 1,
    }


def _add_areas(figure: go.Figure, values: Grid, colours: Palette) -> None:
    bands = [*reversed(colours.grey), colours.paper]
    scale = [(step / len(ANNOTATION_SHARES), band) for step, band in enumerate(bands)]
    contour = _contour(values, ANNOTATION_SHARES)
    figure.add_contour(name="annotation", colorscale=scale, line={"width": 0}, **contour)


def _add_outlines(figure: go.Figure, values: Grid, colours: Palette) -> None:
    contour = _contour(values, PREDICTION_SHARES)
    contour["contours"] |= {"coloring": "none"}
    line = {"color": colours.prediction, "width": 1.5}
    figure.add_contour(name="prediction", line=line, **contour)


def _add_marginals(figure: go.Figure, values: Grid, name: str, colour: str) -> None:
    histogram = affect_histogram(values, CELLS)
    style = {"mode": "lines", "line": {"color": colour, "width": 1.25}, "hoverinfo": "skip"}
    for affect, other in (("valence", "arousal"), ("arousal", "valence")):
        share = histogram.sum(other).values / len(values)
        centres, smooth = histogram[affect].values, gaussian_filter1d(share, MARGINAL_SMOOTHING)
        if affect == "valence":
            figure.add_scatter(x=centres, y=smooth, row=1, col=1, name=name, **style)
        else:
            figure.add_scatter(x=smooth, y=centres, row=2, col=2, name=name, **style)


def _style_axes(figure: go.Figure, colours: Palette) -> None:
    plane = {"range": [-1, 1], "showgrid": False, **tick_labels(-1, -0.5, 0, 0.5, 1)}
    frame = {"showline": True, "mirror": True, "linecolor": colours.rule}
    figure.update_xaxes(**plane, **frame, title=_axis_title("valence", colours), row=2, col=1)
    figure.update_yaxes(**plane, **frame, title=_axis_title("arousal", colours), row=2, col=1)
    hidden = {"visible": False}
    figure.update_xaxes(range=[-1, 1], **hidden, row=1, col=1)
    figure.update_yaxes(rangemode="tozero", **hidden, row=1, col=1)
    figure.update_yaxes(range=[-1, 1], **hidden, row=2, col=2)
    figure.update_xaxes(rangemode="tozero", **hidden, row=2, col=2)
    for add_line in (figure.add_hline, figure.add_vline):
        add_line(0, line={"color": colours.ink3, "width": 0.75}, row=2, col=1)


def _axis_title(text: str, colours: Palette) -> dict[str, Any]:
    return {"text": text, "standoff": 4, "font": {"size": 11.5, "color": colours.ink}}


def _add_labels(figure: go.Figure, colours: Palette, *, annotated: bool) -> None:
    label = {
        "x": -0.97,
        "xanchor": "left",
        "showarrow": False,
        "bgcolor": colours.paper,
        "borderpad": 1,
        "row": 2,
        "col": 1,
    }
    if annotated:
        figure.add_annotation(
            text="annotation: 25, 50, 75, 95 % of frames", y=0.93, font_color=colours.ink, **label
        )
    figure.add_annotation(
        text="prediction: 50 and 95 % of frames",
        y=-0.93,
        font_color=colours.prediction_text,
        **label,
    )
