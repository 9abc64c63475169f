"""SEWA as in the AVEC challenges, with the labels of the test set, which were not published."""

from pathlib import Path

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from affectkit.datasets import sewa
from affectkit.datasets.annotation import make_annotation
from affectkit.datasets.synthetic.layouts.layout import (
    Layout,
    write_once,
)
from affectkit.datasets.synthetic.rendering import render_video
from affectkit.datasets.synthetic.scene import SPLITS, Settings, make_scene
from affectkit.video import write_video

LABEL_FOLDERS = {"train": "labels_train", "validation": "labels_devel", "test": "labels_test"}
RATE = 10  # rows per second
DECIMALS = 6
SILENCE = 5  # rows before the raters begin
EXTRA = 13  # additional rows of the baseline's predictions


def recording_name(settings: Settings, number: int) -> str:
    """The name of the recording, numbered from 1 within the split."""
    split = settings.split(number)
    before = sum(settings.split(other) == split for other in range(number))
    prefix = list(sewa.SPLITS)[SPLITS.index(split)]
    return f"{prefix}_DE_{before + 1:02d}"


def write(root: Path, settings: Settings, number: int) -> None:
    """Write the video and labels of one subject, and with quirks predictions."""
    name, (time, values) = recording_name(settings, number), samples(settings, number)
    folder = LABEL_FOLDERS[settings.split(number)]
    write_once(root / folder / f"{name}.csv", label_text(name, time, values))
    if settings.quirks:
        longer = np.arange(len(time) + EXTRA) / RATE
        predictions = label_text(name, longer, np.zeros((len(longer), 2)))
        write_once(root / "predictions_svr" / f"{name}.csv", predictions)
        write_once(root / folder / ".DS_Store", "")
    video = root / "videos" / f"{name}.mp4"
    if not video.is_file():
        write_video(
            video, render_video(make_scene(settings, number), settings.fps), fps=settings.fps
        )


def samples(settings: Settings, number: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Seconds (sample), and the mean of the raters (sample, affect), valence first."""
    scene = make_scene(settings, number)
    time = np.arange(max(1, round(settings.seconds * RATE))) / RATE
    frames = np.arange(settings.frames) / settings.fps
    mean = scene.rating.mean(axis=0)
    values = np.stack([np.interp(time, frames, trace) for trace in mean.T], axis=1)
    if settings.quirks:
        values[:SILENCE] = 0
    return time, values.round(DECIMALS)


def label_text(name: str, time: NDArray[np.float64], values: NDArray[np.float64]) -> str:
    """The labels as in the file: quoted names, arousal before valence."""
    rows = [
        f"'{name}';{second:.6f};{arousal:.{DECIMALS}f};{valence:.{DECIMALS}f};0.000000"
        for second, (valence, arousal) in zip(time, values, strict=True)
    ]
    return "\n".join([";".join(sewa.COLUMNS), *rows, ""])


def expected(settings: Settings, number: int) -> dict[str, xr.Dataset]:
    """The mean of the raters, ten times per second."""
    name, (time, values) = recording_name(settings, number), samples(settings, number)
    return {
        name: make_annotation(
            values, dataset="sewa", recording=name, time=time, alignment=sewa.ALIGNMENT
        )
    }


LAYOUT = Layout(sewa.index, sewa.annotations, write, expected)
