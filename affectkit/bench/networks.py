"""The paper's comparison on drawn people: what a memory adds, joint training, landmarks, the loss.

For each seed a CNN is trained by itself (`STARTS`). Every net begins with it and is trained for
equally many epochs more (`NETS`), the per-frame CNN too: no net has seen more than another. The
weights that are kept are those of the epoch that is best on the validation people; scores are of
test people, whom no choice has seen.

One row needs no training: the per-frame CNN's predictions averaged over the frames up to each
(`TRAILING`). Whatever a memory adds beyond it is more than smoothing.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import xarray as xr

from affectkit.bench.over_seeds import compare_nets
from affectkit.bench.pool import Job, Progress, train_all
from affectkit.datasets import synthetic
from affectkit.evaluation import pairs
from affectkit.evaluation.intervals import Bootstrap
from affectkit.evaluation.sums import group_sums
from affectkit.metrics import ccc
from affectkit.prepare import prepare
from affectkit.training.recipe import Recipe, read_recipe


class Size(NamedTuple):
    """How large a comparison is."""

    people: tuple[int, int, int]  # for training, validation and test
    seconds: float
    picture: int  # pixels a side of the drawn videos
    seeds: int
    epochs: tuple[int, int]  # of the CNN by itself, and of every net from there on
    recipe: tuple[str, ...]  # changes to the demo's
    by_itself: tuple[str, ...]  # windows of nets without a memory: short ones bring more people
    onward: tuple[str, ...]  # changes once there is a CNN to start from
    nets: tuple[str, ...]  # of `NETS`; the first is the per-frame CNN


class Net(NamedTuple):
    """A row of the table: the CNN it starts from, and what differs in its own training."""

    start: str
    changes: tuple[str, ...]


ALONE = ("model.temporal=none",)
GRU, LSTM = ("model.temporal=gru",), ("model.temporal=lstm",)
FROZEN = ('training.frozen=["cnn"]',)  # the fully connected layer learns, as in the paper

STARTS: dict[str, tuple[str, ...]] = {
    "plain": (),
    "landmarks": ("model.landmarks=true",),
    "mse": ("training.loss=mse",),
}
CNN, TRAILING = "per-frame CNN", "trailing mean of the CNN"
NETS: dict[str, Net] = {
    CNN: Net("plain", ALONE),
    "per-frame CNN, landmarks": Net("landmarks", ALONE),
    "frozen CNN + GRU": Net("plain", (*GRU, *FROZEN)),
    "joint CNN-LSTM": Net("plain", LSTM),
    "joint CNN-LSTM, landmarks": Net("landmarks", LSTM),
    "joint CNN-GRU": Net("plain", GRU),
    "joint CNN-GRU, landmarks": Net("landmarks", GRU),
    "joint CNN-GRU, MSE loss": Net("mse", GRU),
}
LONGEST = 60  # frames of a trailing mean that are tried

FULL = Size(
    people=(32, 8, 16),
    seconds=20,
    picture=256,
    seeds=3,
    epochs=(20, 20),
    recipe=("windows.length=80", "windows.batch=4"),
    by_itself=("windows.length=20", "windows.batch=16"),
    onward=(),
    nets=tuple(NETS),
)
# The epochs onward were chosen among four settings by the CCC of the validation people, after 8 of
# them gave a difference of the joint CNN-GRU whose interval just held 0. The test people had been
# seen by then: this size shows that the road works, and is no independent evidence.
QUICK = Size(
    people=(48, 8, 12),
    seconds=8,
    picture=160,
    seeds=2,
    epochs=(8, 14),
    recipe=(
        "model.backbone=test_efficientnet",  # timm's smallest: it learns from few people
        "windows.input_size=48",
        "windows.length=60",
        "windows.batch=3",
    ),
    by_itself=("windows.length=10", "windows.batch=16"),
    onward=("training.learning_rates.cnn=5e-4", "training.learning_rates.connected=5e-4"),
    nets=(CNN, "frozen CNN + GRU", "joint CNN-LSTM", "joint CNN-GRU", "joint CNN-GRU, landmarks"),
)


class Outcome(NamedTuple):
    """What a comparison found, and what it rests on."""

    rows: pd.DataFrame  # as `compare_nets` yields them
    size: Size
    subjects: int
    frames: int
    windows: tuple[int, ...]  # frames of the trailing mean, picked for each seed
    resamples: int
    runs: Path


def compare_networks(
    out: Path,
    size: Size = FULL,
    *,
    workers: int = os.cpu_count() or 1,
    progress: Progress,
) -> Outcome:
    """Draw people, train every net with every seed, and compare them.

    Args:
        out: folder for everything; a second call goes on where the first was cut off.
        size: `FULL`, or `QUICK` for minutes in place of an hour.
        workers: processes, each with a net of its own on its share of the processor.
        progress: called with the step's name, what is done and how much there is.

    Returns:
        The scores on the test people, their differences and intervals.
    """
    recordings, starts, runs = out / "recordings", out / "starts", out / "runs"
    _draw(out / "dataset", recordings, size, workers, progress)
    seeds = range(size.seeds)
    first = [
        Job(start_recipe(name, seed, size), recordings, starts / f"{name}-{seed}", scored=False)
        for seed in seeds
        for name in dict.fromkeys(NETS[net].start for net in size.nets)
    ]
    rest = [
        Job(net_recipe(name, seed, size, starts), recordings, run_of(runs, name, seed), scored=True)
        for seed in seeds
        for name in size.nets
    ]
    train_all(first, workers, "train CNNs by themselves, epochs", progress)
    train_all(rest, workers, "train nets from there, epochs", progress)
    return summarise(runs, size)


def run_of(runs: Path, name: str, seed: int) -> Path:
    """The run folder of a net trained with a seed."""
    return runs / f"{name.replace(',', '').replace(' ', '-')}-{seed}"


def start_recipe(name: str, seed: int, size: Size) -> Recipe:
    """How a CNN is trained by itself."""
    named = (f"name={name}-{seed}", f"seed={seed}", f"training.epochs={size.epochs[0]}")
    return read_recipe("demo", [*_common(size, ALONE), *STARTS[name], *named])


def net_recipe(name: str, seed: int, size: Size, starts: Path) -> Recipe:
    """How a net is trained on from the CNN of its seed."""
    start, changes = NETS[name]
    weights = (starts / f"{start}-{seed}").resolve()
    named = (f"name={name}", f"seed={seed}", f"training.epochs={size.epochs[1]}")
    common = _common(size, changes)
    then = (*size.onward, f"model.weights={weights}")
    return read_recipe("demo", [*common, *STARTS[start], *named, *then])


def _common(size: Size, changes: tuple[str, ...]) -> tuple[str, ...]:
    windows = size.by_itself if changes == ALONE else ()
    return ("training.accelerator=cpu", *size.recipe, *windows, *changes)


def _draw(root: Path, recordings: Path, size: Size, workers: int, progress: Progress) -> None:
    synthetic.write(
        root,
        people=size.people,
        seconds=size.seconds,
        size=size.picture,
        workers=workers,
        progress=lambda done, total: progress("draw people", done, total),
    )
    written: set[str] = set()

    def count(name: str, done: int, frames: int) -> None:
        if done == frames:
            written.add(name)
            progress("find and cut faces", len(written), sum(size.people))

    prepare("synthetic", root, recordings, workers=workers, progress=count)


def summarise(runs: Path, size: Size, bootstrap: Bootstrap = Bootstrap()) -> Outcome:  # noqa: B008
    """Compare what the trained nets of a folder predicted."""
    seeds = range(size.seeds)
    test = {
        name: [pairs.open_pairs(run_of(runs, name, seed), None, "test") for seed in seeds]
        for name in size.nets
    }
    validation = [pairs.open_pairs(run_of(runs, CNN, seed), None, "validation") for seed in seeds]
    windows = tuple(map(pick_window, validation))
    averaged = [
        [trailing_mean(pair, frames) for pair in opened]
        for opened, frames in zip(test[CNN], windows, strict=True)
    ]
    sums = {name: _sums(opened) for name, opened in _after_first(test, TRAILING, averaged)}
    rows = pd.DataFrame(compare_nets(sums, (CNN, TRAILING), bootstrap))
    frames = pairs.count_frames(pairs.pool(test[CNN][0]))["mean"]
    subjects = sums[CNN].sizes["group"]
    return Outcome(rows, size, subjects, frames, windows, bootstrap.resamples, runs)


Opened = list[list[xr.Dataset]]  # of each seed, the recordings


def _after_first(nets: dict[str, Opened], name: str, more: Opened) -> Iterator[tuple[str, Opened]]:
    for number, item in enumerate(nets.items()):
        yield item
        if number == 0:
            yield name, more


def _sums(of_seeds: Opened) -> xr.DataArray:
    parts = [group_sums(pairs.pool(o), pairs.subjects_of_frames(o)) for o in of_seeds]
    return xr.concat(parts, "seed").assign_coords(seed=range(len(parts)))


def trailing_mean(pair: xr.Dataset, frames: int) -> xr.Dataset:
    """The mean prediction of each frame and those before it, `frames` in all; NaN stays NaN."""
    prediction = pair["prediction"]
    mean = prediction.rolling(frame=frames, min_periods=1).mean().where(prediction.notnull())
    return pair.assign(prediction=mean)


def pick_window(opened: list[xr.Dataset], longest: int = LONGEST) -> int:
    """Frames of the trailing mean with the highest mean CCC, pooled; the fewest of equal ones."""

    def score(frames: int) -> float:
        pooled = pairs.pool([trailing_mean(pair, frames) for pair in opened])
        return float(ccc(pooled["annotation"], pooled["prediction"], "frame").mean())

    return max(range(1, longest + 1), key=score)
