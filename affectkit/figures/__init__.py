"""Figures for the screen (plotly), drawn from labelled arrays or tables."""

from affectkit.figures.density import affect_density
from affectkit.figures.dots import ccc_dots

__all__ = ["affect_density", "ccc_dots"]
