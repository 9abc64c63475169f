"""Figures for screens (plotly); each takes labelled arrays or tables and returns a figure."""

from affectkit.figures.dataset import coverage_bars, label_density, subject_dots
from affectkit.figures.density import affect_density
from affectkit.figures.dots import ccc_dots

__all__ = ["affect_density", "ccc_dots", "coverage_bars", "label_density", "subject_dots"]
