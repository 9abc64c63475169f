"""Loaders of published datasets: from the published layouts to one common structure.

A loader is two functions. `index(root)` lists the recordings in a table (see `index.make_index`).
`annotations(root, name)` reads the annotation of one recording (see `annotation.make_annotation`).
`align_to_frames` aligns it to the frames of the video. To add a dataset, add a module here and a
line to `DATASETS`.
"""

from collections.abc import Callable
from dataclasses import dataclass

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
from affectkit.datasets.annotation import align_to_frames
from affectkit.datasets.splits import group_folds, with_folds
from affectkit.errors import unknown
from affectkit.files import StrPath


@dataclass(frozen=True)
class Loader:
    """The two functions that read a dataset."""

    index: Callable[[StrPath], pd.DataFrame]
    annotations: Callable[[StrPath, str], xr.Dataset]


DATASETS = {
    "afew_va": Loader(afew_va.index, afew_va.annotations),
    "affectnet": Loader(affectnet.index, affectnet.annotations),
    "affwild": Loader(affwild.index, affwild.annotations),
    "affwild2": Loader(affwild2.index, affwild2.annotations),
    "affwild2-crops": Loader(affwild2.crops.index, affwild2.crops.annotations),
    "omg": Loader(omg.index, omg.annotations),
    "recola": Loader(recola.index, recola.annotations),
    "sewa": Loader(sewa.index, sewa.annotations),
    "synthetic": Loader(synthetic.index, synthetic.annotations),
    "table": Loader(table.index, table.annotations),
}


def find_loader(name: str) -> Loader:
    """The loader of the dataset `name`.

    Raises:
        AffectkitError: there is no such dataset; lists the known ones.
    """
    if name not in DATASETS:
        raise unknown("dataset", name, DATASETS)
    return DATASETS[name]


__all__ = [
    "DATASETS",
    "Loader",
    "align_to_frames",
    "find_loader",
    "group_folds",
    "with_folds",
]
