"""The folder that training leaves: what lies where, and its contract."""

import json
from pathlib import Path
from typing import Any

import pandas as pd
import xarray as xr

from affectkit.errors import AffectkitError
from affectkit.files import PARTIAL, beside, write_json
from affectkit.recording import open_zarr, write_zarr

SCHEMA = 1
RECIPE = "recipe.toml"
WEIGHTS = "model.safetensors"
CHECKPOINT = "last.ckpt"
CONTRACT = "run.json"
HISTORY = "history.csv"
SCORES = "scores.csv"
CARD = "card.md"
ENSEMBLE = "ensemble"  # key of the contract of a run that is the mean of others: their folders


def write_contract(run: Path, contract: dict[str, Any]) -> None:
    """Write the contract: affect order, crop, input size, backbone, splits, versions, seed."""
    write_json(run / CONTRACT, {"schema": SCHEMA} | contract)


def read_contract(run: Path) -> dict[str, Any]:
    """Read the contract of a run.

    Raises:
        AffectkitError: `run` is not a run folder, or a newer affectkit wrote it.
    """
    path = run / CONTRACT
    if not path.is_file():
        raise AffectkitError(
            f"{run} is not a run: expected a folder with {CONTRACT}, as 'affectkit train' leaves it"
        )
    try:
        contract: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise AffectkitError(f"{path} is not JSON ({error}); train the run again") from None
    if not isinstance(contract, dict) or not isinstance(contract.get("schema"), int):
        raise AffectkitError(
            f"{path} is not the contract of a run: no 'schema'; train the run again"
        )
    if contract["schema"] > SCHEMA:
        raise AffectkitError(
            f"{path} has schema {contract['schema']}, this affectkit reads {SCHEMA}; update it"
        )
    return contract


def list_runs(folder: Path) -> list[Path]:
    """The runs in a folder, or `folder` itself where it is one, by name.

    Raises:
        AffectkitError: there are none.
    """
    if (folder / CONTRACT).is_file():
        return [folder]
    runs = sorted(path.parent for path in folder.glob(f"*/{CONTRACT}"))
    if not runs:
        raise AffectkitError(f"no runs in {folder}: expected folders with {CONTRACT}")
    return runs


def prediction_path(run: Path, recording: str) -> Path:
    """Where the prediction for a recording lies."""
    return run / "predictions" / f"{recording}.zarr"


def attribution_path(run: Path, method: str, recording: str) -> Path:
    """Where the attribution of a recording by a method lies."""
    return run / "attributions" / method / f"{recording}.zarr"


def list_predictions(run: Path) -> list[str]:
    """Names of the recordings that the run has predicted."""
    found = (run / "predictions").glob("*.zarr")
    return sorted(path.stem for path in found if not path.name.startswith(PARTIAL))


def open_prediction(run: Path, recording: str) -> xr.Dataset:
    """Open `prediction` (frame, affect) of a recording."""
    return open_zarr(prediction_path(run, recording), "prediction")


def open_attribution(run: Path, method: str, recording: str) -> xr.Dataset:
    """Open `attribution` (affect, frame, row, col) of a recording."""
    return open_zarr(attribution_path(run, method, recording), "attribution")


def recording_store(run: Path, recording: str) -> Path:
    """Where a recording lies that the run has predicted, or was trained or tested on.

    Raises:
        AffectkitError: it lies nowhere that the run knows of.
    """
    folder = Path(read_contract(run)["recordings"])
    stores = [folder / f"{recording}.zarr"]
    if prediction_path(run, recording).exists():
        store = open_prediction(run, recording).attrs["store"]
        stores = [Path(store), *stores] if store else stores
    for store in stores:
        if store.is_dir():
            return store
    raise AffectkitError(f"no recording {recording!r} for {run}: expected it at {stores[0]}")


def save_result(dataset: xr.Dataset, path: Path) -> None:
    """Write a prediction or an attribution, replacing an older one, complete or not at all."""
    with beside(path, overwrite=True) as partial:
        write_zarr(dataset, partial)


def read_scores(run: Path) -> pd.DataFrame:
    """Read scores.csv, one row a recording, affect and metric.

    Raises:
        AffectkitError: the run has not been evaluated.
    """
    if not (run / SCORES).is_file():
        raise AffectkitError(f"{run} has no scores; run: affectkit evaluate {run}")
    return pd.read_csv(run / SCORES, dtype={"recording": str})


def write_scores(run: Path, scores: pd.DataFrame) -> None:
    """Write scores.csv."""
    with beside(run / SCORES, overwrite=True) as partial:
        scores.to_csv(partial, index=False, float_format="%.6f")
