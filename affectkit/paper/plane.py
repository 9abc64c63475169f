"""How the labels of a dataset lie in the valence-arousal plane."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LinearSegmentedColormap, LogNorm
from matplotlib.figure import Figure

from affectkit.paper import style

# the blue half of Crameri's vik, light to dark: it keeps its order in grey print
SEQUENTIAL = LinearSegmentedColormap.from_list("blues", style.VIK[4::-1])
LEFT, BOTTOM, MARGIN, GAP, BAR = 0.46, 0.36, 0.36, 0.04, 0.08  # inches


def density(
    cells: pd.DataFrame, *, unit: str = "frames", width_inches: float = style.ONE_COLUMN
) -> Figure:
    """A two-dimensional histogram, with those of valence above and of arousal beside it.

    The scale is logarithmic, since most labels of every dataset lie near the middle; white cells
    hold none.

    Args:
        cells: as `describing.affect_cells` gives them.
        unit: what is labelled: `frames`, `samples` or `clips`.
        width_inches: of the whole figure.
    """
    counts = cells.pivot(index="arousal", columns="valence", values="labels")
    side = width_inches - LEFT - GAP - MARGIN - 0.66
    figure = style.new_figure(width_inches, BOTTOM + side + GAP + MARGIN + 0.2)
    norm = LogNorm(1, max(2, counts.to_numpy().max()))
    axes = style.add_axes(figure, LEFT, BOTTOM, side, side)
    axes.imshow(
        counts.where(counts > 0), cmap=SEQUENTIAL, norm=norm, origin="lower",
        extent=(-1, 1, -1, 1), interpolation="nearest",
    )  # fmt: skip
    _dress(axes)
    above = style.add_axes(figure, LEFT, BOTTOM + side + GAP, side, MARGIN)
    _steps(above, counts.sum(axis=0), "vertical")
    beside = style.add_axes(figure, LEFT + side + GAP, BOTTOM, MARGIN, side)
    _steps(beside, counts.sum(axis=1), "horizontal")
    bar = style.add_axes(figure, LEFT + side + GAP + MARGIN + 0.12, BOTTOM, BAR, side)
    _scale(figure, bar, ScalarMappable(norm, SEQUENTIAL), f"{unit} in a cell")
    above.set_title(
        f"n = {counts.to_numpy().sum():,} {unit}", fontsize=style.FONT, color=style.INK, pad=3
    )
    return figure


def _dress(axes: Axes) -> None:
    ticks = [-1, -0.5, 0, 0.5, 1]
    axes.set_xticks(ticks, ["−1", "−0.5", "0", "0.5", "1"])
    axes.set_yticks(ticks, ["−1", "−0.5", "0", "0.5", "1"])
    axes.set_xlabel("valence", fontsize=style.FONT, color=style.INK, labelpad=2)
    axes.set_ylabel("arousal", fontsize=style.FONT, color=style.INK, labelpad=0)
    axes.axhline(0, color=style.INK2, linewidth=0.3)
    axes.axvline(0, color=style.INK2, linewidth=0.3)
    for spine in axes.spines.values():
        spine.set_visible(True)


def _steps(axes: Axes, counts: pd.Series, orientation: str) -> None:
    """A histogram along one axis of the plane; its heights only compare with each other."""
    values, width = counts.to_numpy(), 2 / len(counts)
    if orientation == "vertical":
        axes.bar(counts.index, values, width=width, color=style.FILL)
        axes.set_xlim(-1, 1)
    else:
        axes.barh(counts.index, values, height=width, color=style.FILL)
        axes.set_ylim(-1, 1)
    axes.set_axis_off()


def _scale(figure: Figure, axes: Axes, shown: ScalarMappable, title: str) -> None:
    bar = figure.colorbar(shown, cax=axes)
    bar.ax.tick_params(labelsize=style.FONT - 1, colors=style.INK2, width=0.5, length=2)
    bar.ax.minorticks_off()
    bar.ax.yaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    bar.outline.set_linewidth(0.5)
    bar.set_label(title, fontsize=style.FONT, color=style.INK, labelpad=2)
