"""The commands that make a run, and add to it."""

from pathlib import Path
from typing import Annotated

import pandas as pd
import typer

from affectkit.cli import printing
from affectkit.cli.console import console
from affectkit.errors import AffectkitError


def train(
    recipe: Annotated[str, typer.Argument(help="A .toml file, or a shipped recipe's name.")],
    recordings: Annotated[Path, typer.Option(help="Folder of recordings.")],
    run: Annotated[Path, typer.Option(help="Folder that training leaves.")],
    set_: Annotated[list[str], typer.Option("--set", help="TABLE.KEY=VALUE")] = [],  # noqa: B006
) -> None:
    """Train a net by a recipe; the same command again goes on where it was cut off."""
    from affectkit.training.fit import fit
    from affectkit.training.recipe import read_recipe

    with printing.progress(console) as progress:
        history = fit(
            read_recipe(recipe, set_),
            recordings,
            run,
            on_epoch=lambda row: printing.show_epoch(console, row),
            progress=progress,
        )
    best = max(row["ccc_mean"] for row in history)
    console.print(f"{run}: {len(history)} epochs, best mean CCC on validation {best:.3f}")


def predict(
    run: Path,
    paths: Annotated[list[Path], typer.Argument(help="Recordings, folders of them, or videos.")],
    overlay: Annotated[
        Path | None, typer.Option(help="Write one video with its prediction drawn onto it.")
    ] = None,
) -> None:
    """Predict valence and arousal of every frame; the results lie in the run's folder."""
    from affectkit.predict import gather
    from affectkit.predict import predict as predict_one

    with printing.progress(console) as progress:
        stores = gather(run, paths, progress)
        if overlay and len(stores) != 1:
            raise AffectkitError(f"--overlay takes one recording, got {len(stores)}")
        for done, store in enumerate(stores, start=1):
            predict_one(run, store)
            progress("predict", done, len(stores))
        if overlay:
            printing.overlay(run, stores[0], overlay, progress)
    console.print(f"{len(stores)} predictions in {run / 'predictions'}")
    printing.show_origin(console, run)


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
    printing.show_scores(console, shown, format_)


def compare(run: Path, others: list[Path], split: str = "test") -> None:
    """The paired difference of runs on the same recordings, with intervals."""
    from affectkit import evaluation

    for other in others:
        printing.show_difference(console, evaluation.compare(run, other, split=split), run, other)


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
    console.print(f"{len(names)} attributions in {run / 'attributions' / method}")
