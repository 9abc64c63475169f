"""Commands: figure, dashboard, notebooks."""

from pathlib import Path
from typing import Annotated

import typer

from affectkit.cli.output import say
from affectkit.errors import AffectkitError, unknown


def figure(
    kind: Annotated[
        str,
        typer.Argument(
            help="film-strip, traces, regions, density, coverage, subjects or annotations."
        ),
    ],
    source: Annotated[Path, typer.Argument(help="Folder of a run, or folder of recordings.")],
    recording: Annotated[
        str | None,
        typer.Argument(
            help="Name of the recording. Figures of a dataset show all recordings by default."
        ),
    ] = None,
    *,
    out: Annotated[Path, typer.Option(help="File to write: .pdf, .svg or .png.")],
    target: Annotated[str, typer.Option(help="film-strip: valence or arousal.")] = "valence",
    method: Annotated[
        str,
        typer.Option(
            help="film-strip, regions: attribution method; by default integrated_gradients if the "
            "run has it."
        ),
    ] = "",
    dataset: Annotated[
        str | None,
        typer.Option(
            help="density, subjects: SOURCE is the folder of this dataset, not of recordings."
        ),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace an existing figure and its CSV.")
    ] = False,
) -> None:
    """Make a figure for a paper; its data are written as CSV under the same name.

    Of a run: film-strip (faces of a recording with their saliency, and its traces), traces
    (annotation and prediction over time), regions (attribution by region of the face).

    Of a dataset: density (of the annotations in the valence-arousal plane), coverage (annotated
    frames and frames with a face over time), subjects (mean annotation of each subject),
    annotations (annotations and ratings over time).
    """
    from affectkit import paper
    from affectkit.results import list_predictions

    if kind in paper.DATASET_FIGURES:
        paper.write_dataset_figure(
            kind, source, out, dataset=dataset, recording=recording, overwrite=overwrite
        )
    elif kind not in paper.RUN_FIGURES:
        raise unknown("figure", kind, [*paper.RUN_FIGURES, *paper.DATASET_FIGURES])
    elif recording is None:
        raise AffectkitError(
            f"the figure {kind!r} shows one recording: give its name after the folder of the run"
        )
    else:
        names = list_predictions(source)
        if names and recording not in names:
            raise unknown("recording", recording, names)
        paper.write_run_figure(
            kind, source, recording, out, target=target, method=method, overwrite=overwrite
        )
    say(str(out))


def dashboard(
    runs: Annotated[Path, typer.Argument(help="Folder of a run, or folder of runs.")] = Path(
        "runs"
    ),
    recordings: Annotated[
        Path | None, typer.Option(help="Recordings folder, if it was moved.")
    ] = None,
    port: Annotated[int, typer.Option(help="Port of the server on this machine.")] = 8501,
    browser: Annotated[bool, typer.Option(help="Open a browser.")] = True,
) -> None:
    """Show runs in the browser: scores, and the video with annotation, prediction and saliency."""
    from affectkit.dashboard import launch

    launch(runs, recordings=recordings, port=port, open_browser=browser, say=say)


def notebooks(
    folder: Annotated[Path, typer.Argument(help="Folder to copy the notebooks to.")] = Path(
        "notebooks"
    ),
    browser: Annotated[bool, typer.Option(help="Open JupyterLab.")] = True,
) -> None:
    """Copy the notebooks of affectkit into a folder and open them in JupyterLab.

    Notebooks that exist in the folder are not changed.
    """
    from affectkit import lab

    paths = lab.copy_notebooks(folder)
    say("\n".join(map(str, paths)))
    if browser:
        lab.open_lab(folder)
