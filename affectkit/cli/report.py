"""How the report on a dataset is shown."""

import math
from collections import Counter
from collections.abc import Sequence
from itertools import groupby
from typing import Any

import pandas as pd
from rich.console import Console
from rich.table import Table

from affectkit.checking import Finding, Report, summary, to_json
from affectkit.cli.console import counted, say
from affectkit.errors import unknown
from affectkit.recording import AFFECT

FORMATS = ("table", "json")
SHOWN = 10  # findings of a kind; a broken copy has hundreds
NAMES = ("mean", "sd", "low", "high")
COUNTS = ("announced", "decoded", "annotated", "with_crop", "labels", "invalid")


def check_format(form: str) -> None:
    """Refuse a format before hours of work.

    Raises:
        AffectkitError: it is unknown.
    """
    if form not in FORMATS:
        raise unknown("format", form, FORMATS)


def show_report(console: Console, report: Report, form: str, *, recordings: bool) -> None:
    """A report as a table or as JSON; `recordings` adds a row for each of them to the table."""
    if form == "json":
        say(to_json(report))
        return
    if recordings:
        _show_recordings(report)
    _show_splits(console, summary(report))
    _show_rules(report)
    _show_findings("note", report.notes)
    _show_findings("finding", report.findings)
    outcome = counted(len(report.findings), "finding") if report.findings else "clean"
    number = counted(len(report.recordings), "recording")
    say(f"\n{report.dataset} in {report.root}: {number}, {outcome}")


def _show_splits(console: Console, pooled: pd.DataFrame) -> None:
    cells = [_cells(row) for row in pooled.to_dict("records")]
    table = Table(box=None)
    table.add_column(no_wrap=True)
    for split in pooled.index:
        table.add_column(str(split), justify="right")
    for name in cells[0]:
        table.add_row(name, *(cell[name] for cell in cells))
    console.print(table, highlight=False)


def _cells(row: dict[Any, Any]) -> dict[str, str]:
    cells = {
        "recordings": _whole(row["recordings"]),
        "subjects": _whole(row["subjects"]),
        "minutes": _number(row["minutes"], 1),
        "frames a second": _span(row["fps_low"], row["fps_high"]),
        "variable frame rate": _whole(row["uneven"]),
        "frames announced": _whole(row["announced"]),
        "frames decoded": _whole(row["decoded"]),
        "frames annotated": _whole(row["annotated"]),
        "frames with a crop": _whole(row["with_crop"]),
        "labels": _whole(row["labels"]),
        "labels not valid": _whole(row["invalid"]),
    }
    statistics = {f"{affect} {name}": f"{affect}_{name}" for affect in AFFECT for name in NAMES}
    return cells | {name: _number(row[column], 3) for name, column in statistics.items()}


def _whole(value: float) -> str:
    return "–" if math.isnan(value) else f"{value:,.0f}"


def _number(value: float, digits: int) -> str:
    return "–" if math.isnan(value) else f"{value:.{digits}f}".replace("-", "−")


def _span(low: float, high: float) -> str:
    if math.isnan(low):
        return "–"
    return f"{low:.4g}" if low == high else f"{low:.4g} to {high:.4g}".replace("-", "−")


def _show_rules(report: Report) -> None:
    """Which rules laid labels on frames and why, and the ranges of the files."""
    rules: dict[str, list[str]] = {}
    for alignment in filter(None, report.recordings["alignment"]):
        rule, _, why = str(alignment).partition(": ")
        rules.setdefault(rule, []).append(why)
    for rule, reasons in rules.items():
        why = f": {reasons[0]}" if reasons[0] else ""
        more = "; others differ, see --format json" if len(set(reasons)) > 1 else ""
        say(f"alignment: {rule} ({counted(len(reasons), 'recording')}){why}{more}")
    ranges = Counter(_range(source) for source in report.recordings["source_range"] if source)
    for text, number in ranges.items():
        say(f"range in the file: {text} ({counted(number, 'recording')})")


def _range(source: dict[str, list[float]]) -> str:
    return ", ".join(f"{affect} {_span(low, high)}" for affect, (low, high) in source.items())


def _show_recordings(report: Report) -> None:
    """A line a recording, as wide as it takes."""
    found = Counter(finding.recording for finding in report.findings)
    columns = [f"{affect}_{name}" for affect in AFFECT for name in ("mean", "sd")]
    rows = report.recordings.assign(findings=report.recordings["recording"].map(found).fillna(0))
    shown = rows[["recording", "subject", "split", "fps", "uneven", *COUNTS, *columns, "findings"]]
    say(shown.to_string(index=False, na_rep="–", float_format="{:.6g}".format) + "\n")


def _show_findings(what: str, found: Sequence[Finding]) -> None:
    if not found:
        return
    say(f"\n{counted(len(found), what)}")
    ordered = sorted(found, key=lambda finding: finding.kind)
    for kind, group in groupby(ordered, key=lambda finding: finding.kind):
        same = list(group)
        say(f"  {kind} ({len(same)})")
        for finding in same[:SHOWN]:
            say(f"    {_line(finding)}")
        if len(same) > SHOWN:
            say(f"    and {len(same) - SHOWN} more: --format json lists them all")


def _line(finding: Finding) -> str:
    where = [
        part for part in (finding.recording, finding.file) if part and part not in finding.text
    ]
    return ": ".join([*[", ".join(where)] * bool(where), finding.text])
