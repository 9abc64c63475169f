"""Commands: predict, evaluate, compare, attribute, submit."""

from pathlib import Path
from typing import Annotated

import typer

from affectkit.cli.output import check_format, count, progress_bars, say
from affectkit.cli.training import Device
from affectkit.errors import AffectkitError
from affectkit.parallel import Progress

SCORE_FORMATS = ("table", "csv", "latex", "json")

Run = Annotated[Path, typer.Argument(help="Folder of the run.")]
Workers = Annotated[
    int, typer.Option(help="Number of processes; each loads the model once.", min=1)
]
Scheduler = Annotated[
    str,
    typer.Option(
        help="Address of a Dask scheduler, such as tcp://10.0.0.1:8786. Its workers need the run "
        "and the recordings under the same paths."
    ),
]
Overwrite = Annotated[
    bool, typer.Option("--overwrite", help="Compute again what is stored and up to date.")
]
Split = Annotated[str, typer.Option(help="Split to score: train, validation or test.")]


def predict(
    run: Run,
    paths: Annotated[
        list[Path], typer.Argument(help="Recordings, folders of recordings, or video files.")
    ],
    overlay: Annotated[
        Path | None,
        typer.Option(help="Also write this .mp4 video with the prediction drawn on each frame."),
    ] = None,
    window: Annotated[
        int | None,
        typer.Option(help="Frames per window; 0: the whole recording in one stream."),
    ] = None,
    stride: Annotated[
        int | None, typer.Option(help="Frames from one window to the next; 0: as --window.")
    ] = None,
    blend: Annotated[
        str | None,
        typer.Option(help="Weights where windows overlap: mean or triangular."),
    ] = None,
    smooth: Annotated[
        str | None,
        typer.Option(help="Smoothing filter: none, median, savitzky-golay or wiener."),
    ] = None,
    smooth_seconds: Annotated[
        float | None, typer.Option(help="Length of the smoothing filter in seconds.")
    ] = None,
    device: Device = "auto",
    precision: Annotated[
        str,
        typer.Option(help="32; on a GPU also tf32, bf16 or fp16, on a CPU bf16: less exact."),
    ] = "32",
    workers: Workers = 1,
    scheduler: Scheduler = "",
    overwrite: Overwrite = False,
) -> None:
    """Predict valence and arousal of every frame.

    Predictions are saved in RUN/predictions; those that are there already and up to date are kept,
    so the same command resumes. A video is prepared first. Options that are not given
    have the values of the table 'predict' of the recipe, or those that 'affectkit tune' has chosen.
    """
    from affectkit.inference import predict as predict_recordings
    from affectkit.preparation.inputs import expand_inputs
    from affectkit.run import read_metadata

    read_metadata(run)
    recordings = expand_inputs(paths)
    if overlay and len(recordings) != 1:
        raise AffectkitError(f"--overlay needs exactly one recording, got {len(recordings)}")
    kept: list[str] = []
    with progress_bars() as progress:
        predictions = predict_recordings(
            run,
            recordings,
            window=window,
            stride=stride,
            blend=blend,
            smooth=smooth,
            smooth_seconds=smooth_seconds,
            device=device,
            precision=precision,
            workers=workers,
            scheduler=scheduler,
            overwrite=overwrite,
            on_kept=kept.append,
            progress=progress,
        )
        if overlay:
            _write_overlay(run, predictions[0].attrs["recording_path"], overlay, progress)
    say(f"{count(len(predictions), 'prediction')} in {run / 'predictions'}{_kept(kept)}")
    _print_warning(run)


def _kept(names: list[str]) -> str:
    """A remark for the last line of a command that keeps results."""
    return f"; {len(names)} of them were up to date and kept" if names else ""


def _write_overlay(run: Path, recording_path: str, out: Path, progress: Progress) -> None:
    from affectkit.overlay import write_overlay
    from affectkit.recording import open_recording
    from affectkit.results import open_prediction
    from affectkit.run import read_metadata, warning

    recording = open_recording(recording_path)
    prediction = open_prediction(run, recording.attrs["recording"])
    is_synthetic = recording.attrs["dataset"] == "synthetic"
    caption = "" if is_synthetic else warning(read_metadata(run))
    write_overlay(recording, prediction, out, caption=caption, progress=progress)


def _print_warning(run: Path) -> None:
    from affectkit.run import read_metadata, warning

    if text := warning(read_metadata(run)):
        say(f"{run}: {text}")


def evaluate(
    run: Run,
    split: Split = "test",
    recordings: Annotated[
        Path | None, typer.Option(help="Recordings folder, if it was moved.")
    ] = None,
    format_: Annotated[
        str, typer.Option("--format", help="Output format: table, csv, latex or json.")
    ] = "table",
) -> None:
    """Score the predictions of a run, and show the agreement of human raters (the ceiling).

    CCC, Pearson correlation, RMSE, MAE, bias and sign agreement, with 95 % bootstrap intervals. The
    scores of the run are written to RUN/scores.csv. The agreement of raters is shown if the
    recordings have ratings.
    """
    import pandas as pd

    from affectkit import evaluation

    check_format(format_, SCORE_FORMATS)
    scores = evaluation.evaluate(run, recordings, split=split)
    raters = evaluation.evaluate_raters(run, recordings, split=split)
    shown = pd.concat([scores, raters]) if len(raters) else scores
    say(evaluation.format_scores(shown, format_))


def compare(
    run: Run,
    others: Annotated[
        list[Path], typer.Argument(help="Folders of other runs, with the same recordings.")
    ],
    split: Split = "test",
) -> None:
    """Compare runs: scores of each other run minus those of RUN.

    The differences are paired: both runs are scored on the same frames and bootstrap resamples.
    """
    from affectkit import evaluation

    for other in others:
        difference = evaluation.compare(run, other, split=split)
        say(f"{other} minus {run}")
        say(evaluation.format_scores(difference, "table"))


def attribute(
    run: Run,
    paths: Annotated[
        list[Path] | None,
        typer.Argument(
            help="Recordings, folders of recordings, or video files; by default all recordings "
            "that the run has predicted."
        ),
    ] = None,
    method: Annotated[
        str, typer.Option(help="Attribution method: gradient_x_input or integrated_gradients.")
    ] = "gradient_x_input",
    steps: Annotated[
        int | None, typer.Option(help="Points of the paths of integrated gradients; default 32.")
    ] = None,
    device: Device = "auto",
    workers: Workers = 1,
    scheduler: Scheduler = "",
    overwrite: Overwrite = False,
) -> None:
    """Compute how much each pixel raised or lowered valence and arousal, for every frame.

    Attributions are saved in RUN/attributions; those that are there already and up to date are
    kept, so the same command resumes. A video is prepared first.
    """
    from affectkit.attribution import attribute as attribute_recordings
    from affectkit.results import list_predictions, recording_path
    from affectkit.run import read_metadata

    read_metadata(run)
    recordings = paths or [recording_path(run, name) for name in list_predictions(run)]
    if not recordings:
        raise AffectkitError(f"{run} has no predictions; run: affectkit predict {run} RECORDINGS")
    kept: list[str] = []
    with progress_bars() as progress:
        attributions = attribute_recordings(
            run,
            recordings,
            method,
            steps=steps,
            device=device,
            workers=workers,
            scheduler=scheduler,
            overwrite=overwrite,
            on_kept=kept.append,
            progress=progress,
        )
    folder = run / "attributions" / method
    say(f"{count(len(attributions), 'attribution')} in {folder}{_kept(kept)}")


def submit(
    challenge: Annotated[str, typer.Argument(help="abaw, abaw2020, omg, sewa or recola.")],
    run: Annotated[Path | None, typer.Argument(help="Folder of a run with predictions.")] = None,
    *,
    sample: Annotated[
        Path,
        typer.Option(help="Sample submission of the organisers, with the rows to be submitted."),
    ],
    out: Annotated[Path | None, typer.Option(help="File or folder to write.")] = None,
    check: Annotated[
        Path | None, typer.Option(help="Submission to check instead of writing one.")
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace OUT if it exists.")
    ] = False,
) -> None:
    """Write predictions in the format of a challenge, and check them against its sample.

    Exit status 1 if the check finds faults.
    """
    from affectkit import submission

    if check and not (run or out):
        _print_faults(submission.check_submission(challenge, check, sample), check)
        return
    if check or not (run and out):
        raise AffectkitError("give RUN and --out to write a submission, or --check to check one")
    notes = submission.write_submission(challenge, run, sample, out, overwrite=overwrite)
    for note in notes:
        say(note)
    _print_faults(submission.check_submission(challenge, out, sample), out)


def _print_faults(faults: list[str], path: Path) -> None:
    for fault in faults:
        say(fault)
    found = count(len(faults), "kind") + " of fault"
    say(f"{path}: {found}" if faults else f"{path} matches the sample")
    if faults:
        raise typer.Exit(1)
