"""Commands: datasets, check, prepare, raters."""

import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from affectkit.cli.output import (
    check_format,
    console,
    count,
    errors,
    print_rows,
    progress_bars,
    say,
)
from affectkit.errors import AffectkitError
from affectkit.parallel import check_parallel

if TYPE_CHECKING:
    from affectkit.faces import Crop

RATER_MEASURES = ("pairwise CCC", "CCC with the others", "ICC(2,1)", "ICC(3,1)", "seconds apart")

Dataset = Annotated[
    str, typer.Argument(help="Name of a dataset, as listed by: affectkit datasets.")
]
Workers = Annotated[int, typer.Option(help="Number of processes on this machine.", min=1)]
Scheduler = Annotated[
    str,
    typer.Option(
        metavar="ADDRESS",
        help="Scheduler of a Dask cluster to use instead, such as tcp://10.0.0.1:8786. Its "
        "workers (dask worker --nthreads 1) need the same paths of all folders.",
    ),
]


TimeUnit = Annotated[
    str,
    typer.Option(
        metavar="s|ms|frames",
        help="Tables of your own: unit of the column of times (by default that in its name, else "
        "seconds); frames: it contains frame numbers.",
    ),
]
LabelRange = Annotated[
    tuple[float, float] | None,
    typer.Option(
        metavar="LOW HIGH",
        help="Tables of your own: the ends of the scale, which become -1 and 1 (default -1 1).",
    ),
]
FirstFrame = Annotated[
    int | None,
    typer.Option(
        metavar="0|1",
        help="Tables of your own: number of the first frame (default 0, unless the video or a "
        "column of times shows that it is 1).",
    ),
]
Between = Annotated[
    str,
    typer.Option(
        metavar="linear|nearest|hold",
        help="Tables of your own: labels of frames between two rows. hold: that of the row before, "
        "for tables written when the label changes. By default linear between times, and no label "
        "for frames that a table by frame leaves out.",
    ),
]


def datasets() -> None:
    """List the supported datasets."""
    from affectkit.datasets import DATASETS

    table = Table("dataset", "description", box=None)
    for name, dataset in sorted(DATASETS.items()):
        module = sys.modules[dataset.index.__module__]
        table.add_row(name, (module.__doc__ or "").splitlines()[0])
    console.print(table)


def check(
    dataset: Dataset,
    root: Annotated[Path, typer.Argument(help="Folder of the dataset, in its published layout.")],
    workers: Workers = 1,
    scheduler: Scheduler = "",
    time_unit: TimeUnit = "",
    label_range: LabelRange = None,
    first_frame: FirstFrame = None,
    between: Between = "",
    recordings: Annotated[
        bool, typer.Option("--recordings", help="Also print a row for each recording.")
    ] = False,
    format_: Annotated[
        str, typer.Option("--format", help="Output format: table or json.")
    ] = "table",
) -> None:
    """Report the contents and the problems of a dataset before it is prepared.

    Reads all annotations, decodes all videos and writes nothing. Exit status 1 if there are
    findings, 0 if there are none.
    """
    from affectkit.checking import check as check_dataset
    from affectkit.cli.reports import REPORT_FORMATS, print_dataset_report
    from affectkit.datasets import LabelFormat

    check_parallel(workers, scheduler)
    check_format(format_, REPORT_FORMATS)
    labels = LabelFormat(time_unit, label_range, first_frame, between)
    with progress_bars(errors) as progress:
        report = check_dataset(
            dataset, root, labels=labels, workers=workers, scheduler=scheduler, progress=progress
        )
    print_dataset_report(report, format_, recordings=recordings)
    raise typer.Exit(int(not report.clean))


def prepare(
    dataset: Annotated[
        str, typer.Argument(help="Name of a dataset, or 'video' for videos of your own.")
    ],
    paths: Annotated[
        list[Path], typer.Argument(help="Folder of the dataset, or one or more videos.")
    ],
    out: Annotated[Path, typer.Option(help="Output folder for the recordings.")],
    only: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME", help="Prepare only this recording of the dataset; may be repeated."
        ),
    ] = None,
    detector: Annotated[
        str, typer.Option(help="Face detector: dlib, face-alignment or blazeface.")
    ] = "dlib",
    upsample: Annotated[
        int,
        typer.Option(
            help="dlib, blazeface: how many times to double the resolution, to find small faces.",
            min=0,
        ),
    ] = 0,
    detect: Annotated[
        bool,
        typer.Option("--detect", help="Detect faces even if the dataset has crops or landmarks."),
    ] = False,
    workers: Workers = 1,
    scheduler: Scheduler = "",
    annotation: Annotated[
        list[Path] | None,
        typer.Option(
            help="Annotation of a single video: CSV file with the columns frame or time, "
            "valence and arousal, or a file of DARMA; twice for two files of one affect each, "
            "such as those of CARMA, named ..._valence and ..._arousal."
        ),
    ] = None,
    time_unit: TimeUnit = "",
    label_range: LabelRange = None,
    first_frame: FirstFrame = None,
    between: Between = "",
    person: Annotated[
        str,
        typer.Option(
            metavar="left|right|N",
            help="Which person of the videos; 2: the person with the second largest face. The "
            "names of their recordings end in _left, _2, ... By default the largest face.",
        ),
    ] = "",
    stream: Annotated[
        int | None,
        typer.Option(
            help="Number of the video stream in the files, as in ffprobe; by default the one that "
            "FFmpeg prefers.",
            min=0,
        ),
    ] = None,
    fps: Annotated[
        float | None,
        typer.Option(help="Frames per second of folders of numbered pictures, used as videos."),
    ] = None,
    size: Annotated[
        int | None, typer.Option(help="Height and width of the crops in pixels (default 96).")
    ] = None,
    margin: Annotated[
        float | None,
        typer.Option(
            help="Side of the crop, as a multiple of the distance from the bridge of the nose to "
            "the chin (default 1.52)."
        ),
    ] = None,
    like: Annotated[
        Path | None,
        typer.Option(metavar="RUN", help="Use the crop settings of this run, to predict with it."),
    ] = None,
) -> None:
    """Make recordings of a dataset or of videos: detect, track and crop the faces.

    Recordings that exist are skipped, so the same command resumes an interrupted one.
    """
    from affectkit.datasets import LabelFormat
    from affectkit.preparation import prepare as prepare_dataset
    from affectkit.preparation import prepare_videos

    check_parallel(workers, scheduler)
    _check_options(
        dataset,
        paths,
        dataset_only={"--only": only, "--detect": detect},
        video_only={
            "--annotation": annotation,
            "--person": person,
            "--stream": stream is not None,
            "--fps": fps is not None,
        },
    )
    labels = LabelFormat(time_unit, label_range, first_frame, between)
    if dataset == "video" and labels != LabelFormat() and not annotation:
        raise AffectkitError(
            "the format of labels was given without labels: add --annotation FILE, or leave it out"
        )
    settings: dict[str, Any] = {
        "labels": labels,
        "crop": _crop(size, margin, like),
        "detector": detector,
        "options": {"upsample": upsample} if upsample else {},
        "workers": workers,
        "scheduler": scheduler,
    }
    with progress_bars() as progress:
        if dataset == "video":
            prepared = prepare_videos(
                paths,
                out,
                annotation_csv=annotation,
                person=person,
                stream=stream,
                fps=fps,
                progress=progress,
                **settings,
            )
        elif len(paths) == 1:
            prepared = prepare_dataset(
                dataset, paths[0], out, only=only, detect=detect, progress=progress, **settings
            )
        else:
            raise AffectkitError(f"expected one folder of {dataset!r}, got {len(paths)} paths")
    _print_recordings(prepared)


def _check_options(
    dataset: str,
    paths: list[Path],
    *,
    dataset_only: Mapping[str, object],
    video_only: Mapping[str, object],
) -> None:
    """Refuse options that would be ignored.

    Raises:
        AffectkitError: naming the option and what it is for.
    """
    is_video = dataset == "video"
    for option, value in (dataset_only if is_video else video_only).items():
        if value:
            expected = "datasets" if is_video else "videos of your own (affectkit prepare video)"
            got = "videos" if is_video else f"dataset {dataset!r}"
            raise AffectkitError(f"{option} is for {expected} only, got {got}: leave it out")
    if video_only["--annotation"] and len(paths) > 1:
        raise AffectkitError(f"--annotation needs a single video, got {len(paths)} videos")


def _crop(size: int | None, margin: float | None, like: Path | None) -> "Crop":
    """The crop settings that the options ask for.

    Raises:
        AffectkitError: a setting is out of range, or they contradict each other.
    """
    from affectkit.faces import Crop
    from affectkit.preparation import crop_of

    given = {"size": size, "margin": margin}
    changes: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    if like and changes:
        option = f"--{next(iter(changes))}"
        raise AffectkitError(f"--like takes all crop settings of {like}: leave out {option}")
    return crop_of(like) if like else replace(Crop(), **changes)


def _print_recordings(paths: list[Path]) -> None:
    from affectkit.recording import open_recording

    rows = []
    for path in paths:
        recording = open_recording(path)
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
        print_rows(rows)
    console.print(count(len(rows), "recording"))


def raters(
    recordings: Annotated[
        Path, typer.Argument(help="Folder of recordings with ratings of two or more raters.")
    ],
    format_: Annotated[
        str, typer.Option("--format", help="Output format: table or csv.")
    ] = "table",
) -> None:
    """Measure the agreement of the human raters, and the delay between them."""
    from affectkit.evaluation import rater_table

    check_format(format_, ("table", "csv"))
    agreement = rater_table(recordings)
    if format_ == "csv":
        say(agreement.to_csv(float_format="%.6f").rstrip())
        return
    headings = (f"{measure}\nV, A" for measure in RATER_MEASURES)
    table = Table("recording", "raters", *headings, box=None)
    for name, row in agreement.iterrows():
        cells = [
            f"{row[f'{measure} V']:.3f}, {row[f'{measure} A']:.3f}" for measure in RATER_MEASURES
        ]
        table.add_row(str(name), f"{row['raters']:g}", *cells)
    console.print(table)
    say(
        "V: valence, A: arousal. CCC with the others: each rater against the mean of the others. "
        "ICC by Shrout & Fleiss. Seconds apart: the longest rater delay minus the shortest."
    )
