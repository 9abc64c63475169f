"""The commands from a dataset on disk to recordings."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from affectkit.cli import printing
from affectkit.cli.console import console, errors
from affectkit.errors import AffectkitError


def datasets() -> None:
    """The datasets that affectkit can read."""
    from affectkit.datasets import DATASETS

    table = Table("dataset", "what it is", box=None)
    for name, dataset in sorted(DATASETS.items()):
        module = sys.modules[dataset.index.__module__]
        table.add_row(name, (module.__doc__ or "").splitlines()[0])
    console.print(table)


def check(
    dataset: Annotated[str, typer.Argument(help="A dataset's name.")],
    root: Annotated[Path, typer.Argument(help="Its folder, in its published layout.")],
    workers: Annotated[int, typer.Option(help="Processes.", min=1)] = 1,
    recordings: Annotated[bool, typer.Option("--recordings", help="Show each of them.")] = False,
    format_: Annotated[str, typer.Option("--format", help="table or json")] = "table",
) -> None:
    """Report what is in a dataset's folder and what is wrong: exit status 1 with findings."""
    from affectkit.checking import check as check_dataset
    from affectkit.cli.report import check_format, show_report

    check_format(format_)
    with printing.progress(errors) as progress:
        report = check_dataset(dataset, root, workers=workers, progress=progress)
    show_report(console, report, format_, recordings=recordings)
    raise typer.Exit(int(not report.clean))


def prepare(
    dataset: Annotated[str, typer.Argument(help="A dataset's name, or 'video'.")],
    paths: Annotated[list[Path], typer.Argument(help="The dataset's folder, or video files.")],
    out: Annotated[Path, typer.Option(help="Folder for the recordings.")],
    only: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="A recording; may be given often.")
    ] = None,
    detector: Annotated[str, typer.Option(help="dlib or face-alignment.")] = "dlib",
    upsample: Annotated[
        int, typer.Option(help="dlib: double the picture so often, for small faces.", min=0)
    ] = 0,
    detect: Annotated[
        bool, typer.Option("--detect", help="Find faces even where the dataset brings them.")
    ] = False,
    workers: Annotated[int, typer.Option(help="Processes on this machine.", min=1)] = 1,
    scheduler: Annotated[
        str,
        typer.Option(
            metavar="ADDRESS",
            help="Use a Dask cluster, such as tcp://10.0.0.1:8786; its workers (dask worker "
            "--nthreads 1) see the dataset and OUT under the same paths.",
        ),
    ] = "",
    annotation: Annotated[
        Path | None, typer.Option(help="CSV with frame or time, valence, arousal: for one video.")
    ] = None,
) -> None:
    """Turn a dataset, or videos of your own, into recordings; goes on where it stopped."""
    from affectkit.prepare import prepare as prepare_dataset
    from affectkit.prepare import prepare_videos

    if workers > 1 and scheduler:
        raise AffectkitError("give either --workers or --scheduler: a cluster has its own workers")
    how: dict[str, Any] = {
        "detector": detector,
        "options": {"upsample": upsample} if upsample else {},
        "workers": workers,
        "scheduler": scheduler,
    }
    with printing.progress(console) as progress:
        if dataset == "video":
            done = prepare_videos(paths, out, annotation_csv=annotation, progress=progress, **how)
        elif len(paths) == 1:
            done = prepare_dataset(
                dataset, paths[0], out, only=only, detect=detect, progress=progress, **how
            )
        else:
            raise AffectkitError(f"a dataset has one folder, got {len(paths)}")
    printing.show_recordings(console, done)
