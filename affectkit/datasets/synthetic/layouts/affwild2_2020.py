"""Aff-Wild2 as ABAW2020 handed it out: `raw_videos`, and `VA_Set` without the test set's part.

With traps: those of `affwild2_takes`, folders nested in one of their own name, another task's files
of the same names, and hidden files.
"""

from pathlib import Path

import xarray as xr

from affectkit.datasets import affwild2
from affectkit.datasets.affwild2 import ALIGNMENT
from affectkit.datasets.placing import annotate
from affectkit.datasets.synthetic.layouts.affwild2_takes import (
    read_back,
    takes,
    text_of,
    write_take,
)
from affectkit.datasets.synthetic.layouts.layout import Layout, write_once
from affectkit.datasets.synthetic.plan import Plan

SPLIT_FOLDERS = {"train": "Training_Set", "validation": "Validation_Set"}


def write(root: Path, plan: Plan, number: int) -> None:
    """Write the videos and annotations of one person."""
    split = SPLIT_FOLDERS.get(plan.split(number))
    videos = root / _nested("raw_videos", plan)
    for take in takes(plan, number):
        if take.draws:
            write_take(videos / take.video, plan, take)
        if not split:
            continue
        folder = root / "annotations" / "VA_Set" / _nested(split, plan)
        write_once(folder / f"{take.name}.txt", text_of(plan, take), end=take.end)
        if plan.traps:
            other_task = root / "annotations" / "EXPR_Set" / split
            write_once(other_task / f"{take.name}.txt", "Neutral,Anger\n0\n-1\n")
            write_once(folder / f"._{take.name}.txt", "")


def _nested(name: str, plan: Plan) -> str:
    return f"{name}/{name}" if plan.traps else name


def written(plan: Plan, number: int) -> dict[str, xr.Dataset]:
    """The mean of the raters, rounded as in the file; nothing of the test split."""
    if plan.split(number) not in SPLIT_FOLDERS:
        return {}
    return {
        take.name: annotate(
            read_back(plan, take), dataset="synthetic", recording=take.name, alignment=ALIGNMENT
        )
        for take in takes(plan, number)
    }


LAYOUT = Layout(affwild2.index, affwild2.annotations, write, written)
