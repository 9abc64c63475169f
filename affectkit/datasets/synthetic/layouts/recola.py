"""RECOLA in two layouts: ARFF files as in AVEC 2016, and CSV files as in the later release.

The first includes the annotations of the test set, which were not published. In the second, the
gold standard is centred by concordance.
"""

from pathlib import Path

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from affectkit.datasets import recola
from affectkit.datasets.annotation import make_annotation
from affectkit.datasets.synthetic.layouts.layout import (
    Layout,
    write_once,
)
from affectkit.datasets.synthetic.movement import RATERS
from affectkit.datasets.synthetic.rendering import render_video
from affectkit.datasets.synthetic.scene import Settings, make_scene
from affectkit.recording import AFFECT
from affectkit.video import write_video

SPLIT_NAMES = {"train": "train", "validation": "dev", "test": "test"}
RATE = 25  # rows per second
DECIMALS = 4
FIRST_NUMBER = 16  # the lowest published number
HEAD = """@relation GOLDSTANDARD

@attribute Instance_name string
@attribute frameTime numeric
@attribute GoldStandard numeric


@data

"""


def recording_name(settings: Settings, number: int) -> str:
    """The name of the recording, numbered from 1 within the split."""
    split = settings.split(number)
    before = sum(settings.split(other) == split for other in range(number))
    return f"{SPLIT_NAMES[split]}_{before + 1}"


def write(root: Path, settings: Settings, number: int) -> None:
    """Write the video, gold standard and ratings of one subject."""
    name, (time, rating) = recording_name(settings, number), samples(settings, number)
    for column, affect in enumerate(AFFECT):
        gold = rating.mean(axis=0).round(DECIMALS)[:, column]
        rows = [
            f"{name},{second:g},{value:.{DECIMALS}f}"
            for second, value in zip(time, gold, strict=True)
        ]
        write_once(
            root / "ratings_gold_standard" / affect / f"{name}.arff",
            HEAD + "\n".join(rows) + "\n",
            end="\r\n",
        )
        write_once(
            root / "ratings_individual" / affect / f"{name}.csv",
            ratings_text(time, rating[:, :, column]),
        )
    if settings.quirks:
        write_once(root / "ratings_gold_standard" / "arousal" / ".DS_Store", "")
    video = root / "recordings_video" / f"{name}.mp4"
    if not video.is_file():
        write_video(
            video, render_video(make_scene(settings, number), settings.fps), fps=settings.fps
        )


def samples(settings: Settings, number: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Seconds (sample), including both ends, and ratings (rater, sample, affect)."""
    scene = make_scene(settings, number)
    time = (np.arange(round(settings.seconds * RATE) + 1) / RATE).round(2)
    frames = np.arange(settings.frames) / settings.fps
    rating = [[np.interp(time, frames, trace) for trace in traces.T] for traces in scene.rating]
    return time, np.moveaxis(np.array(rating), 1, 2).round(DECIMALS)


def ratings_text(time: NDArray[np.float64], traces: NDArray[np.float64]) -> str:
    """The traces (rater, sample) of one affect; rater names end in a space, as in the original."""
    rows = [
        ";".join([f"{second:g}", *(f"{value:.{DECIMALS}f}" for value in values)])
        for second, values in zip(time, traces.T, strict=True)
    ]
    return "\n".join([f"time;{' ;'.join(RATERS)}", *rows, ""])


def expected(settings: Settings, number: int) -> dict[str, xr.Dataset]:
    """The mean of the raters at each time, and their ratings."""
    return expected_ratings(settings, number, recording_name(settings, number))


def expected_ratings(settings: Settings, number: int, name: str) -> dict[str, xr.Dataset]:
    """The mean of the raters at each time, rounded as in the file, and their ratings."""
    time, rating = samples(settings, number)
    read = make_annotation(
        rating.mean(axis=0).round(DECIMALS),
        dataset="recola",
        recording=name,
        time=time,
        alignment=recola.ALIGNMENT,
    )
    ratings = (("rater", "sample", "affect"), rating.astype(np.float32))
    return {name: read.assign(rating=ratings, rater=list(RATERS))}


LAYOUT = Layout(recola.index, recola.annotations, write, expected)


def write_csv(root: Path, settings: Settings, number: int) -> None:
    """Write the video, gold standard and ratings of one subject; with quirks, with CRLF."""
    name, (time, rating) = f"P{FIRST_NUMBER + number}", samples(settings, number)
    end = "\r\n" if settings.quirks else "\n"
    for column, affect in enumerate(AFFECT):
        gold = rating.mean(axis=0).round(DECIMALS)[:, column]
        rows = [
            f"{second:.2f},{value:.{DECIMALS}f}" for second, value in zip(time, gold, strict=True)
        ]
        write_once(
            root / "Ratings_affective_behaviour_CCC_centred" / affect / f"{name}.csv",
            "\n".join(["time,value", *rows, ""]),
            end,
        )
        write_once(
            root / "RECOLA-Annotation" / "emotional_behaviour" / affect / f"{name}.csv",
            ratings_text(time, rating[:, :, column]),
            end,
        )
    video = root / "Video_recordings_MP4" / f"{name}.mp4"
    if not video.is_file():
        write_video(
            video, render_video(make_scene(settings, number), settings.fps), fps=settings.fps
        )


def expected_csv(settings: Settings, number: int) -> dict[str, xr.Dataset]:
    """The mean of the raters at each time, and their ratings."""
    return expected_ratings(settings, number, f"P{FIRST_NUMBER + number}")


CSV_LAYOUT = Layout(recola.index, recola.annotations, write_csv, expected_csv)
