"""What the commands show: bars with a rate and a time left, tables, and where things lie."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd
from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table
from rich.text import Text

from affectkit.cli.console import counted, say
from affectkit.evaluation import POOLED, caption, format_scores
from affectkit.overlay import write_overlay
from affectkit.recording import open_recording
from affectkit.run import open_prediction, read_contract

DRAWN = "trained on drawn people: it knows nothing about real ones"
BARS = 12
Report = Callable[[str, int, int], None]


class Rate(ProgressColumn):
    """Steps a second."""

    def render(self, task: Task) -> Text:
        """One task's rate."""
        speed = task.finished_speed or task.speed
        return Text("" if speed is None else f"{speed:,.1f}/s")


@contextmanager
def progress(console: Console) -> Iterator[Report]:
    """A bar for each name that is reported, with its rate and the time left."""
    columns = (
        TextColumn("{task.description}", markup=False),  # names may hold brackets
        BarColumn(),
        MofNCompleteColumn(),
        Rate(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    bars = Progress(*columns, console=console)
    tasks: dict[str, Any] = {}

    def report(name: str, done: int, total: int) -> None:
        if not tasks:  # bars that never start leave no blank line before an error
            bars.start()
        if name not in tasks:
            tasks[name] = bars.add_task(name, total=total or None)
        bars.update(tasks[name], completed=done, total=total or None)
        shown = [task for task in bars.tasks if task.finished and task.visible]
        if len(shown) > BARS:  # a dataset has more recordings than a screen has lines
            bars.update(shown[0].id, visible=False)

    try:
        yield report
    finally:
        if tasks:
            bars.stop()


def show_epoch(console: Console, row: dict[str, float]) -> None:
    """One line for an epoch."""
    console.print(
        f"epoch {row['epoch']:.0f}  loss {row['loss']:.3f}  validation CCC: valence "
        f"{row['ccc_valence']:.3f}, arousal {row['ccc_arousal']:.3f}, mean {row['ccc_mean']:.3f}",
        highlight=False,
    )


def show_rows(console: Console, rows: Sequence[dict[str, Any]]) -> None:
    """Rows with the same keys as a table."""
    table = Table(box=None)
    for name in rows[0]:
        table.add_column(name, overflow="fold")  # on a narrow screen nothing is left out
    for row in rows:
        table.add_row(*(escape(str(value)) for value in row.values()))
    console.print(table)


def rounded(table: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows of a table of numbers, "–" where there is none."""
    return [
        {
            str(name): ("–" if pd.isna(value) else f"{value:.3g}" if value >= 1 else f"{value:.3f}")
            if isinstance(value, float)
            else value
            for name, value in row.items()
        }
        for row in table.to_dict("records")
    ]


def show_recordings(console: Console, stores: Sequence[Path]) -> None:
    """Frames, faces and annotations of new recordings."""
    rows = []
    for store in stores:
        recording = open_recording(store)
        annotated = recording["annotation"].notnull().all("affect")
        rows.append(
            {
                "recording": recording.attrs["recording"],
                "frames": recording.sizes["frame"],
                "seconds": f"{float(recording['time'][-1] - recording['time'][0]):.3f}",
                "detected": f"{float(recording['detected'].mean()):.1%}",
                "annotated": f"{float(annotated.mean()):.1%}",
            }
        )
    if rows:
        show_rows(console, rows)
    console.print(counted(len(rows), "recording"))


def show_scores(scores: pd.DataFrame, form: str) -> None:
    """Scores in one of the formats; what is meant for machines is printed as it is."""
    text = format_scores(scores, form)
    say(text)


def pooled_ccc(scores: pd.DataFrame, affect: str) -> str:
    """Pooled CCC with its interval."""
    chosen = (
        (scores["recording"] == POOLED) & (scores["metric"] == "ccc") & (scores["affect"] == affect)
    )
    row = scores[chosen].iloc[0]
    return f"{row['value']:.3f} [{row['low']:.3f}, {row['high']:.3f}]"


def show_outcome(console: Console, outcome: Any) -> None:  # noqa: ANN401
    """The demo's table: both nets, their difference, and what it does not show."""
    table = Table("run", "CCC valence", "CCC arousal", "CCC mean", box=None)
    for name, scores in outcome.scores.items():
        table.add_row(name, *(pooled_ccc(scores, a) for a in ("valence", "arousal", "mean")))
    difference = [pooled_ccc(outcome.difference, a) for a in ("valence", "arousal", "mean")]
    table.add_row("joint - cnn", *difference)
    console.print(table)
    console.print(caption(next(iter(outcome.scores.values()))), soft_wrap=True, highlight=False)
    console.print(f"dlib found the face in {outcome.detected:.2%} of the drawn frames")
    console.print("Both nets were trained on drawn people: they know nothing about real ones.")


def show_difference(difference: pd.DataFrame, first: Path, second: Path) -> None:
    """The second run minus the first."""
    say(f"{second} minus {first}")
    show_scores(difference, "table")


def overlay(run: Path, store: Path, path: Path, report: Report) -> None:
    """Write the video of a recording with the run's prediction, and say what the run knows."""
    recording = open_recording(store)
    prediction = open_prediction(run, recording.attrs["recording"])
    foreign = is_drawn(run) and recording.attrs["dataset"] != "synthetic"
    caption = DRAWN if foreign else ""
    write_overlay(recording, prediction, path, caption=caption, progress=report)


def is_drawn(run: Path) -> bool:
    """Whether a run has only seen drawn people."""
    return bool(read_contract(run)["datasets"] == ["synthetic"])


def show_origin(run: Path) -> None:
    """Say it where the run has only seen drawn people."""
    if is_drawn(run):
        say(f"{run} was {DRAWN}.")
