"""The output folder of a run: its files, metadata, predictions and attributions."""

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import xarray as xr

from affectkit.errors import AffectkitError
from affectkit.files import PARTIAL, StrPath, atomic_write, write_json
from affectkit.recording import open_zarr, write_zarr

SCHEMA = 2
RECIPE = "recipe.toml"
WEIGHTS = "model.safetensors"
CHECKPOINT = "last.ckpt"
METADATA = "run.json"
HISTORY = "history.csv"
SCORES = "scores.csv"
CARD = "card.md"
ENSEMBLE = "ensemble"  # metadata key of an ensemble: the folders of its member runs
SYNTHETIC_ONLY = "trained on synthetic data only: it says nothing about real people"


def write_metadata(run: StrPath, metadata: Mapping[str, Any]) -> None:
    """Write run.json: affect order, crop settings, input size, backbone, splits, versions, seed."""
    write_json(Path(run) / METADATA, {"schema": SCHEMA, **metadata})


def read_metadata(run: StrPath) -> dict[str, Any]:
    """Read the metadata of a run from its run.json.

    Raises:
        AffectkitError: `run` is not a run folder, its run.json is damaged, or an older or newer
            affectkit wrote it.
    """
    path = Path(run) / METADATA
    if not path.is_file():
        raise AffectkitError(
            f"{run} is not a run: expected a folder with a {METADATA} file, as written by "
            "'affectkit train'"
        )
    try:
        metadata: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise AffectkitError(f"{path} is not valid JSON ({error}); train the run again") from None
    schema = metadata.get("schema") if isinstance(metadata, dict) else None
    if not isinstance(schema, int):
        raise AffectkitError(f"{path} is not the metadata of a run: expected a key 'schema'")
    if schema > SCHEMA:
        raise AffectkitError(
            f"{path} was written by a newer affectkit (schema {schema}, this version reads "
            f"{SCHEMA}); update affectkit"
        )
    if schema < SCHEMA:
        raise AffectkitError(
            f"{path} was written by an older affectkit (schema {schema}, this version reads "
            f"{SCHEMA}); train the run again, into a new folder"
        )
    return metadata


def list_runs(folder: StrPath) -> list[Path]:
    """List the runs in a folder, sorted by name; for the folder of a run, only that folder.

    Raises:
        AffectkitError: there are none.
    """
    folder = Path(folder)
    if (folder / METADATA).is_file():
        return [folder]
    runs = sorted(path.parent for path in folder.glob(f"*/{METADATA}"))
    if not runs:
        raise AffectkitError(f"no runs in {folder}: expected folders with a {METADATA} file")
    return runs


def prediction_path(run: StrPath, recording: str) -> Path:
    """Path of the prediction for a recording, given by name."""
    return Path(run) / "predictions" / f"{recording}.zarr"


def attribution_path(run: StrPath, method: str, recording: str) -> Path:
    """Path of the attribution for a recording, given by name."""
    return Path(run) / "attributions" / method / f"{recording}.zarr"


def list_predictions(run: StrPath) -> list[str]:
    """Names of the recordings that the run has predicted, sorted."""
    found = (Path(run) / "predictions").glob("*.zarr")
    return sorted(path.stem for path in found if not path.name.startswith(PARTIAL))


def open_prediction(run: StrPath, recording: str) -> xr.Dataset:
    """Open the stored prediction for a recording, given by name.

    Returns:
        `prediction` (frame, affect), read from disk when it is used.

    Raises:
        AffectkitError: the run has not predicted this recording.
    """
    return open_zarr(prediction_path(run, recording), "prediction")


def open_attribution(run: StrPath, method: str, recording: str) -> xr.Dataset:
    """Open the stored attribution for a recording, given by name.

    Returns:
        `attribution` (affect, frame, row, col), read from disk when it is used.

    Raises:
        AffectkitError: the run has no attribution of this recording by this method.
    """
    return open_zarr(attribution_path(run, method, recording), "attribution")


def recording_path(run: StrPath, recording: str) -> Path:
    """Path of a recording that the run has predicted, or was trained or tested on.

    Raises:
        AffectkitError: it is neither at its path in the prediction nor in the recordings folder of
            the run.
    """
    paths = [Path(read_metadata(run)["recordings"]) / f"{recording}.zarr"]
    if prediction_path(run, recording).exists():
        predicted = open_prediction(run, recording).attrs["recording_path"]
        paths = [Path(predicted), *paths] if predicted else paths
    for path in paths:
        if path.is_dir():
            return path
    raise AffectkitError(
        f"no recording {recording!r} for {run}: expected it at {paths[0]}; if the "
        "recording was moved, move it back, or predict it again at its new path"
    )


def save_result(dataset: xr.Dataset, path: StrPath) -> None:
    """Write a prediction or an attribution as a zarr folder, atomically; replaces an older one."""
    with atomic_write(path, overwrite=True) as partial:
        write_zarr(dataset, partial)


def read_scores(run: StrPath) -> pd.DataFrame:
    """Read scores.csv: one row per recording, affect and metric.

    Raises:
        AffectkitError: the run has not been evaluated.
    """
    path = Path(run) / SCORES
    if not path.is_file():
        raise AffectkitError(f"{run} has no scores; run: affectkit evaluate {run}")
    return pd.read_csv(path, dtype={"recording": str})


def write_scores(run: StrPath, scores: pd.DataFrame) -> None:
    """Write scores.csv."""
    with atomic_write(Path(run) / SCORES, overwrite=True) as partial:
        scores.to_csv(partial, index=False, float_format="%.6f")


def is_synthetic(metadata: Mapping[str, Any]) -> bool:
    """Whether a run was trained on synthetic data only; `SYNTHETIC_ONLY` is the note for users."""
    return list(metadata.get("datasets", [])) == ["synthetic"]


def best_epoch(history: Sequence[Mapping[str, float]]) -> int:
    """Index of the epoch with the highest mean validation CCC; the last one if several are equal.

    NaN counts as the lowest CCC.
    """

    def score(epoch: int) -> tuple[float, int]:
        ccc = history[epoch]["ccc_mean"]
        return (-math.inf if math.isnan(ccc) else ccc), epoch

    return max(range(len(history)), key=score)
