"""Colours, sizes and axes shared by the figures for print."""

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

ONE_COLUMN = 3.5  # inches, in IEEE journals
TWO_COLUMNS = 7.16

INK, INK2, HAIR = "#1c1b19", "#5f5d57", "#eae8e2"
ANNOTATION, PREDICTION = "#161514", "#d55e00"
FILL = "#b1aea5"
LOWERS, RAISES = "#1e6f9d", "#be6533"
# ten steps of Crameri's vik: perceptually uniform, safe for colour-blind readers
VIK = ("#001261", "#033e7d", "#1e6f9d", "#71a8c4", "#c9dde7",
       "#eacebd", "#d39774", "#be6533", "#8b2706", "#590008")  # fmt: skip
DIVERGING = LinearSegmentedColormap.from_list("vik", VIK)
FONT = 7.0
TICKS = (-1, -0.5, 0, 0.5, 1)
TICK_LABELS = ("−1", "−0.5", "0", "0.5", "1")


def new_figure(width: float, height: float) -> Figure:
    """An empty figure of this size in inches, not registered in pyplot."""
    figure = Figure(figsize=(width, height), dpi=300)
    FigureCanvasAgg(figure)
    return figure


def add_axes(figure: Figure, left: float, bottom: float, width: float, height: float) -> Axes:
    """Axes at a position in inches from the lower left corner."""
    full_width, full_height = figure.get_size_inches()
    axes = figure.add_axes(
        (left / full_width, bottom / full_height, width / full_width, height / full_height)
    )
    axes.tick_params(labelsize=FONT, colors=INK2, width=0.5, length=2.5)
    for edge, spine in axes.spines.items():
        spine.set_linewidth(0.5)
        spine.set_color(INK2)
        spine.set_visible(edge in ("left", "bottom"))
    return axes


def draw_affect(axes: Axes, recording: xr.Dataset, prediction: xr.DataArray, affect: str) -> None:
    """Draw annotation and prediction of one affect over time; frames without a face are hatched.

    Args:
        axes: the axes to draw on.
        recording: with `time`, `annotation` and `crop_box`.
        prediction: (frame, affect) on the same frames.
        affect: `valence` or `arousal`.
    """
    time = recording["time"].values
    has_face = recording["crop_box"].notnull().all("edge").values
    annotated = recording["annotation"].sel(affect=affect).values
    predicted = np.where(has_face, prediction.sel(affect=affect).values, np.nan)
    axes.axhline(0, color=HAIR, linewidth=0.75, zorder=0)
    axes.fill_between(
        time, -1, 1, where=~has_face, facecolor="none", edgecolor=HAIR, hatch="/////", linewidth=0,
        label="no face",
    )  # fmt: skip
    axes.plot(time, annotated, color=ANNOTATION, linewidth=0.9, label="annotation")
    axes.plot(time, predicted, color=PREDICTION, linewidth=0.9, label="prediction")
    axes.set_xlim(time[0], max(time[-1], time[0] + 1e-3))
    axes.set_ylim(-1, 1)
    axes.set_yticks(TICKS)
    axes.set_ylabel(affect, fontsize=FONT, color=INK)
    _label_lines(
        axes, {"annotation": (annotated, ANNOTATION), "prediction": (predicted, PREDICTION)}
    )


def _label_lines(axes: Axes, lines: dict[str, tuple[np.ndarray, str]]) -> None:
    """Write the name of each line at its end, with a minimum distance between the names."""
    ends = {
        name: (values[~np.isnan(values)][-1], colour)
        for name, (values, colour) in lines.items()
        if not np.isnan(values).all()
    }
    height = None
    for name, (end, colour) in sorted(ends.items(), key=lambda item: item[1][0]):
        height = end if height is None else max(end, height + 0.28)
        axes.annotate(
            name, (1, height), xycoords=("axes fraction", "data"), xytext=(3, 0),
            textcoords="offset points", va="center", fontsize=FONT, color=colour,
        )  # fmt: skip
