"""Figures on disk: fonts embedded as TrueType, the drawn numbers beside them."""

from pathlib import Path

import pandas as pd
from matplotlib import rc_context
from matplotlib.figure import Figure

from affectkit.errors import unknown
from affectkit.files import beside

SUFFIXES = (".pdf", ".svg", ".png")


def save_figure(figure: Figure, path: Path, data: pd.DataFrame | None = None) -> None:
    """Write a figure, lines as vectors and maps at 300 dpi; `data` goes beside it as CSV.

    Args:
        figure: as the functions of this package make it.
        path: ends in .pdf, .svg or .png; an older file is replaced.
        data: what the figure shows, written under the same name with .csv.

    Raises:
        AffectkitError: another suffix.
    """
    if path.suffix not in SUFFIXES:
        raise unknown("suffix of a figure", path.suffix, SUFFIXES)
    # without the date, the same figure gives the same file
    metadata = {"CreationDate": None} if path.suffix == ".pdf" else None
    # publishers refuse Type 3 fonts, which are matplotlib's default
    with (
        rc_context({"pdf.fonttype": 42, "svg.fonttype": "none"}),
        beside(path, overwrite=True) as partial,
    ):
        figure.savefig(partial, dpi=300, metadata=metadata)
    if data is not None:
        with beside(path.with_suffix(".csv"), overwrite=True) as partial:
            data.to_csv(partial, index=False, float_format="%.6g")
