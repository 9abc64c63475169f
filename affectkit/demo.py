"""The main job in one go: synthetic data -> recordings -> two nets -> predictions, scores, reasons.

Each step keeps what an earlier call left and does only what is missing, so a demo that was cut off
goes on. The joint net starts from the CNN that was trained by itself, as the paper's start from
pretrained ones. What this shows is the road, not the world: drawn people teach nothing about real
ones.
"""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from affectkit.attribution import attribute
from affectkit.datasets import synthetic
from affectkit.evaluation import compare, evaluate
from affectkit.predict import predict
from affectkit.prepare import prepare
from affectkit.recording import list_recordings, open_recording
from affectkit.run import (
    SCORES,
    attribution_path,
    prediction_path,
    read_contract,
    read_scores,
)
from affectkit.training.fit import fit
from affectkit.training.recipe import Recipe, read_recipe

Progress = Callable[[str, int, int], None]


class Size(NamedTuple):
    """How large a demo is."""

    people: tuple[int, int, int]  # for training, validation and test
    seconds: float
    recipe: str


# a net without memory needs no long windows: short ones bring more people into a batch
SHORT_WINDOWS = ("windows.length=20", "windows.batch=16")
FULL = Size((32, 8, 8), 20.0, "demo")
QUICK = Size((6, 3, 3), 8.0, "quick")


class Outcome(NamedTuple):
    """Where a demo left what, and how well the nets did on people they have not seen."""

    recordings: Path
    runs: Path
    scores: dict[str, pd.DataFrame]  # of each run, pooled over the test split
    difference: pd.DataFrame  # joint minus CNN, paired
    detected: float  # share of frames in which the detector found the drawn face


def demo(out: Path, size: Size = FULL, *, workers: int = 2, progress: Progress) -> Outcome:
    """Do the main job on drawn people.

    Args:
        out: folder for everything; a second call goes on where the first was cut off.
        size: `FULL`, or `QUICK` to see that all works; the scores of the quick one mean nothing.
        workers: processes for drawing and face detection.
        progress: called with the step's name, what is done and how much there is.

    Returns:
        Where everything lies, and the scores.
    """
    recordings, runs = out / "recordings", out / "runs"
    synthetic.write(
        out / "dataset",
        people=size.people,
        seconds=size.seconds,
        workers=workers,
        progress=lambda done, total: progress("draw people", done, total),
    )
    prepare(
        "synthetic",
        out / "dataset",
        recordings,
        workers=workers,
        progress=_count("find and cut faces", sum(size.people), progress),
    )
    start = (runs / "cnn").resolve()
    recipes = {
        "cnn": read_recipe(size.recipe, ["name=cnn", "model.temporal=none", *SHORT_WINDOWS]),
        "joint": read_recipe(size.recipe, ["name=joint", f"model.weights={start}"]),
    }
    for name, recipe in recipes.items():
        _train_and_look(recipe, recordings, runs / name, progress)
    scores = {name: read_scores(runs / name) for name in recipes}
    difference = compare(runs / "cnn", runs / "joint")
    return Outcome(recordings, runs, scores, difference, _detected(recordings))


def _train_and_look(recipe: Recipe, recordings: Path, run: Path, progress: Progress) -> None:
    name = recipe.name
    fit(recipe, recordings, run, progress=lambda n, *state: progress(f"train {n}", *state))
    unseen = read_contract(run)["splits"]["test"]
    _each(f"predict {name}", unseen, lambda n: prediction_path(run, n),
          lambda n: predict(run, recordings / f"{n}.zarr"), progress)  # fmt: skip
    if not (run / SCORES).is_file():
        evaluate(run, recordings)
    _each(f"attribute {name}", unseen, lambda n: attribution_path(run, "gradient_x_input", n),
          lambda n: attribute(run, recordings / f"{n}.zarr"), progress)  # fmt: skip


def _count(step: str, total: int, progress: Progress) -> Progress:
    """One bar for all recordings: it moves when one is written."""
    written: set[str] = set()

    def report(name: str, done: int, frames: int) -> None:
        if done == frames:
            written.add(name)
            progress(step, len(written), total)

    return report


def _each(
    step: str,
    names: list[str],
    path: Callable[[str], Path],
    make: Callable[[str], object],
    progress: Progress,
) -> None:
    for done, name in enumerate(names, start=1):
        if not path(name).exists():
            make(name)
        progress(step, done, len(names))


def _detected(recordings: Path) -> float:
    found = [open_recording(path)["detected"] for path in list_recordings(recordings)]
    return float(sum(d.sum() for d in found) / sum(d.size for d in found))
