"""A dataset at a glance: where its labels lie, whose they are, and which frames have none."""

from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from affectkit.figures.style import Palette, dress, palette, ticks
from affectkit.recording import AFFECT

ROW = 15  # px, where recordings are named
HIGHEST = 900
NAMED = 50  # recordings at most
MARGIN = {"l": 44, "r": 12, "t": 26, "b": 46}


def label_density(cells: pd.DataFrame, *, dark: bool = False) -> go.Figure:
    """The valence-arousal plane as a two-dimensional histogram on a logarithmic scale.

    Args:
        cells: as `describing.affect_cells` gives them.
        dark: for dark paper.
    """
    colours = palette(dark)
    counts = cells.pivot(index="arousal", columns="valence", values="labels")
    figure = go.Figure()
    top = float(np.log10(max(10, counts.to_numpy().max())))
    powers = list(range(int(top) + 1))
    figure.add_heatmap(
        z=np.log10(counts.where(counts > 0)), x=counts.columns, y=counts.index, zmin=0, zmax=top,
        customdata=counts, colorscale=_scale(colours), name="labels",
        hovertemplate="valence %{x:.2f}, arousal %{y:.2f}: %{customdata:,}<extra></extra>",
        colorbar={"title": "labels", "thickness": 10, "outlinewidth": 0, "tickvals": powers,
                  "ticktext": [f"{10**power:,}" for power in powers]},
    )  # fmt: skip
    dress(figure, colours, width=390, height=340)
    plane = {"range": [-1, 1], "showgrid": False, **ticks(-1, -0.5, 0, 0.5, 1)}
    figure.update_xaxes(title=_title("valence", colours), **plane)
    figure.update_yaxes(title=_title("arousal", colours), scaleanchor="x", **plane)
    for add in (figure.add_hline, figure.add_vline):
        add(0, line={"color": colours.ink3, "width": 0.75})
    return _entitle(figure, f"n = {counts.to_numpy().sum():,} labels")


def _scale(colours: Palette) -> list[tuple[float, str]]:
    steps = [*colours.grey, colours.annotation]
    return [(number / (len(steps) - 1), step) for number, step in enumerate(steps)]


def coverage_bars(stretches: pd.DataFrame, *, dark: bool = False) -> go.Figure:
    """A bar a recording over time: which frames are annotated, in which the face was found.

    Args:
        stretches: as `describing.coverage` gives them.
        dark: for dark paper.
    """
    colours = palette(dark)
    names = stretches["recording"].drop_duplicates().tolist()
    place = {name: number for number, name in enumerate(names)}
    kinds = {
        ("annotated, face", True, True): colours.second,
        ("annotated, no face", True, False): colours.prediction,
        ("face, not annotated", False, True): colours.grey[1],
        ("neither", False, False): colours.hair,
    }
    figure = go.Figure()
    total = stretches["frames"].sum()
    for (kind, annotated, face), colour in kinds.items():
        rows = stretches[(stretches["annotated"] == annotated) & (stretches["face"] == face)]
        figure.add_bar(
            x=rows["end"] - rows["start"], base=rows["start"], y=rows["recording"].map(place),
            orientation="h", width=0.85, marker={"color": colour, "line": {"width": 0}},
            customdata=rows, name=f"{kind} {rows['frames'].sum() / total:.1%}",
            hovertemplate=f"%{{customdata[0]}}: %{{customdata[4]}} frames {kind}<extra></extra>",
        )  # fmt: skip
    height = min(HIGHEST, 90 + ROW * len(names))
    dress(figure, colours, width=760, height=height)
    legend = {"orientation": "h", "y": 1.0, "yanchor": "bottom", "x": 0, "font": {"size": 10.5}}
    figure.update_layout(barmode="overlay", showlegend=True, legend=legend)
    words = f"time (s), n = {total:,} frames of {len(names)} recordings"
    figure.update_xaxes(title=_title(words, colours), rangemode="tozero")
    named = len(names) <= NAMED
    figure.update_yaxes(
        range=[len(names) - 0.5, -0.5], showgrid=False, tickvals=list(place.values()),
        ticktext=[name[:24].replace("<", "&lt;") for name in names], showticklabels=named,
    )  # fmt: skip
    figure.update_layout(margin=MARGIN | {"l": 150 if named else 30})
    return figure


def subject_dots(means: pd.DataFrame, *, dark: bool = False) -> go.Figure:
    """A row a subject, by mean valence: a dot, and a line of one standard deviation about it.

    Args:
        means: as `describing.subject_means` gives them.
        dark: for dark paper.
    """
    colours = palette(dark)
    ordered = means.sort_values("valence_mean")
    figure = make_subplots(1, 2, shared_yaxes=True, horizontal_spacing=0.06)
    for column, affect in enumerate(AFFECT, start=1):
        error = {"array": ordered[f"{affect}_sd"], "color": colours.grey[2], "width": 0}
        figure.add_scatter(
            x=ordered[f"{affect}_mean"], y=list(range(len(ordered))), mode="markers",
            marker={"color": colours.ink, "size": 4}, error_x=error | {"thickness": 1},
            text=[str(subject).replace("<", "&lt;") for subject in ordered["subject"]],
            hovertemplate="%{text}: %{x:.2f}<extra></extra>", name=affect, row=1, col=column,
        )  # fmt: skip
    dress(figure, colours, width=560, height=340)
    for column, affect in enumerate(AFFECT, start=1):
        spread = {"range": [-1, 1], **ticks(-1, -0.5, 0, 0.5, 1)}
        figure.update_xaxes(
            title=_title(f"{affect}, mean ± sd", colours), **spread, row=1, col=column
        )
    figure.update_yaxes(showticklabels=False, showgrid=False)
    figure.update_yaxes(title=_title("subjects, by mean valence", colours), row=1, col=1)
    return _entitle(figure, f"{len(means)} subjects, n = {means['labels'].sum():,} labels")


def _title(text: str, colours: Palette) -> dict[str, Any]:
    return {"text": text, "standoff": 4, "font": {"size": 11.5, "color": colours.ink}}


def _entitle(figure: go.Figure, text: str) -> go.Figure:
    figure.update_layout(margin=MARGIN)
    figure.add_annotation(
        text=text, x=0, y=1, xref="paper", yref="paper", yanchor="bottom", xanchor="left",
        showarrow=False,
    )  # fmt: skip
    return figure
