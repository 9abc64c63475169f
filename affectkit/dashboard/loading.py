"""Cached reading of runs and recordings for all pages."""

import os
from pathlib import Path
from typing import Any

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
from affectkit.video import browser_playable
from affectkit.video.stills import stills_to_video, video_stream
from affectkit.video_player import payload
from affectkit.video_player.media import CATALOGUE, MediaSource
from affectkit.video_player.segments import Segment, worst_segments

METHOD = "gradient_x_input"
ALL = "all"
NO_SCORES = pd.DataFrame(
    columns=["split", "recording", "affect", "metric", "value", "low", "high", "frames", "interval"]
)

Times = tuple[float, ...]


def runs() -> list[Path]:
    """The runs of this dashboard, highest pooled CCC first.

    Raises:
        AffectkitError: there are none.
    """
    found = run_folder.list_runs(Path(os.environ.get(RUNS, "runs")))
    return sorted(found, key=lambda run: -tables.mean_pooled_ccc(scores(run)))


def find_run(name: str) -> Path:
    """The folder of a run."""
    return next(path for path in runs() if path.name == name)


def modified_times(*paths: Path) -> Times:
    """When files or folders were last modified; part of the key of every cache."""
    return tuple(path.stat().st_mtime if path.exists() else 0.0 for path in paths)


def scores(run: Path, split: str = ALL) -> pd.DataFrame:
    """The scores of a run, of one split or of all; empty before it is evaluated."""
    table = _scores(run, modified_times(run / run_folder.SCORES))
    return table if split == ALL else table[table["split"] == split]


@st.cache_data(max_entries=16, show_spinner=False)
def _scores(run: Path, modified: Times) -> pd.DataFrame:
    return run_folder.read_scores(run) if (run / run_folder.SCORES).is_file() else NO_SCORES


def splits(run: Path) -> list[str]:
    """Splits with scores, then splits with predictions only, then `ALL`."""
    scored = list(scores(run)["split"].unique())
    metadata = run_folder.read_metadata(run)
    predicted = {tables.split_of(metadata, name) for name in results.list_predictions(run)}
    order = sorted(scored, key=lambda name: (name != "test", name))
    return [*order, *sorted(predicted - set(scored) - {tables.UNKNOWN_SPLIT}), ALL]


def recording_names(run: Path, split: str) -> list[str]:
    """The predicted recordings of a split, highest error first."""
    return list(overview_table(run, split)["recording"])


def overview_table(run: Path, split: str) -> pd.DataFrame:
    """The overview table of a split, highest error first.

    A recording that is not found has a row with its name only.
    """
    paths = [results.prediction_path(run, name) for name in results.list_predictions(run)]
    modified = modified_times(run / run_folder.SCORES, *paths)
    return _overview_table(run, split, os.environ.get(RECORDINGS, ""), modified)


@st.cache_data(max_entries=16, show_spinner="Reading the recordings")
def _overview_table(run: Path, split: str, folder: str, modified: Times) -> pd.DataFrame:
    rows, metadata = [], run_folder.read_metadata(run)
    for name in results.list_predictions(run):
        own_split = tables.split_of(metadata, name)
        if split in (ALL, own_split):
            try:
                recording, prediction, _ = open_results(run, name)
                rows.append(tables.recording_row(recording, prediction, own_split))
            except AffectkitError:
                rows.append({"recording": name, "split": own_split, "subject": "", "frames": 0})
    if not rows:
        return pd.DataFrame(columns=["recording", "split", "subject", "frames"])
    return tables.overview_table(rows, scores(run, split))


def open_results(run: Path, name: str) -> tuple[xr.Dataset, xr.Dataset, xr.Dataset | None]:
    """Open a recording, its prediction and its attribution (None if there is none), lazily.

    Raises:
        AffectkitError: the recording is not found.
    """
    attribution = results.attribution_path(run, METHOD, name)
    modified = modified_times(results.prediction_path(run, name), attribution)
    return _open_results(run, name, os.environ.get(RECORDINGS, ""), modified)


@st.cache_resource(max_entries=64, show_spinner=False)
def _open_results(
    run: Path, name: str, folder: str, modified: Times
) -> tuple[xr.Dataset, xr.Dataset, xr.Dataset | None]:
    prediction = results.open_prediction(run, name)
    recording = open_recording(recording_path(prediction, folder))
    results.check_same_frames(prediction, recording)
    exists = results.attribution_path(run, METHOD, name).is_dir()
    attribution = results.open_attribution(run, METHOD, name) if exists else None
    if attribution is not None:
        results.check_same_frames(attribution, recording)
    return recording, prediction, attribution


def recording_path(prediction: xr.Dataset, folder: str) -> Path:
    """Path of the recording of a prediction: in `folder` if it is there, else as when predicted."""
    moved = Path(folder) / f"{prediction.attrs['recording']}.zarr"
    return moved if folder and moved.is_dir() else Path(prediction.attrs["recording_path"])


def pooled(run: Path, split: str) -> tuple[xr.DataArray, xr.DataArray]:
    """Annotations and predictions (frame, affect) of a split, all recordings concatenated."""
    names = tuple(recording_names(run, split))
    return _pooled(run, names, os.environ.get(RECORDINGS, ""))


@st.cache_data(max_entries=8, show_spinner=False)
def _pooled(run: Path, names: tuple[str, ...], folder: str) -> tuple[xr.DataArray, xr.DataArray]:
    empty = xr.DataArray(np.empty((0, 2), np.float32), dims=("frame", "affect"))
    annotations, predictions = [empty], [empty]
    for name in names:
        try:
            recording, prediction, _ = open_results(run, name)
        except AffectkitError:
            continue
        coords = ["frame", "time", "affect"]
        annotations.append(recording["annotation"].drop_vars(coords).load())
        predictions.append(prediction["prediction"].drop_vars(coords, errors="ignore").load())
    return xr.concat(annotations, "frame"), xr.concat(predictions, "frame")


def segments(run: Path, name: str) -> list[Segment]:
    """The worst segments of a recording."""
    return _segments(run, name, modified_times(results.prediction_path(run, name)))


@st.cache_data(max_entries=64, show_spinner=False)
def _segments(run: Path, name: str, modified: Times) -> list[Segment]:
    recording, prediction, _ = open_results(run, name)
    return worst_segments(recording, prediction)


@st.cache_data(max_entries=8, show_spinner=False)
def _payload(run: Path, name: str, modified: Times) -> bytes:
    recording, prediction, attribution = open_results(run, name)
    return payload.payload(recording, prediction, attribution, segments=segments(run, name))


@st.cache_data(max_entries=64, show_spinner=False)
def _saliency_scale(run: Path, name: str, modified: Times) -> dict[str, float]:
    attribution = open_results(run, name)[2]
    return {} if attribution is None else payload.saliency_scale(attribution)


def serve_recording(run: Path, name: str) -> tuple[dict[str, Any], str]:
    """Add a recording to the catalogue, so that the player can fetch its video and its data.

    Returns:
        The addresses and the revision for the player, and why there is no video ("" if there is).
    """
    recording, prediction, attribution = open_results(run, name)
    modified = modified_times(
        results.prediction_path(run, name), results.attribution_path(run, METHOD, name)
    )
    folder = recording_path(prediction, os.environ.get(RECORDINGS, "")).parent
    video, missing = find_video(recording, folder)

    def saliency(first: int, last: int) -> bytes:
        maps = open_results(run, name)[2]
        scale = _saliency_scale(run, name, modified)
        return b"" if maps is None else payload.saliency_chunk(maps, first, last, scale=scale)

    source = MediaSource(
        video,
        lambda: _payload(run, name, modified),
        saliency if attribution is not None else None,
    )
    identity = CATALOGUE.add(f"{run.resolve()}/{name}", source)
    kinds = ("media", "payload", "saliency")
    addresses = {kind: CATALOGUE.address(kind, identity) for kind in kinds}
    if video is None:
        addresses["media"] = ""
    return addresses | {"revision": f"{identity}-{modified}"}, missing


def find_video(recording: xr.Dataset, folder: Path) -> tuple[Path | None, str]:
    """The video of a recording in a format that browsers play, or why there is none.

    Args:
        recording: its `video` is read, and `still` if its frames are images in a folder.
        folder: the folder of recordings; converted copies are in its subfolder `playable`.
    """
    path, copies = Path(recording.attrs["video"]), folder / "playable"
    stills = "still" in recording
    found = next((each for each in (path, folder / path.name) if each.exists()), None)
    if found is None:
        what = "Folder" if stills else "Video"
        return None, f"{what} {path.name} not found at {path}. Scores and traces still work."
    try:
        with st.spinner("Converting the video to a format that browsers play"):
            if stills:
                return stills_to_video(recording, copies), ""
            stream = video_stream(recording)
            return browser_playable(found, copies, stream=stream), ""
    except AffectkitError as error:
        return None, f"{error}. Scores and traces still work."
