"""Datasets on disk, each in its own published layout, read into one form.

A dataset is two functions: `index(root)` lists its recordings in a table (`listing.make_index` says
with which columns), `annotations(root, name)` reads the affect of one of them (`placing.annotate`
says in which form); `on_frames` lays that onto the frames of the video. Adding a dataset is a file
here and a line in `DATASETS`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import xarray as xr

from affectkit.datasets import (
    afew_va,
    affectnet,
    affwild,
    affwild2,
    omg,
    recola,
    sewa,
    synthetic,
    table,
)
from affectkit.datasets.placing import on_frames
from affectkit.datasets.splits import group_folds, with_folds
from affectkit.errors import unknown


@dataclass(frozen=True)
class Dataset:
    """The two functions of a dataset."""

    index: Callable[[Path], pd.DataFrame]
    annotations: Callable[[Path, str], xr.Dataset]


DATASETS = {
    "afew_va": Dataset(afew_va.index, afew_va.annotations),
    "affectnet": Dataset(affectnet.index, affectnet.annotations),
    "affwild": Dataset(affwild.index, affwild.annotations),
    "affwild2": Dataset(affwild2.index, affwild2.annotations),
    "affwild2-crops": Dataset(affwild2.crops.index, affwild2.crops.annotations),
    "omg": Dataset(omg.index, omg.annotations),
    "recola": Dataset(recola.index, recola.annotations),
    "sewa": Dataset(sewa.index, sewa.annotations),
    "synthetic": Dataset(synthetic.index, synthetic.annotations),
    "table": Dataset(table.index, table.annotations),
}


def find(name: str) -> Dataset:
    """The dataset of that name.

    Raises:
        AffectkitError: there is none; lists the known ones.
    """
    if name not in DATASETS:
        raise unknown("dataset", name, DATASETS)
    return DATASETS[name]


__all__ = ["DATASETS", "Dataset", "find", "group_folds", "on_frames", "with_folds"]
