"""The commands to begin with: the demo, what is installed, the notebooks, speeds."""

from pathlib import Path
from typing import Annotated

import typer

from affectkit.cli import printing
from affectkit.cli.console import console


def demo(
    out: Annotated[Path, typer.Argument(help="Folder for everything.")] = Path("data/demo"),
    quick: Annotated[bool, typer.Option("--quick", help="Few people and epochs.")] = False,
    dashboard: Annotated[bool, typer.Option(help="Open the dashboard at the end.")] = True,
    port: Annotated[int, typer.Option(help="Port of the dashboard.")] = 8501,
) -> None:
    """Draw people, prepare, train, predict, evaluate, attribute, and open the dashboard."""
    from affectkit.dashboard import launch
    from affectkit.demo import FULL, QUICK
    from affectkit.demo import demo as run_demo

    with printing.progress(console) as progress:
        outcome = run_demo(out, QUICK if quick else FULL, progress=progress)
    printing.show_outcome(console, outcome)
    if dashboard:
        launch(outcome.runs, recordings=outcome.recordings, port=port, say=console.print)


def doctor(
    video: Annotated[Path | None, typer.Argument(help="A video to report on.")] = None,
    format_: Annotated[str, typer.Option("--format", help="Of VIDEO: table, json")] = "table",
) -> None:
    """What is installed and what is missing; with VIDEO what can part labels from its frames."""
    from affectkit import doctor as doctors
    from affectkit.cli.alignment import show_video
    from affectkit.cli.report import check_format

    check_format(format_)
    if video:
        show_video(console, doctors.video_report(video), format_)
    else:
        printing.show_rows(console, [check._asdict() for check in doctors.report()])


def notebooks(
    folder: Annotated[Path, typer.Argument(help="Folder to copy them to.")] = Path("notebooks"),
    browser: Annotated[bool, typer.Option(help="Open JupyterLab.")] = True,
) -> None:
    """Copy the notebooks and open them in JupyterLab."""
    from affectkit import lab

    paths = lab.copy_notebooks(folder)
    console.print("\n".join(str(path) for path in paths))
    if browser:
        lab.open_lab(folder)


def bench(name: Annotated[str, typer.Argument(help="saliency or train")]) -> None:
    """Measure a speed as a ratio against something named, in the same run."""
    from affectkit.bench import run_bench

    printing.show_rows(console, run_bench(name))
