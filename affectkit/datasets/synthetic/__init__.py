"""Drawn people whose emotion is known: a dataset that everybody can make, and check.

It teaches nothing about real people. It is there because a drawn face has known causes: which
movement showed which emotion, and how late each rater followed. That makes time stamps, loaders,
learning and attribution checkable; whoever shows results on it should say what they are worth.

`write` makes it, in the layout of any dataset that affectkit reads (`LAYOUTS`), on wish with the
oddities of the real copies, and `written` says what a loader must read back. By default that is
Aff-Wild2 with about one frame in a hundred marked as not annotated, and beside it
`ratings/NAME.csv`, every single rater's trace (the annotation is their mean). `synthetic.json`
holds the numbers that everything follows from; `truth` and `effect` give back the causes.

Valence moves the corners of the mouth (AU12, AU15) and the brows (AU4); arousal the lids (AU5), the
jaw (AU26), blinks, and above all how fast the head swings, which no single frame shows.
Licence: whatever is made with it is free of any.
"""

from pathlib import Path

import pandas as pd
import xarray as xr

from affectkit.datasets.synthetic.layouts import LAYOUTS
from affectkit.datasets.synthetic.movement import MOVEMENT
from affectkit.datasets.synthetic.plan import read_plan
from affectkit.datasets.synthetic.truth import effect, truth, written
from affectkit.datasets.synthetic.writer import write

__all__ = ["LAYOUTS", "MOVEMENT", "annotations", "effect", "index", "truth", "write", "written"]


def index(root: Path) -> pd.DataFrame:
    """List the recordings as the loader of its layout does.

    Raises:
        AffectkitError: there is no synthetic dataset in `root`.
    """
    return LAYOUTS[read_plan(root).layout].index(Path(root))


def annotations(root: Path, name: str) -> xr.Dataset:
    """Read a recording's annotation as the loader of its layout does, and ratings where it has.

    Raises:
        AffectkitError: there is no such recording; a file is missing or not in the format.
    """
    known = LAYOUTS[read_plan(root).layout].annotations(Path(root), name)
    return known.assign_attrs(dataset="synthetic")
