"""Compare the paper's networks on synthetic data: RNN, joint training, landmarks, loss.

For each seed, CNNs are first trained without RNN (`STARTS`). Each network of `NETWORKS` starts from
one of them and is trained for the same number of further epochs, the per-frame CNN too: all
networks see the same amount of data. The kept weights are those of the best epoch on the validation
subjects. Scores are those of held-out subjects, which are not used for any choice.

One row needs no training: the predictions of the per-frame CNN, each averaged with those of the
frames before it (`TRAILING_MEAN`). What an RNN gains over this row is more than smoothing.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import xarray as xr

from affectkit.bench.networks_training import NetworkTask, train_networks
from affectkit.bench.seed_intervals import score_rows
from affectkit.datasets import synthetic
from affectkit.evaluation import scores
from affectkit.evaluation.intervals import Bootstrap, group_sums
from affectkit.files import StrPath
from affectkit.metrics import ccc
from affectkit.parallel import Progress, no_progress
from affectkit.preparation import prepare
from affectkit.training.recipe import Recipe, parse_overrides, read_recipe


class Size(NamedTuple):
    """The size of a comparison, and the settings that depend on it."""

    subjects: tuple[int, int, int]  # for training, validation and test
    seconds: float  # of each video
    image_size: int  # side of the synthetic videos in pixels
    seeds: int
    epochs: tuple[int, int]  # of the CNNs in `STARTS`, and of each network after that
    recipe: tuple[str, ...]  # changes to the demo recipe
    frame_windows: tuple[str, ...]  # windows without RNN: short, for more subjects in a batch
    continued: tuple[str, ...]  # changes for training that starts from a CNN
    networks: tuple[str, ...]  # names in `NETWORKS`; the first is the per-frame CNN


class Network(NamedTuple):
    """A row of the table: the CNN it starts from, and the changes for its own training."""

    start: str  # a name in `STARTS`
    changes: tuple[str, ...]


NO_RNN = ("model.temporal=none",)
GRU, LSTM = ("model.temporal=gru",), ("model.temporal=lstm",)
FROZEN = ('training.frozen=["cnn"]',)  # the fully connected layer is trained, as in the paper

STARTS: dict[str, tuple[str, ...]] = {
    "plain": (),
    "landmarks": ("model.landmarks=true",),
    "mse": ("training.loss=mse",),
}
CNN, TRAILING_MEAN = "per-frame CNN", "trailing mean of the CNN"
NETWORKS: dict[str, Network] = {
    CNN: Network("plain", NO_RNN),
    "per-frame CNN, landmarks": Network("landmarks", NO_RNN),
    "frozen CNN + GRU": Network("plain", (*GRU, *FROZEN)),
    "joint CNN-LSTM": Network("plain", LSTM),
    "joint CNN-LSTM, landmarks": Network("landmarks", LSTM),
    "joint CNN-GRU": Network("plain", GRU),
    "joint CNN-GRU, landmarks": Network("landmarks", GRU),
    "joint CNN-GRU, MSE loss": Network("mse", GRU),
}
LONGEST_MEAN = 60  # frames of the longest trailing mean that is tried

FULL = Size(
    subjects=(32, 8, 16),
    seconds=20,
    image_size=256,
    seeds=3,
    epochs=(20, 20),
    recipe=("windows.length=80", "windows.batch=4"),
    frame_windows=("windows.length=20", "windows.batch=16"),
    continued=(),
    networks=tuple(NETWORKS),
)
# The second number of epochs was chosen from four settings by the CCC on the validation subjects,
# after 8 epochs gave a difference of the joint CNN-GRU with an interval that just included 0. The
# scores of the test subjects had been seen by then: this size shows that the code works, and is no
# independent evidence.
QUICK = Size(
    subjects=(48, 8, 12),
    seconds=8,
    image_size=160,
    seeds=2,
    epochs=(8, 14),
    recipe=(
        "model.backbone=test_efficientnet",  # the smallest of timm: it learns from few subjects
        "windows.input_size=48",
        "windows.length=60",
        "windows.batch=3",
    ),
    frame_windows=("windows.length=10", "windows.batch=16"),
    continued=("training.learning_rates.cnn=5e-4", "training.learning_rates.fc=5e-4"),
    networks=(
        CNN,
        "frozen CNN + GRU",
        "joint CNN-LSTM",
        "joint CNN-GRU",
        "joint CNN-GRU, landmarks",
    ),
)


class Comparison(NamedTuple):
    """The result of a comparison."""

    rows: pd.DataFrame  # as `score_rows` yields them
    size: Size
    subjects: int  # of the test split
    frames: int  # of the test split
    windows: tuple[int, ...]  # frames of the trailing mean, selected for each seed
    resamples: int
    runs: Path


def compare_networks(
    out: StrPath,
    size: Size = FULL,
    *,
    workers: int = os.cpu_count() or 1,
    progress: Progress = no_progress,
) -> Comparison:
    """Write synthetic data, train each network with each seed, and compare their scores.

    Args:
        out: output folder. A second call resumes an interrupted one.
        size: `FULL`, or `QUICK` for minutes instead of an hour.
        workers: number of processes. Each trains one network, with its share of the CPU cores.
        progress: called with the name of the step, completed units and all units.
    """
    out = Path(out)
    recordings, starts, runs = out / "recordings", out / "starts", out / "runs"
    _write_recordings(out / "dataset", recordings, size, workers, progress)
    seeds = range(size.seeds)
    start_tasks = [
        NetworkTask(
            start_recipe(name, seed, size), recordings, starts / f"{name}-{seed}", scored=False
        )
        for seed in seeds
        for name in dict.fromkeys(NETWORKS[network].start for network in size.networks)
    ]
    network_tasks = [
        NetworkTask(
            network_recipe(name, seed, size, starts),
            recordings,
            run_folder(runs, name, seed),
            scored=True,
        )
        for seed in seeds
        for name in size.networks
    ]
    name = "train CNNs without RNN, epochs"
    train_networks(start_tasks, workers=workers, name=name, progress=progress)
    name = "train networks from these CNNs, epochs"
    train_networks(network_tasks, workers=workers, name=name, progress=progress)
    return summarise(runs, size)


def run_folder(runs: Path, name: str, seed: int) -> Path:
    """The run folder of a network trained with a seed."""
    return runs / f"{name.replace(',', '').replace(' ', '-')}-{seed}"


def start_recipe(name: str, seed: int, size: Size) -> Recipe:
    """The recipe of a CNN in `STARTS`."""
    named = (f"name={name}-{seed}", f"seed={seed}", f"training.epochs={size.epochs[0]}")
    changes = [*_common_changes(size, NO_RNN), *STARTS[name], *named]
    return read_recipe("demo", **parse_overrides(changes))


def network_recipe(name: str, seed: int, size: Size, starts: Path) -> Recipe:
    """The recipe of a network in `NETWORKS`, which starts from the CNN of the same seed."""
    start, changes = NETWORKS[name]
    weights = (starts / f"{start}-{seed}").resolve()
    named = (f"name={name}", f"seed={seed}", f"training.epochs={size.epochs[1]}")
    common = _common_changes(size, changes)
    continued = (*size.continued, f"model.weights={weights}")
    overrides = parse_overrides([*common, *STARTS[start], *named, *continued])
    return read_recipe("demo", **overrides)


def _common_changes(size: Size, changes: tuple[str, ...]) -> tuple[str, ...]:
    windows = size.frame_windows if changes == NO_RNN else ()
    return (*size.recipe, *windows, *changes)


def _write_recordings(
    root: Path, recordings: Path, size: Size, workers: int, progress: Progress
) -> None:
    synthetic.write_synthetic(
        root,
        subjects=size.subjects,
        seconds=size.seconds,
        size=size.image_size,
        workers=workers,
        progress=lambda _, done, total: progress("write synthetic videos", done, total),
    )
    prepared: set[str] = set()

    def count(name: str, done: int, frames: int) -> None:
        if done == frames:
            prepared.add(name)
            progress("prepare recordings", len(prepared), sum(size.subjects))

    prepare("synthetic", root, recordings, workers=workers, progress=count)


def summarise(
    runs: Path,
    size: Size,
    bootstrap: Bootstrap = Bootstrap(),  # noqa: B008
) -> Comparison:
    """Compare the predictions of the trained networks in a folder of runs."""
    seeds = range(size.seeds)
    test = {
        name: [scores.load_split(run_folder(runs, name, seed), None, "test") for seed in seeds]
        for name in size.networks
    }
    validation = [
        scores.load_split(run_folder(runs, CNN, seed), None, "validation") for seed in seeds
    ]
    windows = tuple(map(select_window, validation))
    averaged = [
        [trailing_mean(pair, frames) for pair in recordings]
        for recordings, frames in zip(test[CNN], windows, strict=True)
    ]
    by_name = _insert_second(test, TRAILING_MEAN, averaged)
    sums = {name: _subject_sums(of_seeds) for name, of_seeds in by_name}
    rows = pd.DataFrame(score_rows(sums, (CNN, TRAILING_MEAN), bootstrap))
    frames = scores.count_frames(scores.pool_frames(test[CNN][0]))["mean"]
    subjects = sums[CNN].sizes["group"]
    return Comparison(rows, size, subjects, frames, windows, bootstrap.resamples, runs)


SeedRecordings = list[list[xr.Dataset]]  # for each seed, annotation and prediction of recordings


def _insert_second(
    networks: dict[str, SeedRecordings], name: str, recordings: SeedRecordings
) -> Iterator[tuple[str, SeedRecordings]]:
    for number, item in enumerate(networks.items()):
        yield item
        if number == 0:
            yield name, recordings


def _subject_sums(of_seeds: SeedRecordings) -> xr.DataArray:
    sums = [group_sums(scores.pool_frames(o), scores.frame_subjects(o)) for o in of_seeds]
    return xr.concat(sums, "seed").assign_coords(seed=range(len(sums)))


def trailing_mean(pair: xr.Dataset, frames: int) -> xr.Dataset:
    """The mean prediction of each frame and those before it, `frames` in all; NaN stays NaN."""
    prediction = pair["prediction"]
    mean = prediction.rolling(frame=frames, min_periods=1).mean().where(prediction.notnull())
    return pair.assign(prediction=mean)


def select_window(recordings: list[xr.Dataset], longest: int = LONGEST_MEAN) -> int:
    """Frames of the trailing mean with the highest mean CCC, pooled; the fewest if equal."""

    def score(frames: int) -> float:
        pooled = scores.pool_frames([trailing_mean(pair, frames) for pair in recordings])
        return float(ccc(pooled["annotation"], pooled["prediction"], "frame").mean())

    return max(range(1, longest + 1), key=score)
