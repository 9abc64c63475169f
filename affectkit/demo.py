"""The demo: synthetic data, recordings, two trained models, predictions, scores, attributions.

Every step skips what an earlier call has finished, so the same call resumes an interrupted demo.
The joint CNN-RNN starts from the weights of the CNN, as the models of the paper start from
pretrained weights. The demo shows that the whole pipeline works. Its data are synthetic, so its
scores say nothing about real faces.
"""

from pathlib import Path
from typing import NamedTuple

import pandas as pd

from affectkit.attribution import attribute
from affectkit.datasets import synthetic
from affectkit.evaluation import compare, evaluate
from affectkit.files import StrPath
from affectkit.inference import predict
from affectkit.parallel import Progress, no_progress
from affectkit.preparation import prepare
from affectkit.recording import list_recordings, open_recording
from affectkit.results import attribution_path, prediction_path
from affectkit.run import SCORES, read_metadata, read_scores
from affectkit.training.fit import fit
from affectkit.training.recipe import Recipe, read_recipe

METHOD = "gradient_x_input"


class DemoSize(NamedTuple):
    """Amount of data and the recipe of a demo."""

    subjects: tuple[int, int, int]  # in training, validation and test
    seconds: float  # of each video
    recipe: str


SHORT = DemoSize((16, 4, 6), 10.0, "demo-short")
FULL = DemoSize((32, 8, 8), 20.0, "demo")
PARTS = 4  # of a window: without a temporal module, windows can be short, and of more subjects


class DemoResult(NamedTuple):
    """The folders that the demo wrote, and the scores on the held-out subjects."""

    recordings: Path
    runs: Path
    scores: dict[str, pd.DataFrame]  # of each run, on the test split
    difference: pd.DataFrame  # scores of the joint model minus those of the CNN, paired
    detected: float  # share of frames in which the detector found the synthetic face


def run_demo(
    out: StrPath, *, full: bool = False, workers: int = 2, progress: Progress = no_progress
) -> DemoResult:
    """Run the whole pipeline on synthetic data.

    Args:
        out: output folder; a second call with the same folder resumes an interrupted demo.
        full: use more subjects, longer videos and a larger model.
        workers: number of processes that write the videos and detect the faces.
        progress: called with the name of the step, the amount done and the total.

    Raises:
        AffectkitError: `out` contains a demo of another size.
    """
    return run_demo_of_size(out, FULL if full else SHORT, workers=workers, progress=progress)


def run_demo_of_size(
    out: StrPath, size: DemoSize, *, workers: int = 2, progress: Progress = no_progress
) -> DemoResult:
    """Run the demo with any amount of data; see `run_demo`."""
    out = Path(out)
    recordings, runs = out / "recordings", out / "runs"
    synthetic.write_synthetic(
        out / "dataset",
        subjects=size.subjects,
        seconds=size.seconds,
        workers=workers,
        progress=_step("write synthetic videos", progress),
    )
    prepare(
        "synthetic",
        out / "dataset",
        recordings,
        workers=workers,
        progress=_count_recordings("detect and crop faces", sum(size.subjects), progress),
    )
    weights = (runs / "cnn").resolve()
    recipes = {
        "cnn": _cnn_recipe(size.recipe),
        "joint": read_recipe(size.recipe, name="joint", model={"weights": str(weights)}),
    }
    for name, recipe in recipes.items():
        _train_and_evaluate(recipe, recordings, runs / name, progress)
    scores = {name: read_scores(runs / name) for name in recipes}
    difference = compare(runs / "cnn", runs / "joint")
    return DemoResult(recordings, runs, scores, difference, _detected_share(recordings))


def _cnn_recipe(source: str) -> Recipe:
    """The recipe of the CNN alone, which is trained from scratch."""
    windows, training = read_recipe(source).windows, read_recipe(source).training
    return read_recipe(
        source,
        name="cnn",
        model={"temporal": "none"},
        windows={"length": windows.length // PARTS, "batch": windows.batch * PARTS},
        training={"learning_rates": dict.fromkeys(training.learning_rates, training.learning_rate)},
    )


def _train_and_evaluate(recipe: Recipe, recordings: Path, run: Path, progress: Progress) -> None:
    name = recipe.name
    fit(
        recipe,
        recordings,
        run,
        progress=_step(f"train {name}", progress),
    )
    names = read_metadata(run)["splits"]["test"]
    missing = [each for each in names if not prediction_path(run, each).exists()]
    paths = [recordings / f"{each}.zarr" for each in missing]
    predict(run, paths, progress=_step(f"predict {name}", progress))
    if not (run / SCORES).is_file():
        evaluate(run, recordings)
    missing = [each for each in names if not attribution_path(run, METHOD, each).exists()]
    paths = [recordings / f"{each}.zarr" for each in missing]
    attribute(run, paths, METHOD, progress=_step(f"attribute {name}", progress))


def _step(name: str, progress: Progress) -> Progress:
    """Report the progress of a step under `name`."""
    return lambda _, done, total: progress(name, done, total)


def _count_recordings(step: str, total: int, progress: Progress) -> Progress:
    """Turn the progress within each recording into one count of finished recordings."""
    finished: set[str] = set()

    def report(name: str, done: int, frames: int) -> None:
        if done == frames:
            finished.add(name)
            progress(step, len(finished), total)

    return report


def _detected_share(recordings: Path) -> float:
    detected = [open_recording(path)["detected"] for path in list_recordings(recordings)]
    return float(sum(d.sum() for d in detected) / sum(d.size for d in detected))
