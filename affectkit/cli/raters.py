"""The command that looks at human raters."""

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from affectkit.cli.console import console
from affectkit.errors import unknown

FORMATS = ("table", "csv")
SHOWN = ("CCC of pairs", "CCC with the rest", "ICC(2,1)", "ICC(3,1)", "seconds apart")


def raters(
    recordings: Annotated[Path, typer.Argument(help="Recordings that have ratings.")],
    format_: Annotated[str, typer.Option("--format", help="table, csv")] = "table",
) -> None:
    """How well the human raters of recordings agree, and how far apart in time they follow."""
    from affectkit.evaluation import rater_table

    if format_ not in FORMATS:
        raise unknown("format", format_, FORMATS)
    found = rater_table(recordings)
    if format_ == "csv":
        text = found.to_csv(float_format="%.6f")
        console.print(text, markup=False, highlight=False, soft_wrap=True, end="")
        return
    table = Table("recording", "raters", *(f"{name}\nV, A" for name in SHOWN), box=None)
    for name, row in found.iterrows():
        cells = [f"{row[f'{each} V']:.3f}, {row[f'{each} A']:.3f}" for each in SHOWN]
        table.add_row(str(name), f"{row['raters']:g}", *cells)
    console.print(table)
    console.print(
        "CCC with the rest: each rater against the mean of the others. ICC after Shrout & Fleiss. "
        "Seconds apart: the latest rater's lag minus the earliest's.",
        highlight=False,
        soft_wrap=True,
    )
