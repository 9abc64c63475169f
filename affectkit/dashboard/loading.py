"""Cached reading of runs and recordings for all pages."""

import os
from contextlib import suppress
from pathlib import Path

import numpy as np
import pandas as pd
import streamlit as st
import xarray as xr

from affectkit import results
from affectkit import run as run_folder
from affectkit.dashboard import tables
from affectkit.dashboard.launch import RECORDINGS, RUNS
from affectkit.errors import AffectkitError
from affectkit.recording import open_recording
from affectkit.video_player.segments import Segment, worst_segments

ALL = "all"
NO_SCORES = pd.DataFrame(
    columns=["split", "recording", "affect", "metric", "value", "low", "high", "frames", "interval"]
)

Stamp = tuple[tuple[int, ...], ...]


def runs() -> list[Path]:
    """The runs of this dashboard, highest pooled CCC first; those with a fault are the last.

    Raises:
        AffectkitError: there are none.
    """
    found = run_folder.list_runs(Path(os.environ.get(RUNS, "runs")))
    return sorted(found, key=_order)


def _order(run: Path) -> tuple[bool, float]:
    return (True, 0.0) if fault(run) else (False, -tables.mean_pooled_ccc(scores(run)))


def fault(run: Path) -> str:
    """Why the metadata or the scores of a run cannot be read; "" if they can."""
    try:
        run_folder.read_metadata(run)
        scores(run)
    except (AffectkitError, OSError) as error:
        return str(error)
    return ""


def find_run(name: str) -> Path:
    """The folder of a run."""
    return next(path for path in runs() if path.name == name)


def stamp(*paths: Path) -> Stamp:
    """The state of files and stores; part of the key of every cache.

    A store is replaced as a whole, so the state of its folder is enough.
    """
    return tuple(_stamp(path) for path in paths)


def _stamp(path: Path) -> tuple[int, ...]:
    try:
        state = path.stat()
    except OSError:  # it does not exist, or it is replaced at this moment
        return ()
    return state.st_mtime_ns, state.st_ino, state.st_size


def scores(run: Path, split: str = ALL) -> pd.DataFrame:
    """The scores of a run, of one split or of all; empty before it is evaluated."""
    table = _scores(run, stamp(run / run_folder.SCORES))
    return table if split == ALL else table[table["split"] == split]


@st.cache_data(max_entries=16, show_spinner=False)
def _scores(run: Path, state: Stamp) -> pd.DataFrame:
    return run_folder.read_scores(run) if (run / run_folder.SCORES).is_file() else NO_SCORES


def splits(run: Path) -> list[str]:
    """Splits with scores, then splits with predictions only, then `ALL`."""
    scored = list(scores(run)["split"].unique())
    metadata = run_folder.read_metadata(run)
    predicted = {tables.split_of(metadata, name) for name in results.list_predictions(run)}
    order = sorted(scored, key=lambda name: (name != "test", name))
    return [*order, *sorted(predicted - set(scored) - {tables.UNKNOWN_SPLIT}), ALL]


def split_of(run: Path, name: str) -> str:
    """The split of a recording, or `ALL` if it is in none; "" if the run has not predicted it."""
    if name not in results.list_predictions(run):
        return ""
    split = tables.split_of(run_folder.read_metadata(run), name)
    return ALL if split == tables.UNKNOWN_SPLIT else split


def recording_names(run: Path, split: str) -> list[str]:
    """The predicted recordings of a split, highest error first."""
    return list(overview_table(run, split)["recording"])


def overview_table(run: Path, split: str) -> pd.DataFrame:
    """The overview table of a split, highest error first.

    A recording that cannot be read has a row with its name only.
    """
    state = stamp(run / run_folder.SCORES, run / run_folder.METADATA)
    for name in results.list_predictions(run):
        state += result_state(run, name)
    return _overview_table(run, split, os.environ.get(RECORDINGS, ""), state)


@st.cache_data(max_entries=16, show_spinner="Reading the recordings")
def _overview_table(run: Path, split: str, folder: str, state: Stamp) -> pd.DataFrame:
    rows, metadata = [], run_folder.read_metadata(run)
    for name in results.list_predictions(run):
        own_split = tables.split_of(metadata, name)
        if split in (ALL, own_split):
            try:
                recording, prediction = open_results(run, name)
                rows.append(tables.recording_row(recording, prediction, own_split))
            except AffectkitError:
                rows.append({"recording": name, "split": own_split, "subject": "", "frames": 0})
    if not rows:
        return pd.DataFrame(columns=["recording", "split", "subject", "frames"])
    return tables.overview_table(rows, scores(run, split))


def open_results(run: Path, name: str) -> tuple[xr.Dataset, xr.Dataset]:
    """Open a recording and its prediction, lazily.

    Raises:
        AffectkitError: the recording is not found, or one of them is damaged.
    """
    return _open_results(run, name, recording_path(run, name), result_state(run, name))


@st.cache_resource(max_entries=64, show_spinner=False)
def _open_results(run: Path, name: str, path: Path, state: Stamp) -> tuple[xr.Dataset, xr.Dataset]:
    prediction, recording = results.open_prediction(run, name), open_recording(path)
    results.check_same_frames(prediction, recording)
    return recording, prediction


def open_attribution(run: Path, name: str, method: str) -> xr.Dataset | None:
    """Open the attribution of a recording by a method, lazily; None if `method` is "".

    Raises:
        AffectkitError: it is damaged, or not of this recording.
    """
    if not method:
        return None
    return _open_attribution(run, name, method, result_state(run, name, method))


@st.cache_resource(max_entries=64, show_spinner=False)
def _open_attribution(run: Path, name: str, method: str, state: Stamp) -> xr.Dataset:
    attribution = results.open_attribution(run, method, name)
    results.check_same_frames(attribution, open_results(run, name)[0])
    return attribution


def result_state(run: Path, name: str, method: str = "") -> Stamp:
    """The state of the prediction and the recording of a name, and of its attribution by a method.

    Args:
        run: the folder of the run.
        name: of the recording.
        method: the attribution method; "" for no attribution.
    """
    stores = [results.prediction_path(run, name)]
    if method:
        stores.append(results.attribution_path(run, method, name))
    with suppress(AffectkitError):  # there is no recording, or the prediction is damaged
        stores.append(recording_path(run, name))
    return stamp(*stores)


def recording_path(run: Path, name: str) -> Path:
    """Path of a predicted recording: in the folder of the option, or as when it was predicted.

    Raises:
        AffectkitError: it is at neither place, or the prediction is damaged.
    """
    moved = Path(os.environ.get(RECORDINGS, ""), f"{name}.zarr")
    if RECORDINGS in os.environ and moved.is_dir():
        return moved
    predicted = _predicted_path(run, name, stamp(results.prediction_path(run, name)))
    if not predicted.is_dir():
        raise AffectkitError(
            f"no recording {name!r} at {predicted}; start the dashboard with --recordings FOLDER, "
            f"the folder that contains {name}.zarr"
        )
    return predicted


@st.cache_data(max_entries=1024, show_spinner=False)
def _predicted_path(run: Path, name: str, state: Stamp) -> Path:
    return Path(results.open_prediction(run, name).attrs["recording_path"])


def pooled(run: Path, split: str) -> tuple[xr.DataArray, xr.DataArray]:
    """Annotations and predictions (frame, affect) of a split, all recordings concatenated."""
    names = tuple(recording_names(run, split))
    state = tuple(part for name in names for part in result_state(run, name))
    return _pooled(run, names, os.environ.get(RECORDINGS, ""), state)


@st.cache_data(max_entries=8, show_spinner=False)
def _pooled(
    run: Path, names: tuple[str, ...], folder: str, state: Stamp
) -> tuple[xr.DataArray, xr.DataArray]:
    empty = xr.DataArray(np.empty((0, 2), np.float32), dims=("frame", "affect"))
    annotations, predictions = [empty], [empty]
    for name in names:
        try:
            recording, prediction = open_results(run, name)
        except AffectkitError:
            continue
        coords = ["frame", "time", "affect"]
        annotations.append(recording["annotation"].drop_vars(coords).load())
        predictions.append(prediction["prediction"].drop_vars(coords, errors="ignore").load())
    return xr.concat(annotations, "frame"), xr.concat(predictions, "frame")


def segments(run: Path, name: str) -> list[Segment]:
    """The worst segments of a recording."""
    return _segments(run, name, result_state(run, name))


@st.cache_data(max_entries=64, show_spinner=False)
def _segments(run: Path, name: str, state: Stamp) -> list[Segment]:
    recording, prediction = open_results(run, name)
    return worst_segments(recording, prediction)
