"""HTML of the pages: headings, lines of text, pooled scores.

All HTML is built by `Markup.format` and `Markup.join`, which escape every value that is not itself
`Markup`. A text from a file can therefore not become HTML.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd
import xarray as xr
from markupsafe import Markup

from affectkit.dashboard.tables import UNKNOWN_SPLIT
from affectkit.figures.style import Palette, format_number
from affectkit.run import PUBLISHED_RUN, warning

Score = dict[str, Any]  # one row of scores.csv

STYLE = Markup(
    "<style>.ak-title{font:600 22px/1.2 'Source Serif','Source Serif Pro',serif;margin:0;"
    "padding:17px 0 0}"
    ".ak-line{font-size:12.25px;line-height:1.4;opacity:.72;margin:7px 0 0}"
    ".ak-line b{opacity:1;font-weight:600}"
    ".ak-h{font:600 14px/18px 'Source Serif','Source Serif Pro',serif;margin:0}"
    ".ak-h small{font:400 12px 'Source Sans','Source Sans Pro',sans-serif;"
    "margin-left:6px;color:color-mix(in srgb,currentColor 72%,transparent)}"
    "</style>"
)
SCORE_STYLE = Markup(
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


def heading(title: str, parts: Iterable[str]) -> Markup:
    """The title of a page with a line of `parts` below."""
    line = Markup(" · ").join(part for part in parts if part)
    html = Markup('{}<h1 class="ak-title">{}</h1><p class="ak-line">{}</p>')
    return html.format(STYLE, title, line)


def section(title: str, small: str = "") -> Markup:
    """The heading of a section, with a small text beside it."""
    return Markup('<h2 class="ak-h">{}<small>{}</small></h2>').format(title, small)


def run_parts(metadata: Mapping[str, Any], table: pd.DataFrame, split: str) -> list[str]:
    """Model, loss, windows, seed and data of a run, for the line under the title."""
    temporal, backbone = metadata.get("temporal") or "none", metadata.get("backbone", "")
    model = (
        f"{backbone} + {str(temporal).upper()}, trained jointly"
        if temporal != "none"
        else f"{backbone} on single frames"
    )
    subjects = table.loc[table["subject"].ne(""), "subject"].nunique()
    people = f", {_count(subjects, 'subject')}" if subjects else ""
    training = [
        f"{str(metadata.get('loss', '')).upper()} loss",
        f"windows of {metadata.get('sequence_length', '?')} frames",
        f"seed {metadata.get('seed', '?')}",
    ]
    if metadata.get(PUBLISHED_RUN):
        model = f"{backbone} + {str(temporal).upper()}" if temporal != "none" else backbone
        training = [f"published weights, {' and '.join(metadata['datasets'])}"]
    return [
        model,
        *training,
        f"{split} {'splits' if split == 'all' else 'split'}, "
        f"{_count(len(table), 'recording')}{people}, "
        f"{_count(int(table['frames'].sum()), 'frame')}",
        Markup("<b>{}</b>").format(text) if (text := warning(metadata)) else "",
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
    score = Markup("{} <b>{}</b> {}")
    ccc = [
        score.format(row["affect"], format_number(row["value"]), interval(row)) for row in scores
    ]
    size = f"{attrs['width']}×{attrs['height']}" if attrs["width"] and attrs["height"] else ""
    rate = f"{float(attrs['fps']):.4g} frames/s" if attrs["fps"] else ""
    return [
        f"subject {attrs['subject']}" if attrs["subject"] else "",
        f"{split} split" if split != UNKNOWN_SPLIT else "not in a split of the run",
        f"{_count(recording.sizes['frame'], 'frame')}, {clock(time[-1] - time[0])}",
        ", ".join(part for part in (size, rate) if part),
        f"no face {no_face:.1f} %",
        _error_rank(*rank) if rank else "",
        Markup("CCC ") + Markup(", ").join(ccc) if ccc else "no annotation, no scores",
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


def interval(row: Score) -> Markup:
    """The interval of a score; its tooltip says how it was computed."""
    known = not pd.isna(row["low"])
    bounds = f"[{format_number(row['low'])}, {format_number(row['high'])}]" if known else ""
    return Markup('<span title="{}">{}</span>').format(row["interval"], bounds or "(no interval)")


def ccc_dots_key(scores: pd.DataFrame, other_name: str, colours: Palette) -> Markup:
    """The key of the figure with the CCC of each recording."""
    methods = scores.loc[scores["low"].notna(), "interval"]
    text = f"with 95 % interval, {methods.iloc[0]}" if len(methods) else "no intervals"
    entry = Markup(' &ensp;<span style="color:{}">{} {}</span>')
    key = entry.format(colours.prediction_text, "●", "this run")
    if other_name != "none":
        key += entry.format(colours.second, "○", other_name)
    return Markup("{}{}").format(text, key)


def pooled_scores(
    scores: list[Score], others: list[Score | None], other_name: str, colours: Palette
) -> Markup:
    """The pooled CCC of valence and arousal, each with its interval on an axis from 0 to 1.

    Args:
        scores: one row of scores.csv per target.
        others: the rows of the run to compare with, or None.
        other_name: name of that run.
        colours: the palette of the page.
    """
    pairs = zip(scores, others, strict=True)
    panels = [_pooled_score(score, other, other_name, colours) for score, other in pairs]
    html = Markup('{}<div class="ak-scores" style="border-color:{}">{}</div>')
    return html.format(SCORE_STYLE, colours.rule, Markup("").join(panels))


def _pooled_score(score: Score, other: Score | None, other_name: str, colours: Palette) -> Markup:
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
    html = Markup('<div title="{}">{}</div>')
    return html.format(score["interval"], Markup("").join(parts))


def _axis(colours: Palette) -> list[Markup]:
    parts = [_bar(AXIS_LEFT, 52, AXIS_LENGTH, 1, colours.rule)]
    for value, text in AXIS_TICKS.items():
        parts.append(_bar(_x(value), 52, 1, 4, colours.ink3))
        centred = f"color:{colours.ink2};transform:translateX(-50%)"
        parts.append(_text(_x(value), 57, text, centred))
    return parts


def _marker(
    score: Score, y: int, label: str, colours: tuple[str, str], *, fill: str = ""
) -> list[Markup]:
    colour, text_colour = colours
    low: float = score["value"] if pd.isna(score["low"]) else score["low"]
    high: float = score["value"] if pd.isna(score["high"]) else score["high"]
    ring = (
        f"width:8px;height:8px;border-radius:50%;border:1.5px solid {colour};box-sizing:border-box"
    )
    return [
        _bar(_x(low), y - 1, _x(high) - _x(low), 2, colour),
        _element(_x(score["value"]) - 4, y - 4, f"{ring};background:{fill or colour}"),
        _text(_x(low) - 10, y - 7, label, f"color:{text_colour};transform:translateX(-100%)"),
    ]


def _x(value: float) -> float:
    return AXIS_LEFT + AXIS_LENGTH * min(1.0, max(-0.1, value))


def _bar(x: float, y: float, width: float, height: float, colour: str) -> Markup:
    return _element(x, y, f"width:{max(1, width):.1f}px;height:{height}px;background:{colour}")


def _text(x: float, y: float, text: str, style: str) -> Markup:
    return _element(x, y, style, text)


def _element(x: float, y: float, style: str, text: str = "") -> Markup:
    html = Markup('<i style="left:{:.1f}px;top:{}px;{}">{}</i>')
    return html.format(x, y, style, text)
