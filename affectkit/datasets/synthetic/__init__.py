"""Drawn people whose emotion is known: a dataset that everybody can make, and check.

It teaches nothing about real people. It is there because a drawn face has known causes: which
movement showed which emotion, and how late each rater followed. That makes time stamps, loaders,
learning and attribution checkable; whoever shows results on it should say what they are worth.

`write` makes it, in the layout of Aff-Wild2 and read by the same loader, traps included: about one
frame in a hundred is marked as not annotated. Beside that layout lie `synthetic.json`, the numbers
that everything follows from, and `ratings/NAME.csv`, every single rater's trace (the annotation is
their mean). `truth` and `effect` give back the causes.

Valence moves the corners of the mouth (AU12, AU15) and the brows (AU4); arousal the lids (AU5), the
jaw (AU26), blinks, and above all how fast the head swings, which no single frame shows.
Licence: whatever is made with it is free of any.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from affectkit.datasets import affwild2
from affectkit.datasets.synthetic.movement import MOVEMENT
from affectkit.datasets.synthetic.plan import read_plan
from affectkit.datasets.synthetic.truth import effect, truth
from affectkit.datasets.synthetic.writer import write
from affectkit.errors import AffectkitError
from affectkit.recording import AFFECT

__all__ = ["MOVEMENT", "annotations", "effect", "index", "truth", "write"]


def index(root: Path) -> pd.DataFrame:
    """List the recordings, one a person, as `affwild2.index` does.

    Raises:
        AffectkitError: there is no synthetic dataset in `root`.
    """
    read_plan(root)
    return affwild2.index(root)


def annotations(root: Path, row: pd.Series, time: NDArray[np.float64]) -> xr.Dataset:
    """Read a recording's annotation as `affwild2.annotations` does, and its ratings.

    Returns:
        `annotation` (frame, affect) and `rating` (rater, frame, affect), both in [-1, 1]; NaN
        where a frame has no rating.

    Raises:
        AffectkitError: a file is missing or not in the format.
    """
    dataset = affwild2.annotations(root, row, time)
    ratings = _read_ratings(Path(root) / "ratings" / f"{row['recording']}.csv")
    values = np.full((len(ratings), len(time), len(AFFECT)), np.nan, np.float32)
    for number, rating in enumerate(ratings.values()):
        values[number, : len(rating)] = rating[: len(time)]
    dataset["rating"] = (("rater", "frame", "affect"), values)
    return dataset.assign_coords(rater=list(ratings)).assign_attrs(dataset="synthetic")


def _read_ratings(path: Path) -> dict[str, NDArray[np.float64]]:
    """Every rater's trace (frame, affect) by name."""
    try:
        table = pd.read_csv(path).sort_values("frame")
        raters = table.groupby("rater")
        return {str(rater): traces[list(AFFECT)].to_numpy() for rater, traces in raters}
    except (OSError, ValueError, KeyError) as error:
        raise AffectkitError(f"{path} cannot be read as ratings: {error}") from None
