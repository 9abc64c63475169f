"""Figures for print: matplotlib, embedded fonts, vector axes, one printed scale for all maps."""

from affectkit.paper.bars import region_bars
from affectkit.paper.make import FIGURES, figure
from affectkit.paper.save import save_figure
from affectkit.paper.strip import film_strip
from affectkit.paper.traces import series, traces

__all__ = [
    "FIGURES",
    "figure",
    "film_strip",
    "region_bars",
    "save_figure",
    "series",
    "traces",
]
