"""Everything that the pages read, cached: tables as data, recordings as lazy resources."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st
import xarray as xr

from affectkit import run as run_folder
from affectkit.dashboard import tables
from affectkit.dashboard.catalogue import CATALOGUE
from affectkit.dashboard.launch import RECORDINGS, RUNS
from affectkit.errors import AffectkitError
from affectkit.player import payload
from affectkit.player.media import Source
from affectkit.player.segments import Segment, worst_segments
from affectkit.recording import open_recording
from affectkit.video import playable
from affectkit.video.stills import film

METHOD = "gradient_x_input"
ALL = "all"
EMPTY = pd.DataFrame(
    columns=["split", "recording", "affect", "metric", "value", "low", "high", "frames", "interval"]
)


def runs() -> list[Path]:
    """The runs that the dashboard was started on, best pooled CCC first.

    Raises:
        AffectkitError: there are none.
    """
    found = run_folder.list_runs(Path(os.environ.get(RUNS, "runs")))
    return sorted(found, key=lambda run: -tables.level(scores(run)))


def run_named(name: str) -> Path:
    """The folder of a run."""
    return next(path for path in runs() if path.name == name)


def stamp(*paths: Path) -> tuple[float, ...]:
    """When files or folders last changed: part of every key of a cache."""
    return tuple(path.stat().st_mtime if path.exists() else 0.0 for path in paths)


def contract(run: Path) -> dict[str, Any]:
    """The contract of a run."""
    return run_folder.read_contract(run)


def scores(run: Path, split: str = ALL) -> pd.DataFrame:
    """The scores of a run, of one split or all; empty before it was evaluated."""
    table = _scores(run, stamp(run / run_folder.SCORES))
    return table if split == ALL else table[table["split"] == split]


@st.cache_data(max_entries=16, show_spinner=False)
def _scores(run: Path, changed: tuple[float, ...]) -> pd.DataFrame:
    return run_folder.read_scores(run) if (run / run_folder.SCORES).is_file() else EMPTY


def splits(run: Path) -> list[str]:
    """Splits with scores first, then those with predictions only, then all together."""
    scored = list(scores(run)["split"].unique())
    own = contract(run)
    known = {tables.split_of(own, name) for name in run_folder.list_predictions(run)}
    order = sorted(scored, key=lambda name: (name != "test", name))
    return [*order, *sorted(known - set(scored) - {"–"}), ALL]


def names(run: Path, split: str) -> list[str]:
    """The predicted recordings of a split, worst first."""
    return list(table(run, split)["recording"])


def table(run: Path, split: str) -> pd.DataFrame:
    """The overview of a split, worst first; little is said of a recording that is not there."""
    paths = [run_folder.prediction_path(run, name) for name in run_folder.list_predictions(run)]
    changed = stamp(run / run_folder.SCORES, *paths)
    return _table(run, split, os.environ.get(RECORDINGS, ""), changed)


@st.cache_data(max_entries=16, show_spinner="Reading the recordings")
def _table(run: Path, split: str, folder: str, changed: tuple[float, ...]) -> pd.DataFrame:
    rows, own = [], contract(run)
    for name in run_folder.list_predictions(run):
        part = tables.split_of(own, name)
        if split in (ALL, part):
            try:
                rows.append(tables.recording_row(*opened(run, name)[:2], part))
            except AffectkitError:
                rows.append({"recording": name, "split": part, "subject": "", "frames": 0})
    if not rows:
        return pd.DataFrame(columns=["recording", "split", "subject", "frames"])
    return tables.worst_first(rows, scores(run, split))


def opened(run: Path, name: str) -> tuple[xr.Dataset, xr.Dataset, xr.Dataset | None]:
    """A recording, its prediction and its attribution, all lazy.

    Raises:
        AffectkitError: the recording is not where it should be.
    """
    attributed = run_folder.attribution_path(run, METHOD, name)
    changed = stamp(run_folder.prediction_path(run, name), attributed)
    return _opened(run, name, os.environ.get(RECORDINGS, ""), changed)


@st.cache_resource(max_entries=64, show_spinner=False)
def _opened(
    run: Path, name: str, folder: str, changed: tuple[float, ...]
) -> tuple[xr.Dataset, xr.Dataset, xr.Dataset | None]:
    prediction = run_folder.open_prediction(run, name)
    recording = open_recording(store(prediction, folder))
    attributed = run_folder.attribution_path(run, METHOD, name).is_dir()
    attribution = run_folder.open_attribution(run, METHOD, name) if attributed else None
    return recording, prediction, attribution


def store(prediction: xr.Dataset, folder: str) -> Path:
    """Where the recording of a prediction lies: in the folder given, or where it was predicted."""
    given = Path(folder) / f"{prediction.attrs['recording']}.zarr"
    return given if folder and given.is_dir() else Path(prediction.attrs["store"])


def pooled(run: Path, split: str) -> tuple[xr.DataArray, xr.DataArray]:
    """All annotations and predictions (frame, affect) of a split, one recording after another."""
    return _pooled(run, tuple(names(run, split)), os.environ.get(RECORDINGS, ""))


@st.cache_data(max_entries=8, show_spinner=False)
def _pooled(run: Path, chosen: tuple[str, ...], folder: str) -> tuple[xr.DataArray, xr.DataArray]:
    nothing = xr.DataArray(np.empty((0, 2), np.float32), dims=("frame", "affect"))
    annotations, predictions = [nothing], [nothing]
    for name in chosen:
        try:
            recording, prediction, _ = opened(run, name)
        except AffectkitError:
            continue
        bare = ["frame", "time", "affect"]
        annotations.append(recording["annotation"].drop_vars(bare).load())
        predictions.append(prediction["prediction"].drop_vars(bare, errors="ignore").load())
    return xr.concat(annotations, "frame"), xr.concat(predictions, "frame")


def segments(run: Path, name: str) -> list[Segment]:
    """The worst segments of a recording."""
    return _segments(run, name, stamp(run_folder.prediction_path(run, name)))


@st.cache_data(max_entries=64, show_spinner=False)
def _segments(run: Path, name: str, changed: tuple[float, ...]) -> list[Segment]:
    recording, prediction, _ = opened(run, name)
    return worst_segments(recording, prediction)


@st.cache_data(max_entries=8, show_spinner=False)
def _payload(run: Path, name: str, changed: tuple[float, ...]) -> bytes:
    recording, prediction, attribution = opened(run, name)
    return payload.payload(recording, prediction, attribution, segments=segments(run, name))


@st.cache_data(max_entries=64, show_spinner=False)
def _scale(run: Path, name: str, changed: tuple[float, ...]) -> dict[str, float]:
    attribution = opened(run, name)[2]
    return {} if attribution is None else payload.saliency_scale(attribution)


def offer(run: Path, name: str) -> tuple[dict[str, Any], str]:
    """Put a recording into the catalogue.

    Returns:
        What the player is told (addresses, revision), and why there is no video ('' if there is).
    """
    recording, prediction, attribution = opened(run, name)
    attributed = run_folder.attribution_path(run, METHOD, name)
    changed = stamp(run_folder.prediction_path(run, name), attributed)
    video, missing = find_video(recording, store(prediction, os.environ.get(RECORDINGS, "")))

    def piece(first: int, last: int) -> bytes:
        maps = opened(run, name)[2]
        scale = _scale(run, name, changed)
        return b"" if maps is None else payload.saliency_piece(maps, first, last, scale=scale)

    source = Source(
        video, lambda: _payload(run, name, changed), piece if attribution is not None else None
    )
    identity = CATALOGUE.add(f"{run.resolve()}/{name}", source)
    told = {kind: CATALOGUE.address(kind, identity) for kind in ("media", "payload", "saliency")}
    if video is None:
        told["media"] = ""
    return told | {"revision": f"{identity}-{changed}"}, missing


def find_video(recording: xr.Dataset, store: Path) -> tuple[Path | None, str]:
    """The video of a recording in a form that browsers play, or why there is none."""
    path, twins = Path(recording.attrs["video"]), store.parent / "playable"
    pictures = "still" in recording
    found = next((each for each in (path, store.parent / path.name) if each.exists()), None)
    if found is None:
        what = "Folder" if pictures else "Video"
        return None, f"{what} {path.name} is not at {path}. Scores and lines still work."
    try:
        with st.spinner("Making a copy of the video that browsers play"):
            shown = film(recording, twins) if pictures else playable(found, twins)
            return shown, ""
    except AffectkitError as error:
        return None, f"{error}. Scores and lines still work."
