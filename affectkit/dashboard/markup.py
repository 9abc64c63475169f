"""HTML of the pages: headings, lines of text, pooled scores. Every text from a file is escaped."""

import re
from collections.abc import Mapping
from html import escape
from typing import Any

import pandas as pd
import xarray as xr

from affectkit.dashboard.tables import UNKNOWN_SPLIT
from affectkit.figures.style import Palette, format_number
from affectkit.run import SYNTHETIC_ONLY, is_synthetic

Score = dict[str, Any]  # one row of scores.csv

STYLE = (
    "<style>.ak-title{font:600 22px/1.2 'Source Serif','Source Serif Pro',serif;margin:0;"
    "padding:17px 0 0}"
    ".ak-line{font-size:12.25px;line-height:1.4;opacity:.72;margin:7px 0 0}"
    ".ak-line b{opacity:1;font-weight:600}"
    ".ak-h{font:600 14px/18px 'Source Serif','Source Serif Pro',serif;margin:0}"
    ".ak-h small{font:400 12px 'Source Sans','Source Sans Pro',sans-serif;"
    "margin-left:6px;color:color-mix(in srgb,currentColor 72%,transparent)}"
    "</style>"
)
SCORE_STYLE = (
    "<style>.ak-scores{display:flex;gap:52px;border:solid;border-width:1px 0;height:76px}"
    ".ak-scores>div{position:relative;width:522px;font-size:11.5px;line-height:14px}"
    ".ak-scores i{position:absolute;white-space:nowrap;font-style:normal}</style>"
)
AXIS_LEFT, AXIS_LENGTH = 236, 270  # pixels of the axis from 0 to 1 under a pooled score
AXIS_TICKS = {0.0: "0", 0.25: ".25", 0.5: ".5", 0.75: ".75", 1.0: "1"}


def escape_markdown(text: object) -> str:
    """Text for Streamlit's messages: file names are not read as Markdown."""
    return re.sub(r"([\\`*_{}\[\]()#!|$:~<>])", r"\\\1", str(text))


def clock(seconds: float) -> str:
    """Seconds as minutes, seconds and tenths."""
    tenths = round(10 * seconds)
    return f"{tenths // 600}:{tenths % 600 / 10:04.1f}"


def heading(title: str, parts: list[str]) -> str:
    """The title of a page with a line of `parts` below; the parts may contain HTML."""
    line = " · ".join(part for part in parts if part)
    return f'{STYLE}<h1 class="ak-title">{escape(title)}</h1><p class="ak-line">{line}</p>'


def section(title: str, small: str = "") -> str:
    """The heading of a section; `small` may contain HTML."""
    return f'<h2 class="ak-h">{escape(title)}<small>{small}</small></h2>'


def run_parts(metadata: Mapping[str, Any], table: pd.DataFrame, split: str) -> list[str]:
    """Model, loss, windows, seed and data of a run, for the line under the title."""
    temporal = metadata.get("temporal") or "none"
    backbone = escape(str(metadata.get("backbone", "")))
    model = (
        f"{backbone} + {escape(str(temporal)).upper()}, trained jointly"
        if temporal != "none"
        else f"{backbone} on single frames"
    )
    subjects = table.loc[table["subject"].ne(""), "subject"].nunique()
    people = f", {_count(subjects, 'subject')}" if subjects else ""
    return [
        model,
        f"{escape(str(metadata.get('loss', '')).upper())} loss",
        f"windows of {metadata.get('sequence_length', '?')} frames",
        f"seed {metadata.get('seed', '?')}",
        f"{escape(split)} {'splits' if split == 'all' else 'split'}, "
        f"{_count(len(table), 'recording')}{people}, "
        f"{_count(int(table['frames'].sum()), 'frame')}",
        f"<b>{SYNTHETIC_ONLY}</b>" if is_synthetic(metadata) else "",
    ]


def recording_parts(
    recording: xr.Dataset, split: str, scores: list[Score], rank: tuple[int, int] | None
) -> list[str]:
    """Subject, split, length and scores of a recording, for the line under the title.

    Args:
        recording: its attrs, `time` and `detected` are read.
        split: split of the recording in the run, or `UNKNOWN_SPLIT`.
        scores: CCC of valence and arousal; empty without scores.
        rank: position by error in the split, from 1, and number of recordings.
    """
    attrs, time = recording.attrs, recording["time"].values
    no_face = 100 * (1 - float(recording["detected"].mean()))
    ccc = [
        f"{row['affect']} <b>{format_number(row['value'])}</b> {interval(row)}" for row in scores
    ]
    return [
        f"subject {escape(str(attrs['subject']))}" if attrs["subject"] else "",
        f"{escape(split)} split" if split != UNKNOWN_SPLIT else "not in a split of the run",
        f"{_count(recording.sizes['frame'], 'frame')}, {clock(time[-1] - time[0])}",
        f"{attrs['width']}×{attrs['height']}, {float(attrs['fps']):.4g} frames/s",
        f"no face {no_face:.1f} %",
        _error_rank(*rank) if rank else "",
        f"CCC {', '.join(ccc)}" if ccc else "no annotation, no scores",
    ]


def _error_rank(rank: int, recordings: int) -> str:
    position = f"{ordinal(rank)} " if rank > 1 else ""
    return f"{position}highest RMSE of {_count(recordings, 'recording')}"


def _count(quantity: int, noun: str) -> str:
    return f"{quantity:,} {noun}{'' if quantity == 1 else 's'}"


def ordinal(position: int) -> str:
    """1st, 2nd, 3rd, 4th, 11th, 21st."""
    last_digit = position % 10 if position % 100 not in (11, 12, 13) else 0
    ending = {1: "st", 2: "nd", 3: "rd"}.get(last_digit, "th")
    return f"{position}{ending}"


def interval(row: Score) -> str:
    """The interval of a score; its tooltip says how it was computed."""
    method = escape(str(row["interval"]), quote=True)
    if pd.isna(row["low"]):
        return f'<span title="{method}">(no interval)</span>'
    return (
        f'<span title="{method}">[{format_number(row["low"])}, {format_number(row["high"])}]</span>'
    )


def ccc_dots_key(scores: pd.DataFrame, other_name: str, colours: Palette) -> str:
    """The key of the figure with the CCC of each recording."""
    methods = scores.loc[scores["low"].notna(), "interval"]
    text = f"with 95 % interval, {escape(str(methods.iloc[0]))}" if len(methods) else "no intervals"
    key = f'{text} &ensp;<span style="color:{colours.prediction_text}">● this run</span>'
    if other_name == "none":
        return key
    return f'{key} &ensp;<span style="color:{colours.second}">○ {escape(other_name)}</span>'


def pooled_scores(
    scores: list[Score], others: list[Score | None], other_name: str, colours: Palette
) -> str:
    """The pooled CCC of valence and arousal, each with its interval on an axis from 0 to 1.

    Args:
        scores: one row of scores.csv per target.
        others: the rows of the run to compare with, or None.
        other_name: name of that run.
        colours: the palette of the page.
    """
    pairs = zip(scores, others, strict=True)
    panels = [_pooled_score(score, other, other_name, colours) for score, other in pairs]
    border = f"border-color:{colours.rule}"
    return f'{SCORE_STYLE}<div class="ak-scores" style="{border}">{"".join(panels)}</div>'


def _pooled_score(score: Score, other: Score | None, other_name: str, colours: Palette) -> str:
    bounds: str = (
        "no interval"
        if pd.isna(score["low"])
        else f"95 % [{format_number(score['low'])}, {format_number(score['high'])}]"
    )
    title, ink = f"{score['affect'].capitalize()} CCC", f"color:{colours.ink}"
    parts = [
        _text(0, 6, title, f"{ink};font-size:12.25px"),
        _text(0, 30, format_number(score["value"]), f"{ink};font-size:30px;line-height:30px"),
        _text(78, 41, bounds, f"color:{colours.ink2};font-size:12.25px"),
        *_axis(colours),
        *_marker(score, 27, "this run", (colours.prediction, colours.prediction_text)),
    ]
    if other:
        label = f"{other_name} {format_number(other['value'])}"
        parts += _marker(other, 42, label, (colours.second, colours.second), fill=colours.paper)
    return f'<div title="{escape(str(score["interval"]), quote=True)}">{"".join(parts)}</div>'


def _axis(colours: Palette) -> list[str]:
    parts = [_bar(AXIS_LEFT, 52, AXIS_LENGTH, 1, colours.rule)]
    for value, text in AXIS_TICKS.items():
        parts.append(_bar(_x(value), 52, 1, 4, colours.ink3))
        centred = f"color:{colours.ink2};transform:translateX(-50%)"
        parts.append(_text(_x(value), 57, text, centred))
    return parts


def _marker(
    score: Score, y: int, label: str, colours: tuple[str, str], *, fill: str = ""
) -> list[str]:
    colour, text_colour = colours
    low: float = score["value"] if pd.isna(score["low"]) else score["low"]
    high: float = score["value"] if pd.isna(score["high"]) else score["high"]
    ring = (
        f"width:8px;height:8px;border-radius:50%;border:1.5px solid {colour};box-sizing:border-box"
    )
    return [
        _bar(_x(low), y - 1, _x(high) - _x(low), 2, colour),
        f'<i style="left:{_x(score["value"]) - 4:.1f}px;top:{y - 4}px;{ring};'
        f'background:{fill or colour}"></i>',
        _text(_x(low) - 10, y - 7, label, f"color:{text_colour};transform:translateX(-100%)"),
    ]


def _x(value: float) -> float:
    return AXIS_LEFT + AXIS_LENGTH * min(1.0, max(-0.1, value))


def _bar(x: float, y: float, width: float, height: float, colour: str) -> str:
    position = f"left:{x:.1f}px;top:{y}px;width:{max(1, width):.1f}px;height:{height}px"
    return f'<i style="{position};background:{colour}"></i>'


def _text(x: float, y: float, text: str, style: str) -> str:
    return f'<i style="left:{x:.1f}px;top:{y}px;{style}">{escape(text)}</i>'
