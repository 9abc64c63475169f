"""CCC of each recording with its interval, for one run or two."""

import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from affectkit.evaluation.scores import POOLED, SUMMARIES
from affectkit.figures.style import Palette, apply_style, format_number, palette, tick_labels
from affectkit.recording import AFFECT

ROW_HEIGHT = 17.2  # px
TOP, BOTTOM = 22, 26
AXIS_START = -0.2  # lower values are drawn at the edge


def ccc_dots(
    scores: pd.DataFrame, compared: pd.DataFrame | None = None, *, dark: bool = False
) -> go.Figure:
    """CCC and interval of each recording: valence on the left, arousal on the right.

    A dotted line marks the CCC of all frames pooled.

    Args:
        scores: rows of one split, as `evaluate` or `read_scores` return them; recordings are drawn
            from top to bottom in this order.
        compared: scores of a second run, drawn as hollow blue dots.
        dark: use the dark palette.
    """
    colours = palette(dark)
    rows = scores[scores["metric"].eq("ccc")]
    single = rows[~rows["recording"].isin(SUMMARIES)]
    names = list(dict.fromkeys(single["recording"]))
    figure = make_subplots(cols=2, shared_yaxes=True, horizontal_spacing=0.06)
    for col, affect in enumerate(AFFECT, start=1):
        if compared is not None:
            other = compared[compared["metric"].eq("ccc") & compared["recording"].isin(names)]
            other = other[other["affect"] == affect]
            _add_dots(figure, other, names, colours, col=col, second=True)
        own = single[single["affect"] == affect]
        _add_dots(figure, own, names, colours, col=col, second=False)
        _add_pooled(figure, rows[rows["affect"] == affect], colours, col=col)
    height = int(TOP + BOTTOM + ROW_HEIGHT * max(1, len(names)))
    apply_style(figure, colours, width=746, height=height)
    figure.update_layout(margin={"l": 84, "r": 12, "t": TOP, "b": BOTTOM})
    figure.update_xaxes(range=[AXIS_START, 1.02], **tick_labels(0, 0.25, 0.5, 0.75, 1))
    figure.update_yaxes(
        range=[len(names) - 0.5, -0.5],
        showgrid=False,
        tickvals=list(range(len(names))),
        ticktext=[name.replace("<", "&lt;") for name in names],
        ticks="",
    )
    return figure


def _add_dots(
    figure: go.Figure,
    rows: pd.DataFrame,
    names: list[str],
    colours: Palette,
    *,
    col: int,
    second: bool,
) -> None:
    colour = colours.second if second else colours.prediction
    offset = 0.18 if second else -0.12
    hover = rows[["recording", "value", "low", "high", "interval"]].astype(object)
    value = rows["value"].clip(lower=AXIS_START + 0.01)
    low, high = rows["low"].clip(lower=AXIS_START), rows["high"].clip(lower=AXIS_START)
    figure.add_scatter(
        x=value,
        y=[names.index(name) + offset for name in rows["recording"]],
        mode="markers",
        marker={
            "size": 5.5 if second else 6.5,
            "color": colours.paper if second else colour,
            "line": {"color": colour, "width": 1.25},
        },
        error_x={
            "type": "data", "symmetric": False, "array": high - value, "arrayminus": value - low,
            "color": colour, "thickness": 1 if second else 1.5, "width": 0,
        },
        customdata=hover.where(hover.notna(), "–").values,
        hovertemplate="%{customdata[0]}: %{customdata[1]:.3f} [%{customdata[2]:.3f}, "
        "%{customdata[3]:.3f}]<br>%{customdata[4]}<extra></extra>",
        col=col,
        row=1,
    )  # fmt: skip


def _add_pooled(figure: go.Figure, rows: pd.DataFrame, colours: Palette, *, col: int) -> None:
    """Name the affect above its column, and mark the CCC of all frames."""
    affect, axis = AFFECT[col - 1], "x" if col == 1 else "x2"
    above = {"y": 1, "yref": "paper", "yanchor": "bottom", "showarrow": False}
    name = {"text": f"<b>{affect.capitalize()}</b>", "font": {"color": colours.ink, "size": 12}}
    figure.add_annotation(x=AXIS_START, xref=axis, xanchor="left", **above, **name)
    pooled = rows.loc[rows["recording"] == POOLED, "value"]
    if pooled.empty or pd.isna(pooled.iloc[0]):
        return
    value = float(pooled.iloc[0])
    dotted = {"color": colours.prediction, "width": 1, "dash": "dot"}
    figure.add_vline(x=value, line=dotted, col=col, row=1)
    text = {"text": f"all {format_number(value, 2)}", "font": {"color": colours.prediction_text}}
    anchor = "left" if value < 0.1 else "center"  # keeps clear of the name of the affect
    figure.add_annotation(x=value, xref=axis, xanchor=anchor, **above, **text)
