"""RECOLA as AVEC 2016 handed it out, with the test set's annotations, which that left out."""

from pathlib import Path

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from affectkit.datasets import recola
from affectkit.datasets.placing import annotate
from affectkit.datasets.synthetic.film import film
from affectkit.datasets.synthetic.layouts.layout import Layout, write_once
from affectkit.datasets.synthetic.movement import RATERS
from affectkit.datasets.synthetic.plan import Plan, make_scene
from affectkit.recording import AFFECT
from affectkit.video import write_video

SPLIT_NAMES = {"train": "train", "validation": "dev", "test": "test"}
RATE = 25  # rows a second
DECIMALS = 4
HEAD = """@relation GOLDSTANDARD

@attribute Instance_name string
@attribute frameTime numeric
@attribute GoldStandard numeric


@data

"""


def name_of(plan: Plan, number: int) -> str:
    """Numbered from 1 within the split."""
    split = plan.split(number)
    before = sum(plan.split(other) == split for other in range(number))
    return f"{SPLIT_NAMES[split]}_{before + 1}"


def write(root: Path, plan: Plan, number: int) -> None:
    """Write one person's video, gold standard and ratings."""
    name, (time, rating) = name_of(plan, number), moments(plan, number)
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
            rating_text(time, rating[:, :, column]),
        )
    if plan.traps:
        write_once(root / "ratings_gold_standard" / "arousal" / ".DS_Store", "")
    video = root / "recordings_video" / f"{name}.mp4"
    if not video.is_file():
        write_video(video, film(make_scene(plan, number), plan.fps), fps=plan.fps)


def moments(plan: Plan, number: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Seconds (sample), both ends among them, and ratings (rater, sample, affect)."""
    scene = make_scene(plan, number)
    time = (np.arange(round(plan.seconds * RATE) + 1) / RATE).round(2)
    frames = np.arange(plan.frames) / plan.fps
    rating = [[np.interp(time, frames, trace) for trace in traces.T] for traces in scene.rating]
    return time, np.moveaxis(np.array(rating), 1, 2).round(DECIMALS)


def rating_text(time: NDArray[np.float64], traces: NDArray[np.float64]) -> str:
    """The raters' traces (rater, sample) of one affect; their names end in a space, as there."""
    rows = [
        ";".join([f"{second:g}", *(f"{value:.{DECIMALS}f}" for value in values)])
        for second, values in zip(time, traces.T, strict=True)
    ]
    return "\n".join([f"time;{' ;'.join(RATERS)}", *rows, ""])


def written(plan: Plan, number: int) -> dict[str, xr.Dataset]:
    """The mean of the raters at each moment, and their ratings."""
    return known(plan, number, name_of(plan, number))


def known(plan: Plan, number: int, name: str) -> dict[str, xr.Dataset]:
    """The mean of the raters at each moment, rounded as in the file, and their ratings."""
    time, rating = moments(plan, number)
    read = annotate(
        rating.mean(axis=0).round(DECIMALS),
        dataset="recola",
        recording=name,
        time=time,
        alignment=recola.ALIGNMENT,
    )
    ratings = (("rater", "sample", "affect"), rating.astype(np.float32))
    return {name: read.assign(rating=ratings, rater=list(RATERS))}


LAYOUT = Layout(recola.index, recola.annotations, write, written)
