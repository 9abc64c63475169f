"""Figures of a dataset by name, from a folder of recordings or from the dataset's own files."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.figure import Figure

from affectkit.describing import (
    affect_cells,
    check_prepared,
    coverage,
    gather,
    subject_means,
)
from affectkit.errors import unknown
from affectkit.paper.annotations import annotation_series, annotation_traces
from affectkit.paper.coverage import coverage_bars
from affectkit.paper.plane import density
from affectkit.paper.save import save_figure
from affectkit.paper.subjects import subject_dots

ROWS = 6  # recordings whose traces are shown where none is named
UNITS = {"frame": "frames", "sample": "samples"}

Made = tuple[Figure, pd.DataFrame]


def dataset_figure(
    kind: str,
    folder: Path,
    out: Path,
    *,
    dataset: str | None = None,
    recording: str | None = None,
) -> None:
    """Make a figure of a dataset and write it with its data beside it.

    Args:
        kind: a name in `DATASET_FIGURES`.
        folder: of recordings; or with `dataset`, the root of that dataset: enough for `density`
            and `subjects`.
        out: a .pdf, .svg or .png file; the data go under the same name with .csv.
        dataset: one of `affectkit.DATASETS`.
        recording: the only one to show; by default all, or a few where traces are drawn.

    Raises:
        AffectkitError: an unknown kind or recording, or there is nothing to show.
    """
    if kind not in DATASET_FIGURES:
        raise unknown("figure", kind, DATASET_FIGURES)
    known = gather(Path(folder), dataset)
    if recording is not None:
        names = [str(each.attrs["recording"]) for each in known]
        if recording not in names:
            raise unknown("recording", recording, names)
        known = [known[names.index(recording)]]
    made, data = DATASET_FIGURES[kind](known)
    save_figure(made, out, data)


def _density(known: Sequence[xr.Dataset]) -> Made:
    cells = affect_cells(known)
    units = {next((UNITS[str(d)] for d in each["annotation"].dims if d in UNITS), "clips")
             for each in known}  # fmt: skip
    return density(cells, unit=units.pop() if len(units) == 1 else "labels"), cells


def _coverage(known: Sequence[xr.Dataset]) -> Made:
    stretches = coverage(known)
    return coverage_bars(stretches), stretches


def _subjects(known: Sequence[xr.Dataset]) -> Made:
    means = subject_means(known)
    return subject_dots(means), means


def _annotations(known: Sequence[xr.Dataset]) -> Made:
    check_prepared(known)
    places = np.linspace(0, len(known) - 1, min(ROWS, len(known))).round().astype(int)
    shown = [known[place] for place in places]
    return annotation_traces(shown), annotation_series(shown)


DATASET_FIGURES: dict[str, Callable[[Sequence[xr.Dataset]], Made]] = {
    "annotations": _annotations,
    "coverage": _coverage,
    "density": _density,
    "subjects": _subjects,
}
