"""Figures for print (matplotlib): embedded fonts, vector lines, one colour scale for all maps."""

from affectkit.paper.annotations import annotation_density, coverage_bars, subject_dots
from affectkit.paper.attribution import film_strip, region_bars
from affectkit.paper.files import (
    DATASET_FIGURES,
    RUN_FIGURES,
    save_figure,
    write_dataset_figure,
    write_run_figure,
)
from affectkit.paper.traces import (
    affect_traces,
    annotation_traces,
    annotation_traces_table,
    traces_table,
)

__all__ = [
    "DATASET_FIGURES",
    "RUN_FIGURES",
    "affect_traces",
    "annotation_density",
    "annotation_traces",
    "annotation_traces_table",
    "coverage_bars",
    "film_strip",
    "region_bars",
    "save_figure",
    "subject_dots",
    "traces_table",
    "write_dataset_figure",
    "write_run_figure",
]
