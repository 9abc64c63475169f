"""Output of the commands: lines, tables and progress bars."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

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

from affectkit import parallel
from affectkit.errors import unknown

if TYPE_CHECKING:
    import pandas as pd

FINISHED_BARS = 12  # finished bars on the screen; a dataset has more recordings than that

console = Console()
errors = Console(stderr=True)


def say(text: str) -> None:
    """Print text as it is: long paths are not broken, brackets are not markup."""
    console.print(text, markup=False, highlight=False, soft_wrap=True)


def count(number: int, noun: str) -> str:
    """The number with its noun: 1 recording, 2 recordings."""
    return f"{number} {noun}" + "s" * (number != 1)


def check_format(format_: str, formats: Sequence[str]) -> None:
    """Check the value of --format before hours of work.

    Raises:
        AffectkitError: it is not one of `formats`.
    """
    if format_ not in formats:
        raise unknown("format", format_, formats)


def print_rows(rows: Sequence[dict[str, Any]]) -> None:
    """Print rows with the same keys as a table."""
    table = Table(box=None)
    for name in rows[0]:
        table.add_column(name, overflow="fold")  # a narrow screen breaks lines, and loses nothing
    for row in rows:
        table.add_row(*(escape(str(value)) for value in row.values()))
    console.print(table)


def rounded(table: "pd.DataFrame") -> list[dict[str, Any]]:
    """The rows of a table with numbers as text; "–" for NaN."""
    return [
        {
            str(name): _rounded(value) if isinstance(value, float) else value
            for name, value in row.items()
        }
        for row in table.to_dict("records")
    ]


def _rounded(value: float) -> str:
    if value != value:  # NaN
        return "–"
    return f"{value:.3g}" if value >= 1 else f"{value:.3f}"


class Rate(ProgressColumn):
    """Column with the steps per second."""

    def render(self, task: Task) -> Text:
        """The rate of one task."""
        speed = task.finished_speed or task.speed
        return Text("" if speed is None else f"{speed:,.1f}/s")


@contextmanager
def progress_bars(on: Console = console) -> Iterator[parallel.Progress]:
    """Yield a progress function that shows a bar per name, with rate and remaining time."""
    columns = (
        TextColumn("{task.description}", markup=False),  # names may contain brackets
        BarColumn(),
        MofNCompleteColumn(),
        Rate(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    bars = Progress(*columns, console=on)
    tasks: dict[str, Any] = {}

    def report(name: str, done: int, total: int) -> None:
        if not tasks:  # bars that never start print no blank line before an error
            bars.start()
        if name not in tasks:
            tasks[name] = bars.add_task(name, total=total or None)
        bars.update(tasks[name], completed=done, total=total or None)
        finished = [task for task in bars.tasks if task.finished and task.visible]
        if len(finished) > FINISHED_BARS:
            bars.update(finished[0].id, visible=False)

    try:
        yield report
    finally:
        if tasks:
            bars.stop()
