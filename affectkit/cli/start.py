"""The commands to begin with: the demo, what is installed, the notebooks, speeds."""

from pathlib import Path
from typing import Annotated

import typer

from affectkit.cli import printing
from affectkit.cli.console import console, errors, say
from affectkit.errors import AffectkitError


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
        launch(outcome.runs, recordings=outcome.recordings, port=port, say=say)


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
    say("\n".join(map(str, paths)))
    if browser:
        lab.open_lab(folder)


def bench(
    name: Annotated[str, typer.Argument(help="networks, predict, prepare, saliency or train")],
    quick: Annotated[bool, typer.Option("--quick", help="networks: minutes, not an hour.")] = False,
    out: Annotated[
        Path | None, typer.Option(help="networks: folder for everything. [data/networks]")
    ] = None,
    format_: Annotated[
        str, typer.Option("--format", help="networks: table, csv, latex, json")
    ] = "table",
) -> None:
    """Measure a speed as a ratio against something named, or compare the paper's networks."""
    from affectkit.bench import run_bench

    if name == "networks":
        _compare_networks(
            quick, out or Path("data/networks-quick" if quick else "data/networks"), format_
        )
    elif quick or out or format_ != "table":
        raise AffectkitError("--quick, --out and --format go with: affectkit bench networks")
    else:
        printing.show_rows(console, run_bench(name))


def _compare_networks(quick: bool, out: Path, form: str) -> None:
    from affectkit.bench import networks, networks_table

    networks_table.check_format(form)
    with printing.progress(errors) as progress:
        size = networks.QUICK if quick else networks.FULL
        outcome = networks.compare_networks(out, size, progress=progress)
    if form == "table":
        wide = networks_table.wide_table(outcome).reset_index(names="net")
        rows = [dict(zip(map(str, wide), cells, strict=True)) for cells in wide.values]
        printing.show_rows(console, rows)
        console.print(networks_table.caption(outcome), highlight=False)
        say(f"The trained nets are kept in {outcome.runs}")
    else:
        say(networks_table.FORMATS[form](outcome))
