"""Which frames of each recording are annotated, and in which the face was found."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from affectkit.paper import style

LEFT, RIGHT, BOTTOM, TOP = 1.1, 0.6, 0.36, 0.42  # inches
ROW = 0.13
HIGHEST = 8.0  # of all rows: what a page holds
KINDS = {
    (True, True): ("annotated, face", style.LOWERS),
    (True, False): ("annotated, no face", style.PREDICTION),
    (False, True): ("face, not annotated", "#c9dde7"),
    (False, False): ("neither", style.HAIR),
}


def coverage_bars(stretches: pd.DataFrame, *, width_inches: float = style.TWO_COLUMNS) -> Figure:
    """A bar a recording over time, grouped by split; only annotated frames with a face are learnt.

    Args:
        stretches: as `describing.coverage` gives them.
        width_inches: of the whole figure.
    """
    names = stretches.drop_duplicates("recording")
    row = min(ROW, HIGHEST / len(names))
    height = row * len(names)
    figure = style.new_figure(width_inches, BOTTOM + height + TOP)
    axes = style.add_axes(figure, LEFT, BOTTOM, width_inches - LEFT - RIGHT, height)
    place = {name: number for number, name in enumerate(names["recording"])}
    for kind, (_, colour) in KINDS.items():
        _bars(axes, stretches[_is(stretches, kind)], place, colour)
    axes.set_xlim(0, max(float(stretches["end"].max()), 1e-3))
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.set_xlabel("time (s)", fontsize=style.FONT, color=style.INK)
    _name_rows(axes, names, row)
    _legend(figure, stretches, width_inches)
    return figure


def _is(stretches: pd.DataFrame, kind: tuple[bool, bool]) -> pd.Series:
    return (stretches["annotated"] == kind[0]) & (stretches["face"] == kind[1])


def _bars(axes: Axes, stretches: pd.DataFrame, place: dict[str, int], colour: str) -> None:
    axes.barh(
        stretches["recording"].map(place), stretches["end"] - stretches["start"],
        left=stretches["start"], height=0.8 if len(place) * ROW < HIGHEST else 1.0, color=colour,
        linewidth=0,
    )  # fmt: skip


def _name_rows(axes: Axes, names: pd.DataFrame, row: float) -> None:
    """Each recording's name where a line of text fits, and the splits always."""
    if row >= ROW:
        axes.set_yticks(range(len(names)), names["recording"].str.slice(0, 24))
    else:
        axes.set_yticks([])
        axes.set_ylabel(f"{len(names)} recordings", fontsize=style.FONT, color=style.INK)
    splits = names["split"].to_numpy()
    starts = np.flatnonzero(np.append(True, splits[1:] != splits[:-1]))
    for start, end in zip(starts, np.append(starts[1:], len(splits)), strict=True):
        axes.plot([1.01, 1.01], [start - 0.4, end - 0.6], color=style.INK2, linewidth=0.5,
                  transform=axes.get_yaxis_transform(), clip_on=False)  # fmt: skip
        axes.annotate(
            splits[start] or "no split", (1.01, (start + end - 1) / 2), xytext=(3, 0),
            xycoords=axes.get_yaxis_transform(), textcoords="offset points", va="center",
            fontsize=style.FONT, color=style.INK,
        )  # fmt: skip


def _legend(figure: Figure, stretches: pd.DataFrame, width: float) -> None:
    total = stretches["frames"].sum()
    patches = []
    for kind, (name, colour) in KINDS.items():
        share = stretches.loc[_is(stretches, kind), "frames"].sum() / total
        patches.append(Patch(color=colour, label=f"{name} {share:.1%}"))
    recordings = stretches["recording"].nunique()
    figure.legend(
        handles=patches, loc="upper left", bbox_to_anchor=(LEFT / width, 1.0), ncols=4,
        fontsize=style.FONT, frameon=False, handlelength=1, handleheight=0.7, borderaxespad=0.2,
        columnspacing=1.2, title=f"n = {total:,} frames of {recordings} recordings",
        title_fontsize=style.FONT, alignment="left",
    )  # fmt: skip
