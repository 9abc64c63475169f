"""Annotations of one's own videos, from a table."""

from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from affectkit.datasets.placing import annotate
from affectkit.errors import AffectkitError
from affectkit.recording import AFFECT


def read_own_annotation(path: Path) -> xr.Dataset:
    """Read a CSV file with `frame` or `time`, `valence` and `arousal`.

    Args:
        path: the file; `frame` counts from 0, `time` is in seconds.

    Returns:
        annotation (frame, affect) or (sample, affect), as `datasets.on_frames` takes it.

    Raises:
        AffectkitError: the file cannot be read, a column is missing or is not numbers, or a value
            is outside [-1, 1].
    """
    table = _read(Path(path))
    return annotate(
        table[list(AFFECT)].to_numpy(),
        dataset="",
        recording=Path(path).stem,
        frame=table.get("frame"),
        time=table.get("time"),
    )


def _read(path: Path) -> pd.DataFrame:
    try:
        table = pd.read_csv(path)
    except (OSError, ValueError) as error:
        raise AffectkitError(f"{path} cannot be read as a CSV table ({error})") from None
    key = "frame" if "frame" in table else "time"
    absent = [name for name in (key, *AFFECT) if name not in table]
    if absent:
        raise AffectkitError(
            f"{path} has no column {absent[0]!r}: expected frame or time, valence, arousal; "
            f"got {', '.join(map(str, table.columns))}"
        )
    try:
        table = table[[key, *AFFECT]].astype(np.float64).dropna(subset=[key])
    except ValueError as error:
        raise AffectkitError(f"{path}: {error}; expected numbers only") from None
    table = table.sort_values(key, ignore_index=True)
    if table[key].duplicated().any():
        twice = table[key][table[key].duplicated()].iloc[0]
        raise AffectkitError(f"{path} has two rows for {key} {twice:g}; expected one")
    reach = float(table[list(AFFECT)].abs().max().max())
    if reach > 1:
        raise AffectkitError(
            f"{path}: valence and arousal should lie in [-1, 1], reach {reach:g}; "
            "divide them by their range first"
        )
    return table
