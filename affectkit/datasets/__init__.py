"""Loaders of published datasets: from the published layouts to one common structure.

A loader is two functions. `index(root)` lists the recordings in a table (see `index.make_index`).
`annotations(root, name)` reads the annotation of one recording (see `annotation.make_annotation`).
`align_to_frames` aligns it to the frames of the video. To add a dataset, add a module here and a
line to `DATASETS`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

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
from affectkit.datasets.fit import Severity, fit_to_video
from affectkit.datasets.splits import group_folds, with_folds
from affectkit.datasets.table import LabelFormat
from affectkit.errors import AffectkitError, unknown
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


def find_loader(name: str, labels: LabelFormat | None = None) -> Loader:
    """The loader of the dataset `name`.

    Args:
        name: one of `DATASETS`.
        labels: the format of the labels, for the dataset `table`.

    Raises:
        AffectkitError: there is no such dataset (lists the known ones), or it has its own format.
    """
    if name not in DATASETS:
        raise unknown("dataset", name, DATASETS)
    if labels is None or labels == LabelFormat():
        return DATASETS[name]
    if name != "table":
        raise AffectkitError(
            "the format of labels can be given for tables of your own only (dataset 'table', or "
            f"the annotation of a video), got dataset {name!r}: leave it out"
        )
    return Loader(table.index, partial(table.annotations, labels=labels))


__all__ = [
    "DATASETS",
    "LabelFormat",
    "Loader",
    "Severity",
    "align_to_frames",
    "find_loader",
    "fit_to_video",
    "group_folds",
    "with_folds",
]
