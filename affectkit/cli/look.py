"""The commands to look at results with."""

from pathlib import Path
from typing import Annotated

import typer

from affectkit.cli.console import say
from affectkit.errors import AffectkitError, unknown


def figure(
    kind: Annotated[
        str,
        typer.Argument(
            help="Of a run: film-strip, traces or regions. "
            "Of a dataset: density, coverage, subjects or annotations."
        ),
    ],
    source: Annotated[Path, typer.Argument(help="A run, or a folder of recordings.")],
    out: Annotated[Path, typer.Option(help="A .pdf, .svg or .png file.")],
    recording: Annotated[
        str | None, typer.Argument(help="Its name; figures of a dataset show all without.")
    ] = None,
    target: Annotated[str, typer.Option(help="valence or arousal, for film-strip.")] = "valence",
    dataset: Annotated[
        str | None, typer.Option(help="The source is this dataset's own folder.")
    ] = None,
) -> None:
    """Make a figure for a paper; its data go beside it as CSV."""
    from affectkit import paper

    if kind in paper.DATASET_FIGURES:
        paper.dataset_figure(kind, source, out, dataset=dataset, recording=recording)
    elif kind not in paper.FIGURES:
        raise unknown("figure", kind, [*paper.FIGURES, *paper.DATASET_FIGURES])
    elif recording is None:
        raise AffectkitError(f"a figure of {kind} shows one recording: name it behind the run")
    else:
        paper.figure(kind, source, recording, out, target=target)
    say(str(out))


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

    launch(runs, recordings=recordings, port=port, open_browser=browser, say=say)
