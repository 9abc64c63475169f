"""SEWA as the AVEC challenges handed it out, with the test set's labels, which they kept."""

from pathlib import Path

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from affectkit.datasets import sewa
from affectkit.datasets.placing import annotate
from affectkit.datasets.synthetic.film import film
from affectkit.datasets.synthetic.layouts.layout import Layout, write_once
from affectkit.datasets.synthetic.plan import SPLITS, Plan, make_scene
from affectkit.video import write_video

LABEL_FOLDERS = {"train": "labels_train", "validation": "labels_devel", "test": "labels_test"}
RATE = 10  # rows a second
DECIMALS = 6
SILENCE = 5  # rows before a rater begins
EXTRA = 13  # rows by which the baseline's predictions are too long


def name_of(plan: Plan, number: int) -> str:
    """Numbered from 1 within the split."""
    split = plan.split(number)
    before = sum(plan.split(other) == split for other in range(number))
    prefix = list(sewa.SPLITS)[SPLITS.index(split)]
    return f"{prefix}_DE_{before + 1:02d}"


def write(root: Path, plan: Plan, number: int) -> None:
    """Write one person's video and labels, and predictions that are not labels."""
    name, (time, values) = name_of(plan, number), moments(plan, number)
    folder = LABEL_FOLDERS[plan.split(number)]
    write_once(root / folder / f"{name}.csv", label_text(name, time, values))
    if plan.traps:
        longer = np.arange(len(time) + EXTRA) / RATE
        predictions = label_text(name, longer, np.zeros((len(longer), 2)))
        write_once(root / "predictions_svr" / f"{name}.csv", predictions)
        write_once(root / folder / ".DS_Store", "")
    video = root / "videos" / f"{name}.mp4"
    if not video.is_file():
        write_video(video, film(make_scene(plan, number), plan.fps), fps=plan.fps)


def moments(plan: Plan, number: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Seconds (sample), and the mean of the raters (sample, affect), valence first."""
    scene = make_scene(plan, number)
    time = np.arange(max(1, round(plan.seconds * RATE))) / RATE
    frames = np.arange(plan.frames) / plan.fps
    mean = scene.rating.mean(axis=0)
    values = np.stack([np.interp(time, frames, trace) for trace in mean.T], axis=1)
    if plan.traps:
        values[:SILENCE] = 0
    return time, values.round(DECIMALS)


def label_text(name: str, time: NDArray[np.float64], values: NDArray[np.float64]) -> str:
    """The labels as a file holds them: quoted names, arousal first."""
    rows = [
        f"'{name}';{second:.6f};{arousal:.{DECIMALS}f};{valence:.{DECIMALS}f};0.000000"
        for second, (valence, arousal) in zip(time, values, strict=True)
    ]
    return "\n".join([";".join(sewa.COLUMNS), *rows, ""])


def written(plan: Plan, number: int) -> dict[str, xr.Dataset]:
    """The mean of the raters, ten times a second."""
    name, (time, values) = name_of(plan, number), moments(plan, number)
    return {
        name: annotate(values, dataset="sewa", recording=name, time=time, alignment=sewa.ALIGNMENT)
    }


LAYOUT = Layout(sewa.index, sewa.annotations, write, written)
