"""Figure files: a figure chosen by name, drawn from a run or a dataset, saved with its numbers."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib import rc_context
from matplotlib.figure import Figure

from affectkit import statistics
from affectkit.errors import AffectkitError, unknown
from affectkit.files import StrPath, atomic_write, read_lines
from affectkit.paper.annotations import annotation_density, coverage_bars, subject_dots
from affectkit.paper.attribution import film_strip, region_bars
from affectkit.paper.traces import (
    affect_traces,
    annotation_traces,
    annotation_traces_table,
    traces_table,
)
from affectkit.recording import AFFECT, open_recording
from affectkit.results import (
    check_same_frames,
    list_methods,
    open_attribution,
    open_prediction,
    recording_path,
)

SUFFIXES = (".pdf", ".svg", ".png")
FILM_STRIP_FRAMES = 7
ANNOTATION_TRACES = 6  # recordings shown if none is named

FigureAndTable = tuple[Figure, pd.DataFrame]


def save_figure(
    figure: Figure, path: StrPath, table: pd.DataFrame | None = None, *, overwrite: bool = False
) -> None:
    """Save a figure with embedded fonts: lines as vectors, saliency maps at 300 dpi.

    Args:
        figure: of one of the functions of `affectkit.paper`.
        path: ends in .pdf, .svg or .png.
        table: the numbers of the figure, saved as CSV under the same name.
        overwrite: replace an existing figure, and its CSV if it has the columns of `table`.

    Raises:
        AffectkitError: the suffix is unknown, a file exists that is not replaced, or the files
            cannot be written.
    """
    path = Path(path)
    if path.suffix not in SUFFIXES:
        raise unknown("suffix of a figure", path.suffix, SUFFIXES)
    if table is not None and overwrite:
        _check_columns(path.with_suffix(".csv"), list(table.columns))
    _write_files(figure, path, table, overwrite=overwrite)


def _check_columns(path: Path, columns: list[str]) -> None:
    """Check that an existing CSV is one that `save_figure` wrote."""
    expected = ",".join(map(str, columns))
    if path.is_file() and read_lines(path)[:1] != [expected]:
        raise AffectkitError(
            f"{path} exists and has not the columns of this figure ({expected}), so it is not "
            "replaced; choose another name for the figure"
        )


def _write_files(
    figure: Figure, path: Path, table: pd.DataFrame | None, *, overwrite: bool
) -> None:
    # without the date, the same figure gives the same file
    metadata = {"CreationDate": None} if path.suffix == ".pdf" else None
    with ExitStack() as stack:
        # publishers reject Type 3 fonts, which are matplotlib's default
        stack.enter_context(rc_context({"pdf.fonttype": 42, "svg.fonttype": "none"}))
        picture = stack.enter_context(atomic_write(path, overwrite=overwrite))
        if table is not None:
            numbers = atomic_write(path.with_suffix(".csv"), overwrite=overwrite)
            table.to_csv(stack.enter_context(numbers), index=False, float_format="%.6g")
        figure.savefig(picture, dpi=300, metadata=metadata)


def write_run_figure(
    kind: str,
    run: StrPath,
    recording: str,
    out: StrPath,
    *,
    target: str = "valence",
    method: str = "",
    overwrite: bool = False,
) -> None:
    """Draw a figure of one recording of a run, and save it with its numbers as CSV.

    Args:
        kind: one of `RUN_FIGURES`.
        run: a run with a prediction for the recording.
        recording: name of the recording.
        out: a .pdf, .svg or .png file; the CSV has the same name with .csv.
        target: `valence` or `arousal`; used by the film strip.
        method: the attribution method; by default the first one that the run has for the
            recording (`results.list_methods`).
        overwrite: replace existing files, see `save_figure`.

    Raises:
        AffectkitError: the kind or target is unknown, or a prediction or attribution is missing.
    """
    if kind not in RUN_FIGURES:
        raise unknown("figure", kind, RUN_FIGURES)
    if target not in AFFECT:
        raise unknown("target", target, AFFECT)
    figure, table = RUN_FIGURES[kind](Path(run), recording, target, method)
    save_figure(figure, out, table, overwrite=overwrite)


def evenly_spaced_frames(recording: xr.Dataset, count: int = FILM_STRIP_FRAMES) -> list[int]:
    """Numbers of frames with a face, evenly spaced over the recording.

    Raises:
        AffectkitError: no frame shows a face.
    """
    frames = recording["frame"].values[recording["crop_box"].notnull().all("edge").values]
    if not len(frames):
        raise AffectkitError(
            f"no frame of recording {recording.attrs['recording']!r} shows a face, which a film "
            "strip needs; choose another recording"
        )
    positions = np.linspace(0, len(frames) - 1, min(count, len(frames)) + 2)[1:-1]
    return [int(frame) for frame in frames[positions.round().astype(int)]]


def _film_strip(run: Path, name: str, target: str, method: str) -> FigureAndTable:
    recording, prediction = _open(run, name)
    attribution = _open_attribution(run, name, method)
    frames = evenly_spaced_frames(recording)
    table = traces_table(recording, prediction)
    figure = film_strip(recording, prediction, attribution, frames, target=target)
    return figure, table.assign(shown=table["frame"].isin(frames))


def _traces(run: Path, name: str, target: str, method: str) -> FigureAndTable:
    recording, prediction = _open(run, name)
    return affect_traces(recording, prediction), traces_table(recording, prediction)


def _regions(run: Path, name: str, target: str, method: str) -> FigureAndTable:
    attribution = _open_attribution(run, name, method)
    share = attribution["region_share"].mean("frame")
    return region_bars(attribution), share.to_dataframe().reset_index()


def _open(run: Path, name: str) -> tuple[xr.Dataset, xr.Dataset]:
    recording, prediction = open_recording(recording_path(run, name)), open_prediction(run, name)
    check_same_frames(prediction, recording)
    return recording, prediction


def _open_attribution(run: Path, name: str, method: str) -> xr.Dataset:
    methods = list_methods(run, name)
    if not methods or (method and method not in methods):
        by = f" by {method}" if method else ""
        option = f" --method {method}" if method else ""
        raise AffectkitError(
            f"{run} has no attribution of {name!r}{by}; "
            f"run: affectkit attribute {run} {recording_path(run, name)}{option}"
        )
    return open_attribution(run, method or methods[0], name)


RUN_FIGURES: dict[str, Callable[[Path, str, str, str], FigureAndTable]] = {
    "film-strip": _film_strip,
    "traces": _traces,
    "regions": _regions,
}


def write_dataset_figure(
    kind: str,
    folder: StrPath,
    out: StrPath,
    *,
    dataset: str | None = None,
    recording: str | None = None,
    overwrite: bool = False,
) -> None:
    """Draw a figure of a dataset, and save it with its numbers as CSV.

    Args:
        kind: one of `DATASET_FIGURES`.
        folder: a folder of recordings; with `dataset`, the root of that dataset in its original
            layout, which is enough for `density` and `subjects`.
        out: a .pdf, .svg or .png file; the CSV has the same name with .csv.
        dataset: one of `affectkit.DATASETS`.
        recording: the only recording to show; by default all, for `annotations` a few.
        overwrite: replace existing files, see `save_figure`.

    Raises:
        AffectkitError: the kind or recording is unknown, or there is nothing to show.
    """
    if kind not in DATASET_FIGURES:
        raise unknown("figure", kind, DATASET_FIGURES)
    recordings = statistics.read_annotations(folder, dataset)
    if recording is not None:
        names = [str(each.attrs["recording"]) for each in recordings]
        if recording not in names:
            raise unknown("recording", recording, names)
        recordings = [recordings[names.index(recording)]]
    figure, table = DATASET_FIGURES[kind](recordings)
    save_figure(figure, out, table, overwrite=overwrite)


def _density(recordings: Sequence[xr.Dataset]) -> FigureAndTable:
    counts = statistics.affect_histogram(statistics.affect_values(recordings))
    return annotation_density(recordings), counts.to_dataframe().reset_index()


def _coverage(recordings: Sequence[xr.Dataset]) -> FigureAndTable:
    return coverage_bars(recordings), statistics.coverage(recordings)


def _subjects(recordings: Sequence[xr.Dataset]) -> FigureAndTable:
    return subject_dots(recordings), statistics.subject_means(recordings)


def _annotations(recordings: Sequence[xr.Dataset]) -> FigureAndTable:
    statistics.require_prepared(recordings)
    count = min(ANNOTATION_TRACES, len(recordings))
    positions = np.linspace(0, len(recordings) - 1, count).round().astype(int)
    shown = [recordings[position] for position in positions]
    return annotation_traces(shown), annotation_traces_table(shown)


DATASET_FIGURES: dict[str, Callable[[Sequence[xr.Dataset]], FigureAndTable]] = {
    "annotations": _annotations,
    "coverage": _coverage,
    "density": _density,
    "subjects": _subjects,
}
