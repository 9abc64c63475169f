"""The pooled scores: a large number each, with its interval drawn on a line from 0 to 1."""

from html import escape
from typing import Any

import pandas as pd

from affectkit.figures.style import Palette, number

LEFT, LONG = 236, 270  # px of the line from 0 to 1
TICKS = {0.0: "0", 0.25: ".25", 0.5: ".5", 0.75: ".75", 1.0: "1"}
STYLE = (
    "<style>.ak-scores{display:flex;gap:52px;border:solid;border-width:1px 0;height:76px}"
    ".ak-scores>div{position:relative;width:522px;font-size:11.5px;line-height:14px}"
    ".ak-scores i{position:absolute;white-space:nowrap;font-style:normal}</style>"
)
Score = dict[str, Any]


def score_row(
    scores: list[Score], others: list[Score | None], other_name: str, colours: Palette
) -> str:
    """Valence and arousal side by side between two rules.

    Args:
        scores: rows of scores.csv, one a target.
        others: the same of the run compared with, or None.
        other_name: name of that run.
        colours: for the paper they stand on.
    """
    pairs = zip(scores, others, strict=True)
    strips = [_strip(score, other, other_name, colours) for score, other in pairs]
    return (
        f'{STYLE}<div class="ak-scores" style="border-color:{colours.rule}">{"".join(strips)}</div>'
    )


def _strip(score: Score, other: Score | None, other_name: str, colours: Palette) -> str:
    bare = bool(pd.isna(score["low"]))
    interval: str = (
        "no interval" if bare else f"95 % [{number(score['low'])}, {number(score['high'])}]"
    )
    parts = [
        _words(
            0, 6, f"{score['affect'].capitalize()} CCC", f"color:{colours.ink};font-size:12.25px"
        ),
        _words(
            0, 30, number(score["value"]), f"color:{colours.ink};font-size:30px;line-height:30px"
        ),
        _words(78, 41, interval, f"color:{colours.ink2};font-size:12.25px"),
        _bar(LEFT, 52, LONG, 1, colours.rule),
        *_axis(colours),
        *_mark(score, 27, "this run", (colours.prediction, colours.prediction_text)),
    ]
    if other:
        label = f"{other_name} {number(other['value'])}"
        parts += _mark(other, 42, label, (colours.second, colours.second), hollow=colours.paper)
    return f'<div title="{escape(str(score["interval"]), quote=True)}">{"".join(parts)}</div>'


def _axis(colours: Palette) -> list[str]:
    parts = []
    for value, text in TICKS.items():
        parts.append(_bar(_x(value), 52, 1, 4, colours.ink3))
        centred = f"color:{colours.ink2};transform:translateX(-50%)"
        parts.append(_words(_x(value), 57, text, centred))
    return parts


def _mark(
    score: Score, y: int, label: str, colours: tuple[str, str], *, hollow: str = ""
) -> list[str]:
    colour, ink = colours
    low: float = score["value"] if pd.isna(score["low"]) else score["low"]
    high: float = score["value"] if pd.isna(score["high"]) else score["high"]
    ring = (
        f"width:8px;height:8px;border-radius:50%;border:1.5px solid {colour};box-sizing:border-box"
    )
    return [
        _bar(_x(low), y - 1, _x(high) - _x(low), 2, colour),
        f'<i style="left:{_x(score["value"]) - 4:.1f}px;top:{y - 4}px;{ring};'
        f'background:{hollow or colour}"></i>',
        _words(_x(low) - 10, y - 7, label, f"color:{ink};transform:translateX(-100%)"),
    ]


def _x(value: float) -> float:
    return LEFT + LONG * min(1.0, max(-0.1, value))


def _bar(x: float, y: float, width: float, height: float, colour: str) -> str:
    place = f"left:{x:.1f}px;top:{y}px;width:{max(1, width):.1f}px;height:{height}px"
    return f'<i style="{place};background:{colour}"></i>'


def _words(x: float, y: float, text: str, style: str) -> str:
    return f'<i style="left:{x:.1f}px;top:{y}px;{style}">{escape(text)}</i>'
