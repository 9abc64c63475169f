"""How much subjects differ: the mean and spread of each."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from affectkit.paper import style
from affectkit.recording import AFFECT

LEFT, GAP, RIGHT, BOTTOM, TOP = 0.42, 0.25, 0.1, 0.36, 0.26  # inches
NAMES = 0.5  # more on the left where subjects are named
HEIGHT, ROW = 2.2, 0.12


def subject_dots(means: pd.DataFrame, *, width_inches: float = style.ONE_COLUMN) -> Figure:
    """A row a subject, by mean valence: a dot, and a line of one standard deviation about it.

    Args:
        means: as `describing.subject_means` gives them.
        width_inches: of the whole figure.
    """
    ordered = means.sort_values("valence_mean")
    named = len(ordered) * ROW <= HEIGHT
    edge = LEFT + NAMES if named else LEFT
    figure = style.new_figure(width_inches, BOTTOM + HEIGHT + TOP)
    width = (width_inches - edge - GAP - RIGHT) / 2
    for column, affect in enumerate(AFFECT):
        left = edge + column * (width + GAP)
        axes = style.add_axes(figure, left, BOTTOM, width, HEIGHT)
        _draw(axes, ordered, affect)
    figure.axes[0].set_ylabel("subjects, by mean valence", fontsize=style.FONT, color=style.INK)
    if named:
        figure.axes[0].set_yticks(range(len(ordered)), ordered["subject"].str.slice(0, 12))
    words = f"{len(ordered)} subjects, n = {ordered['labels'].sum():,} labels"
    figure.axes[0].set_title(words, fontsize=style.FONT, color=style.INK, loc="left", pad=5)
    return figure


def _draw(axes: Axes, ordered: pd.DataFrame, affect: str) -> None:
    centre, sd = ordered[f"{affect}_mean"], ordered[f"{affect}_sd"]
    places = range(len(ordered))
    size = max(0.8, min(3.5, 48 * HEIGHT / len(ordered)))
    axes.axvline(0, color=style.HAIR, linewidth=0.75, zorder=0)
    axes.hlines(places, centre - sd, centre + sd, color=style.FILL, linewidth=min(1.0, size / 3))
    axes.plot(centre, places, "o", color=style.INK, markersize=size, markeredgewidth=0)
    axes.set_xlim(-1, 1)
    axes.set_ylim(-1, len(ordered))
    axes.set_xticks([-1, -0.5, 0, 0.5, 1], ["−1", "−0.5", "0", "0.5", "1"])
    axes.set_yticks([])
    axes.set_xlabel(f"{affect}, mean ± sd", fontsize=style.FONT, color=style.INK)
