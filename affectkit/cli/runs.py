"""The commands that make a run, and add to it."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import pandas as pd
import typer

from affectkit.cli import network, printing
from affectkit.cli.console import console, say
from affectkit.errors import AffectkitError

if TYPE_CHECKING:  # training imports torch
    from affectkit.training.recipe import Recipe


def train(
    recipe: Annotated[str, typer.Argument(help="A .toml file, or a shipped recipe's name.")],
    recordings: Annotated[Path | None, typer.Option(help="Folder of recordings.")] = None,
    run: Annotated[Path | None, typer.Option(help="Folder that training leaves.")] = None,
    set_: Annotated[list[str], typer.Option("--set", help="TABLE.KEY=VALUE")] = [],  # noqa: B006
    devices: Annotated[
        int | None, typer.Option(help="Processes, each with a GPU where there are any.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show network, memory and time; train nothing.")
    ] = False,
) -> None:
    """Train a net by a recipe; the same command again goes on where it was cut off."""
    from affectkit.training.recipe import read_recipe

    given = [] if devices is None else [f"training.devices={devices}"]
    read = read_recipe(recipe, [*set_, *given])
    if dry_run:
        _rehearse(read, recordings)
    elif recordings is None or run is None:
        raise AffectkitError("train needs --recordings and --run; only --dry-run goes without")
    else:
        _train(read, recordings, run)


def _rehearse(recipe: "Recipe", recordings: Path | None) -> None:
    from affectkit.training.pace import frames_in_epoch, time_step
    from affectkit.training.summary import estimate_memory, list_layers, windows_at_once

    frames = frames_in_epoch(recipe, recordings) if recordings else None
    network.show_layers(console, recipe, list_layers(recipe))
    network.show_memory(console, recipe, estimate_memory(recipe), windows_at_once(recipe))
    network.show_pace(console, recipe, time_step(recipe), frames)


def _train(recipe: "Recipe", recordings: Path, run: Path) -> None:
    from affectkit.training.fit import fit

    with printing.progress(console) as progress:
        history = fit(
            recipe,
            recordings,
            run,
            on_epoch=lambda row: printing.show_epoch(console, row),
            progress=progress,
        )
    best = max(row["ccc_mean"] for row in history)
    say(f"{run}: {len(history)} epochs, best mean CCC on validation {best:.3f}")


def predict(
    run: Path,
    paths: Annotated[list[Path], typer.Argument(help="Recordings, folders of them, or videos.")],
    overlay: Annotated[
        Path | None, typer.Option(help="Write one video with its prediction drawn onto it.")
    ] = None,
    window: Annotated[
        int | None, typer.Option(help="Frames read from an empty state; 0 = one stream.")
    ] = None,
    stride: Annotated[int | None, typer.Option(help="Frames between windows.")] = None,
    blend: Annotated[
        str | None, typer.Option(help="Of windows that overlap: mean, triangular.")
    ] = None,
    smooth: Annotated[
        str | None, typer.Option(help="none, median, savitzky-golay, wiener.")
    ] = None,
    smooth_seconds: Annotated[float | None, typer.Option(help="The filter's window.")] = None,
) -> None:
    """Predict valence and arousal of every frame; the results lie in the run's folder.

    What is not given here is as the run's contract says: its recipe's [predict], or what
    'affectkit tune' found.
    """
    from affectkit.predict import gather, how_to_predict
    from affectkit.predict import predict as predict_one

    how = how_to_predict(
        run,
        window=window,
        stride=stride,
        blend=blend,
        smooth=smooth,
        smooth_seconds=smooth_seconds,
    )
    with printing.progress(console) as progress:
        stores = gather(run, paths, progress)
        if overlay and len(stores) != 1:
            raise AffectkitError(f"--overlay takes one recording, got {len(stores)}")
        for done, store in enumerate(stores, start=1):
            predict_one(run, store, how=how)
            progress("predict", done, len(stores))
        if overlay:
            printing.overlay(run, stores[0], overlay, progress)
    say(f"{len(stores)} predictions in {run / 'predictions'}")
    printing.show_origin(run)


def ensemble(
    out: Annotated[Path, typer.Argument(help="Folder of the new run.")],
    runs: Annotated[list[Path], typer.Argument(help="Two or more runs.")],
) -> None:
    """Make a run that is the mean of others; predict and evaluate it like any other."""
    from affectkit.predict import make_ensemble

    make_ensemble(out, runs)
    say(f"{out} is the mean of {len(runs)} runs; next: affectkit predict {out} PATHS")


def tune(
    run: Path,
    recordings: Annotated[Path | None, typer.Option(help="Where the run's are now.")] = None,
) -> None:
    """Choose the filter of a run's predictions on its validation recordings, and keep it."""
    from affectkit.predict import tune as tune_run

    with printing.progress(console) as progress:
        table = tune_run(run, recordings, progress=progress)
    printing.show_rows(console, printing.rounded(table))
    say(f"{run} now predicts as the first row says; predict again what is predicted")


def evaluate(
    run: Path,
    split: str = "test",
    recordings: Annotated[Path | None, typer.Option(help="Where the run's are now.")] = None,
    format_: Annotated[str, typer.Option("--format", help="table, csv, latex, json")] = "table",
) -> None:
    """Score a run's predictions, with intervals, and write scores.csv; show what raters reach."""
    from affectkit import evaluation

    scores = evaluation.evaluate(run, recordings, split=split)
    raters = evaluation.evaluate_raters(run, recordings, split=split)
    shown = pd.concat([scores, raters]) if len(raters) else scores
    printing.show_scores(shown, format_)


def compare(run: Path, others: list[Path], split: str = "test") -> None:
    """The paired difference of runs on the same recordings, with intervals."""
    from affectkit import evaluation

    for other in others:
        printing.show_difference(evaluation.compare(run, other, split=split), run, other)


def attribute(
    run: Path,
    names: Annotated[list[str] | None, typer.Argument(metavar="[RECORDING]...")] = None,
    method: str = "gradient_x_input",
) -> None:
    """Attribute every frame's valence and arousal to its pixels."""
    from affectkit.attribution import attribute as attribute_one
    from affectkit.run import list_predictions, read_contract, recording_store

    read_contract(run)
    names = names or list_predictions(run)
    if not names:
        raise AffectkitError(f"{run} has no predictions; run: affectkit predict {run} RECORDINGS")
    with printing.progress(console) as progress:
        for done, name in enumerate(names, start=1):
            attribute_one(run, recording_store(run, name), method)
            progress(f"attribute by {method}", done, len(names))
    say(f"{len(names)} attributions in {run / 'attributions' / method}")
