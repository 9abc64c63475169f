"""The command that hands predictions in."""

from pathlib import Path
from typing import Annotated

import typer

from affectkit.cli.console import say
from affectkit.errors import AffectkitError


def submit(
    kind: Annotated[str, typer.Argument(help="abaw, abaw2020, omg, sewa, recola")],
    run: Annotated[Path | None, typer.Argument(help="A run with predictions.")] = None,
    *,
    sample: Annotated[
        Path, typer.Option(help="What the organisers give out: the rows to be handed in.")
    ],
    out: Annotated[Path | None, typer.Option(help="File or folder to write.")] = None,
    check: Annotated[
        Path | None, typer.Option(help="Check this file or folder; write nothing.")
    ] = None,
    overwrite: Annotated[bool, typer.Option(help="Replace what stands at --out.")] = False,
) -> None:
    """Write a run's predictions as a challenge wants them, or --check what is to be handed in."""
    from affectkit import submission

    if check and not (run or out):
        _show_faults(submission.validate(kind, check, sample), check)
        return
    if check or not (run and out):
        raise AffectkitError("give either RUN and --out, to write, or --check, to check")
    notes = submission.write(kind, run, sample, out, overwrite=overwrite)
    for note in notes:
        say(note)
    _show_faults(submission.validate(kind, out, sample), out)


def _show_faults(faults: list[str], path: Path) -> None:
    for fault in faults:
        say(fault)
    say(f"{path}: {len(faults)} kinds of fault" if faults else f"{path} fits the sample")
    if faults:
        raise typer.Exit(1)
