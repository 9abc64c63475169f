"""The commands to look at results with."""

from pathlib import Path
from typing import Annotated

import typer

from affectkit.cli.console import console


def figure(
    kind: Annotated[str, typer.Argument(help="film-strip, traces or regions")],
    run: Path,
    recording: str,
    out: Annotated[Path, typer.Option(help="A .pdf, .svg or .png file.")],
    target: str = "valence",
) -> None:
    """Make a figure for a paper; its data go beside it as CSV."""
    from affectkit import paper

    paper.figure(kind, run, recording, out, target=target)
    console.print(f"{out}")


def dashboard(
    runs: Annotated[Path, typer.Argument(help="A run, or a folder of runs.")] = Path("runs"),
    recordings: Annotated[
        Path | None, typer.Option(help="Folder of recordings; by default where they were.")
    ] = None,
    port: int = 8501,
    browser: Annotated[bool, typer.Option(help="Open a browser.")] = True,
) -> None:
    """Predicted against annotated affect on the playing video, with saliency."""
    from affectkit.dashboard import launch

    launch(runs, recordings=recordings, port=port, open_browser=browser, say=console.print)
