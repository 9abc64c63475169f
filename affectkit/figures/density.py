"""Where the values lie in the valence-arousal plane."""

from typing import Any

import numpy as np
import plotly.graph_objects as go
import xarray as xr
from numpy.typing import NDArray
from plotly.subplots import make_subplots
from scipy.ndimage import gaussian_filter, gaussian_filter1d

from affectkit.figures.style import Palette, dress, palette, ticks

CELLS = 90
SMOOTH = 3.0  # cells
FILLED = (0.25, 0.5, 0.75, 0.95)  # shares of frames inside the areas of the annotation
OUTLINED = (0.5, 0.95)

Grid = NDArray[np.float64]


def affect_density(
    annotation: xr.DataArray, prediction: xr.DataArray, *, dark: bool = False
) -> go.Figure:
    """Areas that hold given shares of the frames: annotation filled, prediction outlined.

    Args:
        annotation: (frame, affect); frames with NaN are left out.
        prediction: (frame, affect), not necessarily of the same frames.
        dark: for dark paper.
    """
    colours = palette(dark)
    figure = make_subplots(
        2, 2, shared_xaxes=True, shared_yaxes=True, column_widths=[0.87, 0.13],
        row_heights=[0.13, 0.87], horizontal_spacing=0.015, vertical_spacing=0.015,
    )  # fmt: skip
    signals = {"annotation": _values(annotation), "prediction": _values(prediction)}
    if len(signals["annotation"]):
        _areas(figure, signals["annotation"], colours)
    if len(signals["prediction"]):
        _outlines(figure, signals["prediction"], colours)
    for name, values in signals.items():
        _margins(figure, values, name, getattr(colours, name))
    dress(figure, colours, width=322, height=318)
    _axes(figure, colours)
    _words(figure, colours, bool(len(signals["annotation"])))
    figure.update_layout(margin={"l": 44, "r": 2, "t": 2, "b": 38})
    return figure


def _values(signal: xr.DataArray) -> Grid:
    values = signal.transpose("frame", "affect").values.astype(np.float64)
    kept: Grid = values[np.isfinite(values).all(axis=1)]
    return kept


def _mass(values: Grid) -> Grid:
    """For each cell (arousal, valence): the share of frames in cells that are at least as dense."""
    edges = np.linspace(-1, 1, CELLS + 1)
    counts = np.histogram2d(values[:, 1], values[:, 0], bins=(edges, edges))[0]
    density = gaussian_filter(counts, SMOOTH)
    order = np.argsort(density, axis=None)[::-1]
    mass = np.empty(density.size)
    mass[order] = np.cumsum(counts.ravel()[order]) / len(values)
    return mass.reshape(density.shape)


def _steps(mass: Grid, levels: tuple[float, ...]) -> Grid:
    """Levels become 1, 2, 3, ...: plotly draws contours at equal distances only."""
    steps: Grid = np.interp(mass, [0, *levels, 1], range(len(levels) + 2))
    return steps


def _centres() -> Grid:
    return (np.arange(CELLS) + 0.5) / CELLS * 2 - 1


def _areas(figure: go.Figure, values: Grid, colours: Palette) -> None:
    count = len(FILLED)
    bands = [*reversed(colours.grey), colours.paper]
    scale = [(step / count, band) for step, band in enumerate(bands)]
    figure.add_contour(
        z=_steps(_mass(values), FILLED), x=_centres(), y=_centres(), colorscale=scale,
        contours={"start": 1, "end": count, "size": 1}, line={"width": 0},
        showscale=False, hoverinfo="skip", name="annotation", row=2, col=1,
    )  # fmt: skip


def _outlines(figure: go.Figure, values: Grid, colours: Palette) -> None:
    count = len(OUTLINED)
    figure.add_contour(
        z=_steps(_mass(values), OUTLINED), x=_centres(), y=_centres(), showscale=False,
        contours={"start": 1, "end": count, "size": 1, "coloring": "none"},
        line={"color": colours.prediction, "width": 1.5}, hoverinfo="skip", name="prediction",
        row=2, col=1,
    )  # fmt: skip


def _margins(figure: go.Figure, values: Grid, name: str, colour: str) -> None:
    if not len(values):
        return
    style = {"mode": "lines", "line": {"color": colour, "width": 1.25}, "hoverinfo": "skip"}
    for axis in (0, 1):
        counts = np.histogram(values[:, axis], bins=np.linspace(-1, 1, CELLS + 1))[0]
        level = gaussian_filter1d(counts / len(values), 2.0)
        if axis == 0:
            figure.add_scatter(x=_centres(), y=level, row=1, col=1, name=name, **style)
        else:
            figure.add_scatter(x=level, y=_centres(), row=2, col=2, name=name, **style)


def _axes(figure: go.Figure, colours: Palette) -> None:
    plane = {"range": [-1, 1], "showgrid": False, **ticks(-1, -0.5, 0, 0.5, 1)}
    frame = {"showline": True, "mirror": True, "linecolor": colours.rule}
    figure.update_xaxes(**plane, **frame, title=_title("valence", colours), row=2, col=1)
    figure.update_yaxes(**plane, **frame, title=_title("arousal", colours), row=2, col=1)
    bare = {"visible": False}
    figure.update_xaxes(range=[-1, 1], **bare, row=1, col=1)
    figure.update_yaxes(rangemode="tozero", **bare, row=1, col=1)
    figure.update_yaxes(range=[-1, 1], **bare, row=2, col=2)
    figure.update_xaxes(rangemode="tozero", **bare, row=2, col=2)
    for add in (figure.add_hline, figure.add_vline):
        add(0, line={"color": colours.ink3, "width": 0.75}, row=2, col=1)


def _title(text: str, colours: Palette) -> dict[str, Any]:
    return {"text": text, "standoff": 4, "font": {"size": 11.5, "color": colours.ink}}


def _words(figure: go.Figure, colours: Palette, annotated: bool) -> None:
    text = {
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
            text="annotation: 25, 50, 75, 95 % of frames", y=0.93, font_color=colours.ink, **text
        )
    figure.add_annotation(
        text="prediction: 50 and 95 % of frames",
        y=-0.93,
        font_color=colours.prediction_text,
        **text,
    )
