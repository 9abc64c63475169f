"""Figures by name, from what lies in a run."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.figure import Figure

from affectkit.errors import AffectkitError, unknown
from affectkit.paper.bars import region_bars
from affectkit.paper.save import save_figure
from affectkit.paper.strip import film_strip
from affectkit.paper.traces import series, traces
from affectkit.recording import AFFECT, open_recording
from affectkit.run import attribution_path, open_attribution, open_prediction, recording_store

TILES = 7


class Source(NamedTuple):
    """What a figure is made of: a run, one of its recordings, and the affect to explain."""

    run: Path
    recording: str
    target: str
    method: str


Made = tuple[Figure, pd.DataFrame]


def figure(
    kind: str,
    run: Path,
    recording: str,
    out: Path,
    *,
    target: str = "valence",
    method: str = "gradient_x_input",
) -> None:
    """Make a figure of a recording and write it with its data beside it.

    Args:
        kind: a name in `FIGURES`.
        run: a run that has predicted the recording.
        recording: its name.
        out: a .pdf, .svg or .png file; the data go under the same name with .csv.
        target: `valence` or `arousal`, for the film strip.
        method: of the attribution.

    Raises:
        AffectkitError: an unknown kind or target, or something is missing that it names.
    """
    if kind not in FIGURES:
        raise unknown("figure", kind, FIGURES)
    if target not in AFFECT:
        raise unknown("target", target, AFFECT)
    made, data = FIGURES[kind](Source(run, recording, target, method))
    save_figure(made, out, data)


def spread_frames(recording: xr.Dataset, count: int = TILES) -> list[int]:
    """Frames with a face, evenly spread over the recording.

    Raises:
        AffectkitError: no frame shows a face.
    """
    seen = recording["frame"].values[recording["crop_box"].notnull().all("edge").values]
    if not len(seen):
        raise AffectkitError(f"recording {recording.attrs['recording']!r} shows no face")
    places = np.linspace(0, len(seen) - 1, min(count, len(seen)) + 2)[1:-1]
    return [int(frame) for frame in seen[places.round().astype(int)]]


def _film_strip(source: Source) -> Made:
    recording, prediction = _open(source)
    attribution = _open_attribution(source)
    frames = spread_frames(recording)
    made = film_strip(recording, prediction, attribution, frames, target=source.target)
    data = series(recording, prediction)
    return made, data.assign(shown=data["frame"].isin(frames))


def _traces(source: Source) -> Made:
    recording, prediction = _open(source)
    return traces(recording, prediction), series(recording, prediction)


def _regions(source: Source) -> Made:
    attribution = _open_attribution(source)
    return region_bars(attribution), attribution["region_share"].mean(
        "frame"
    ).to_dataframe().reset_index()


def _open(source: Source) -> tuple[xr.Dataset, xr.Dataset]:
    prediction = open_prediction(source.run, source.recording)
    return open_recording(recording_store(source.run, source.recording)), prediction


def _open_attribution(source: Source) -> xr.Dataset:
    run, name, method = source.run, source.recording, source.method
    if not attribution_path(run, method, name).exists():
        raise AffectkitError(
            f"{run} has no attribution of {name!r} by {method}; "
            f"run: affectkit attribute {run} {name}"
        )
    return open_attribution(run, method, name)


FIGURES: dict[str, Callable[[Source], Made]] = {
    "film-strip": _film_strip,
    "traces": _traces,
    "regions": _regions,
}
