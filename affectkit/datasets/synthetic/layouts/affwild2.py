"""Aff-Wild2 as since ABAW3: a video and a text file a person; the single ratings lie beside it.

With traps: those of `affwild2_takes`, another task's files of the same names, and hidden files.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from affectkit.datasets import affwild2
from affectkit.datasets.affwild2 import ALIGNMENT
from affectkit.datasets.placing import annotate
from affectkit.datasets.synthetic.layouts.affwild2_takes import (
    DECIMALS,
    Take,
    ratings,
    read_back,
    takes,
    text_of,
    write_take,
)
from affectkit.datasets.synthetic.layouts.layout import Layout, write_once
from affectkit.datasets.synthetic.movement import RATERS
from affectkit.datasets.synthetic.plan import Plan
from affectkit.errors import AffectkitError
from affectkit.files import beside
from affectkit.recording import AFFECT

SPLIT_FOLDERS = {"train": "Train_Set", "validation": "Validation_Set", "test": "Test_Set"}
VIDEOS = "batch1"


def write(root: Path, plan: Plan, number: int) -> None:
    """Write the videos, annotations and ratings of one person."""
    folder = root / "VA_Estimation_Challenge" / SPLIT_FOLDERS[plan.split(number)]
    for take in takes(plan, number):
        _write_ratings(_rating_path(root, take.name), plan, take)
        write_once(folder / f"{take.name}.txt", text_of(plan, take), end=take.end)
        if take.draws:
            write_take(root / VIDEOS / take.video, plan, take)
        if plan.traps:
            other_task = root / "EXPR_Recognition_Challenge" / folder.name
            write_once(other_task / f"{take.name}.txt", "Neutral,Anger\n0\n-1\n")
            write_once(folder / f"._{take.name}.txt", "")
            write_once(root / VIDEOS / f"._{take.video}", "")


def finish(root: Path, plan: Plan) -> None:
    """Leave a hidden file beside the videos."""
    if plan.traps:
        write_once(root / VIDEOS / ".DS_Store", "")


def _rating_path(root: Path, name: str) -> Path:
    return root / "ratings" / f"{name}.csv"


def _write_ratings(path: Path, plan: Plan, take: Take) -> None:
    """Every rater's trace in long form: frame, rater, valence, arousal."""
    if path.is_file():
        return
    traces = [
        pd.DataFrame(trace, columns=list(AFFECT)).assign(frame=range(len(trace)), rater=rater)
        for rater, trace in zip(RATERS, ratings(plan, take), strict=True)
    ]
    table = pd.concat(traces)[["frame", "rater", *AFFECT]]
    with beside(path) as partial:
        table.to_csv(partial, index=False, float_format=f"%.{DECIMALS}f")


def written(plan: Plan, number: int) -> dict[str, xr.Dataset]:
    """The mean of the raters, rounded as in the file, and each rating."""
    return {take.name: _known(plan, take) for take in takes(plan, number)}


def _known(plan: Plan, take: Take) -> xr.Dataset:
    known = annotate(
        read_back(plan, take), dataset="synthetic", recording=take.name, alignment=ALIGNMENT
    )
    traces = ratings(plan, take).round(DECIMALS)
    return _with_ratings(known, dict(zip(RATERS, traces, strict=True)))


def annotations(root: Path, name: str) -> xr.Dataset:
    """Read a recording as `affwild2.annotations` does, and its ratings (rater, frame, affect).

    Raises:
        AffectkitError: a file is missing or not in the format.
    """
    return _with_ratings(affwild2.annotations(root, name), _read_ratings(_rating_path(root, name)))


def _with_ratings(known: xr.Dataset, ratings: dict[str, np.ndarray]) -> xr.Dataset:
    values = np.stack(list(ratings.values())).astype(np.float32)
    return known.assign(rating=(("rater", "frame", "affect"), values), rater=list(ratings))


def _read_ratings(path: Path) -> dict[str, np.ndarray]:
    """Every rater's trace (frame, affect) by name."""
    try:
        table = pd.read_csv(path).sort_values("frame")
        raters = table.groupby("rater")
        return {str(rater): traces[list(AFFECT)].to_numpy() for rater, traces in raters}
    except (OSError, ValueError, KeyError) as error:
        raise AffectkitError(f"{path} cannot be read as ratings: {error}") from None


LAYOUT = Layout(affwild2.index, annotations, write, written, finish)
