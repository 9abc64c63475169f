"""Reports of `affectkit check` on a dataset and of `affectkit doctor` on a video."""

import json
import math
from collections import Counter
from collections.abc import Sequence
from itertools import groupby
from typing import Any

import pandas as pd
from rich.markup import escape
from rich.table import Table

from affectkit.checking import Finding, Report, summary, to_json
from affectkit.checking.report import COUNTS
from affectkit.cli.output import console, count, say
from affectkit.recording import AFFECT

REPORT_FORMATS = ("table", "json")
SHOWN = 10  # findings of one kind in the table; a damaged copy has hundreds
STATISTICS = ("mean", "std", "min", "max")


def print_dataset_report(report: Report, format_: str, *, recordings: bool) -> None:
    """Print the report on a dataset; `recordings` adds a row per recording to the table."""
    if format_ == "json":
        say(to_json(report))
        return
    if recordings:
        _print_recordings(report)
    _print_splits(summary(report))
    _print_alignment(report)
    _print_ranges(report)
    _print_findings("note", report.notes)
    _print_findings("finding", report.findings)
    result = count(len(report.findings), "finding") if report.findings else "no findings"
    number = count(len(report.recordings), "recording")
    say(f"\n{report.dataset} in {report.root}: {number}, {result}")


def _print_splits(pooled: pd.DataFrame) -> None:
    columns = [_cells(row) for row in pooled.to_dict("records")]
    table = Table(box=None)
    table.add_column(no_wrap=True)
    for split in pooled.index:
        table.add_column(str(split), justify="right")
    for name in columns[0]:
        table.add_row(name, *(cells[name] for cells in columns))
    console.print(table, highlight=False)


def _cells(row: dict[Any, Any]) -> dict[str, str]:
    cells = {
        "recordings": _integer(row["recordings"]),
        "subjects": _integer(row["subjects"]),
        "minutes": _number(row["minutes"], 1),
        "frames per second": _range(row["fps_min"], row["fps_max"]),
        "variable frame rate": _integer(row["variable_frame_rate"]),
        "frames in the header": _integer(row["header_frames"]),
        "frames decoded": _integer(row["decoded_frames"]),
        "frames annotated": _integer(row["annotated_frames"]),
        "frames with a face": _integer(row["frames_with_face"]),
        "labels": _integer(row["labels"]),
        "invalid labels": _integer(row["invalid"]),
    }
    statistics = {
        f"{affect} {name}": f"{affect}_{name}" for affect in AFFECT for name in STATISTICS
    }
    return cells | {name: _number(row[column], 3) for name, column in statistics.items()}


def _integer(value: float) -> str:
    return "–" if math.isnan(value) else f"{value:,.0f}"


def _number(value: float, digits: int) -> str:
    return "–" if math.isnan(value) else f"{value:.{digits}f}".replace("-", "−")


def _range(low: float, high: float) -> str:
    if math.isnan(low):
        return "–"
    return f"{low:.4g}" if low == high else f"{low:.4g} to {high:.4g}".replace("-", "−")


def _print_alignment(report: Report) -> None:
    """Print the rules that matched labels to frames, and the reasons for them."""
    rules: dict[str, list[str]] = {}
    for alignment in filter(None, report.recordings["alignment"]):
        rule, _, reason = str(alignment).partition(": ")
        rules.setdefault(rule, []).append(reason)
    for rule, reasons in rules.items():
        reason = f": {reasons[0]}" if reasons[0] else ""
        more = "; others differ, see --format json" if len(set(reasons)) > 1 else ""
        say(f"alignment: {rule} ({count(len(reasons), 'recording')}){reason}{more}")


def _print_ranges(report: Report) -> None:
    ranges = Counter(
        ", ".join(f"{affect} {_range(low, high)}" for affect, (low, high) in source.items())
        for source in report.recordings["source_range"]
        if source
    )
    for text, number in ranges.items():
        say(f"range of the labels in the files: {text} ({count(number, 'recording')})")


def _print_recordings(report: Report) -> None:
    """Print a row per recording, as wide as necessary."""
    findings = Counter(finding.recording for finding in report.findings)
    columns = [f"{affect}_{name}" for affect in AFFECT for name in ("mean", "std")]
    rows = report.recordings.assign(findings=report.recordings["recording"].map(findings).fillna(0))
    identity = ["recording", "subject", "split", "fps", "variable_frame_rate"]
    shown = rows[[*identity, *COUNTS, *columns, "findings"]]
    say(shown.to_string(index=False, na_rep="–", float_format="{:.6g}".format) + "\n")


def _print_findings(noun: str, findings: Sequence[Finding]) -> None:
    if not findings:
        return
    say(f"\n{count(len(findings), noun)}")
    ordered = sorted(findings, key=lambda finding: finding.kind)
    for kind, group in groupby(ordered, key=lambda finding: finding.kind):
        same = list(group)
        say(f"  {kind} ({len(same)})")
        for finding in same[:SHOWN]:
            say(f"    {_line(finding)}")
        if len(same) > SHOWN:
            say(f"    and {len(same) - SHOWN} more; --format json lists all")


def _line(finding: Finding) -> str:
    where = [
        part for part in (finding.recording, finding.file) if part and part not in finding.text
    ]
    return ": ".join([*[", ".join(where)] * bool(where), finding.text])


def print_video_report(report: dict[str, Any], format_: str) -> None:
    """Print the measurements and problems of a video."""
    problems = report["problems"]
    if format_ == "json":
        say(json.dumps(report | {"problems": [each._asdict() for each in problems]}, indent=2))
        return
    table = Table(show_header=False, box=None)
    for name, text in _video_rows(report).items():
        table.add_row(name, escape(text))
    console.print(table, highlight=False)
    if not problems:
        fps = report["nominal_fps"]
        say(f"\nno problems: frame number / {fps:.5g} is the time of each frame in seconds")
        return
    say(f"\n{count(len(problems), 'problem')}")
    for problem in problems:
        say(f"  {problem.kind}: {problem.text}")


def _video_rows(m: dict[str, Any]) -> dict[str, str]:
    hidden = f", {m['hidden_frames']} hidden" if m["hidden_frames"] else ""
    mirrored = ", mirrored" if m["mirrored"] else ""
    rotated = f", rotated by {m['rotation']} degrees" if m["rotation"] else ""
    return {
        "file": f"{m['codec']} ({m['pixel_format']}) in {m['container']}",
        "image": f"{m['width']} x {m['height']} pixels{mirrored}{rotated}",
        "frames": f"{m['decoded_frames']} decoded, {m['header_frames'] or 'none'} in the "
        f"header{hidden}",
        "undecodable frames": str(m["undecodable_frames"]),
        "dropped frames": f"{m['dropped_frames']} in {m['gaps']} gaps",
        "repeated images": str(m["repeated_pictures"]),
        "first and last time": f"{m['first_time']:.3f} to {m['last_time']:.3f} s",
        "invalid time stamps": str(m["invalid_timestamps"]),
        "frame rate": f"{m['frame_rate']}, nominally {m['nominal_fps']:.5g} frames per second",
        "frame interval": f"{_ms(m['interval_median'])} ms ({_ms(m['interval_min'])} to "
        f"{_ms(m['interval_max'])}), jitter {_ms(m['jitter'])} ms",
        "B-frames": "yes, read in the order of display" if m["b_frames"] else "no",
        "sound": _sound(m),
        "faces": _faces(m),
    }


def _ms(seconds: float) -> str:
    return f"{1000 * seconds:.2f}"


def _sound(m: dict[str, Any]) -> str:
    if not m["sound"]:
        return "none"
    offset = m["sound_offset"]
    if offset is None:
        return "yes"
    if abs(offset) < 0.0005:
        return "starts with the first frame"
    return f"starts {abs(offset):.3f} s {'after' if offset > 0 else 'before'} the first frame"


def _faces(m: dict[str, Any]) -> str:
    if m["face_share"] is None:
        return "not checked: dlib is not installed"
    return f"detected in {m['face_share']:.0%} of {m['sampled_frames']} sampled frames"
