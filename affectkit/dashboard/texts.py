"""The lines of text of the pages, as HTML in which everything that comes from files is escaped."""

import re
from html import escape
from typing import Any

import pandas as pd
import xarray as xr

from affectkit.figures.style import Palette, number

DRAWN = "Trained on drawn people: it knows nothing about real ones."
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


def plain(text: object) -> str:
    """Text for Streamlit's messages, in which file names shall not work as Markdown."""
    return re.sub(r"([\\`*_{}\[\]()#!|$:~<>])", r"\\\1", str(text))


def clock(seconds: float) -> str:
    """Minutes, seconds and tenths."""
    tenths = round(10 * seconds)
    return f"{tenths // 600}:{tenths % 600 / 10:04.1f}"


def heading(title: str, parts: list[str]) -> str:
    """Title of a page and the line under it; `parts` may hold HTML."""
    line = " · ".join(part for part in parts if part)
    return f'{STYLE}<h1 class="ak-title">{escape(title)}</h1><p class="ak-line">{line}</p>'


def section(title: str, small: str = "") -> str:
    """The heading of a part of a page; `small` may hold HTML."""
    return f'<h2 class="ak-h">{escape(title)}<small>{small}</small></h2>'


def drawn_people(contract: dict[str, Any]) -> bool:
    """Whether the run has seen synthetic recordings only."""
    datasets = contract.get("datasets", [])
    return bool(datasets) and all("synthetic" in str(name) for name in datasets)


def run_parts(contract: dict[str, Any], table: pd.DataFrame, split: str) -> list[str]:
    """The run in a line."""
    temporal = contract.get("temporal") or "none"
    net = escape(str(contract.get("backbone", "")))
    joint = (
        f"{net} + {escape(str(temporal)).upper()}, trained jointly"
        if temporal != "none"
        else f"{net}, each frame alone"
    )
    subjects = table.loc[table["subject"].ne(""), "subject"].nunique()
    people = f", {_count(subjects, 'subject')}" if subjects else ""
    return [
        joint,
        f"{escape(str(contract.get('loss', '')).upper())} loss",
        f"windows of {contract.get('sequence_length', '?')} frames",
        f"seed {contract.get('seed', '?')}",
        f"{escape(split)} {'splits' if split == 'all' else 'split'}, "
        f"{_count(len(table), 'recording')}{people}, "
        f"{_count(int(table['frames'].sum()), 'frame')}",
        f"<b>{DRAWN}</b>" if drawn_people(contract) else "",
    ]


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def recording_parts(
    recording: xr.Dataset, split: str, scores: list[dict[str, Any]], place: tuple[int, int] | None
) -> list[str]:
    """The recording in a line."""
    attrs, time = recording.attrs, recording["time"].values
    lost = 1 - float(recording["detected"].mean())
    ccc = [f"{row['affect']} <b>{number(row['value'])}</b> {interval(row)}" for row in scores]
    return [
        f"subject {escape(str(attrs['subject']))}" if attrs["subject"] else "",
        escape(split) if split != "–" else "not part of the run's data",
        f"{_count(recording.sizes['frame'], 'frame')}, {clock(time[-1] - time[0])}",
        f"{attrs['width']}×{attrs['height']}, {float(attrs['fps']):.4g} frames/s",
        f"no face {100 * lost:.1f} %",
        f"{ordinal(place[0])} worst of {place[1]}" if place else "",
        f"CCC {', '.join(ccc)}" if ccc else "no annotation, no scores",
    ]


def ordinal(place: int) -> str:
    """1st, 2nd, 3rd, 4th; the first is just 'the'."""
    if place == 1:
        return "the"
    ending = {1: "st", 2: "nd", 3: "rd"}.get(
        place % 10 if place % 100 not in (11, 12, 13) else 0, "th"
    )
    return f"{place}{ending}"


def interval(row: dict[str, Any]) -> str:
    """The interval of a score, with how it was found where one points at it."""
    words = escape(str(row["interval"]), quote=True)
    if pd.isna(row["low"]):
        return f'<span title="{words}">(no interval)</span>'
    return f'<span title="{words}">[{number(row["low"])}, {number(row["high"])}]</span>'


def dots_key(scores: pd.DataFrame, other_name: str, colours: Palette) -> str:
    """Key of the dots, with the way the intervals were found."""
    words = scores.loc[scores["low"].notna(), "interval"]
    method = f"with 95 % interval, {escape(str(words.iloc[0]))}" if len(words) else "no intervals"
    key = f'{method} &ensp;<span style="color:{colours.prediction_text}">● this run</span>'
    if other_name == "none":
        return key
    return f'{key} &ensp;<span style="color:{colours.second}">○ {escape(other_name)}</span>'
