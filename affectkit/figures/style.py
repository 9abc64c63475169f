"""Colours, number format and axes shared by the figures for the screen. Only data are coloured."""

import math
from typing import Any, NamedTuple

import plotly.graph_objects as go


class Palette(NamedTuple):
    """Colours by role.

    `paper` is the background; `ink`, `ink2`, `ink3` are text from dark to light; `rule` and `hair`
    are lines and grid lines; `second` is a second run; `grey` goes from the outermost to the
    innermost area of a density.
    """

    paper: str
    ink: str
    ink2: str
    ink3: str
    rule: str
    hair: str
    annotation: str
    prediction: str
    prediction_text: str
    second: str
    grey: tuple[str, str, str, str]


LIGHT = Palette(
    "#fdfdfb", "#1c1b19", "#5f5d57", "#8a877f", "#d8d6cf", "#eae8e2", "#161514", "#d55e00",
    "#ad4a00", "#0072b2", ("#e9e7e1", "#d2cfc7", "#b1aea5", "#86837a"),
)  # fmt: skip
DARK = Palette(
    "#151514", "#e9e7e2", "#aaa79f", "#77746d", "#3a3936", "#272624", "#f4f2ed", "#e2670f",
    "#f28f4b", "#56b4e9", ("#24231f", "#34322d", "#4d4a44", "#6f6b63"),
)  # fmt: skip
FONT = "Source Sans, Source Sans Pro, sans-serif"
TICKS = {-1.0: "−1", -0.5: "−.5", 0.0: "0", 0.25: ".25", 0.5: ".5", 0.75: ".75", 1.0: "1"}


def palette(dark: bool) -> Palette:
    """The dark or the light palette."""
    return DARK if dark else LIGHT


def apply_style(figure: go.Figure, colours: Palette, *, width: int, height: int) -> go.Figure:
    """Set size, background, font and axes of a figure."""
    figure.update_layout(
        template="none",
        width=width,
        height=height,
        paper_bgcolor=colours.paper,
        plot_bgcolor=colours.paper,
        font={"family": FONT, "size": 11.5, "color": colours.ink2},
        hoverlabel={"bgcolor": colours.paper, "font": {"color": colours.ink, "family": FONT}},
        showlegend=False,
    )
    axes = {"zeroline": False, "showline": False, "ticks": ""}
    figure.update_xaxes(gridcolor=colours.hair, **axes)
    figure.update_yaxes(gridcolor=colours.hair, **axes)
    return figure


def format_number(value: float, digits: int = 3) -> str:
    """A number with a minus sign (−), without leading zero: −.25; "–" if it is not finite."""
    if not math.isfinite(value):
        return "–"
    text = f"{abs(value):.{digits}f}"
    text = text[1:] if text.startswith("0.") else text
    return f"−{text}" if value < 0 and float(text) else text


def tick_labels(*values: float) -> dict[str, Any]:
    """Axis ticks at these values, labelled with a minus sign (−) and without leading zero."""
    return {"tickvals": list(values), "ticktext": [TICKS[value] for value in values]}
