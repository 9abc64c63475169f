"""Figures for print: matplotlib, embedded fonts, vector axes, one printed scale for all maps."""

from affectkit.paper.annotations import annotation_series, annotation_traces
from affectkit.paper.bars import region_bars
from affectkit.paper.coverage import coverage_bars
from affectkit.paper.dataset import DATASET_FIGURES, dataset_figure
from affectkit.paper.make import FIGURES, figure
from affectkit.paper.plane import density
from affectkit.paper.save import save_figure
from affectkit.paper.strip import film_strip
from affectkit.paper.subjects import subject_dots
from affectkit.paper.traces import series, traces

__all__ = [
    "DATASET_FIGURES",
    "FIGURES",
    "annotation_series",
    "annotation_traces",
    "coverage_bars",
    "dataset_figure",
    "density",
    "figure",
    "film_strip",
    "region_bars",
    "save_figure",
    "series",
    "subject_dots",
    "traces",
]
