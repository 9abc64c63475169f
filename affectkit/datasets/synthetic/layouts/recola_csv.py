"""RECOLA as its authors handed it out later: CSV files, a gold standard centred by concordance."""

from pathlib import Path

import xarray as xr

from affectkit.datasets import recola
from affectkit.datasets.synthetic.film import film
from affectkit.datasets.synthetic.layouts.layout import Layout, write_once
from affectkit.datasets.synthetic.layouts.recola import (
    DECIMALS,
    known,
    moments,
    rating_text,
)
from affectkit.datasets.synthetic.plan import Plan, make_scene
from affectkit.recording import AFFECT
from affectkit.video import write_video

FIRST = 16  # the lowest number among the published ones


def write(root: Path, plan: Plan, number: int) -> None:
    """Write one person's video, gold standard and ratings; some copies have CRLF."""
    name, (time, rating) = f"P{FIRST + number}", moments(plan, number)
    end = "\r\n" if plan.traps else "\n"
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
            rating_text(time, rating[:, :, column]),
            end,
        )
    video = root / "Video_recordings_MP4" / f"{name}.mp4"
    if not video.is_file():
        write_video(video, film(make_scene(plan, number), plan.fps), fps=plan.fps)


def written(plan: Plan, number: int) -> dict[str, xr.Dataset]:
    """The mean of the raters at each moment, and their ratings."""
    return known(plan, number, f"P{FIRST + number}")


LAYOUT = Layout(recola.index, recola.annotations, write, written)
