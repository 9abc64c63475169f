"""Choose the filter of a run's predictions by its CCC on the validation recordings."""

from pathlib import Path

import numpy as np
import pandas as pd
import torch
import xarray as xr

from affectkit.errors import AffectkitError
from affectkit.files import StrPath, lock
from affectkit.inference.predictor import (
    load_predictor,
    predict_settings,
    predict_unsmoothed,
    smooth_prediction,
)
from affectkit.metrics import ccc
from affectkit.models.device import AUTO, resolve_device
from affectkit.parallel import Progress, no_progress
from affectkit.recording import open_recording
from affectkit.results import recording_path
from affectkit.run import read_metadata, write_metadata
from affectkit.signals import FILTERS

SECONDS = (0.2, 0.5, 1.0, 2.0, 4.0, 8.0)


def tune(
    run: StrPath,
    recordings: StrPath | None = None,
    *,
    device: str = AUTO,
    progress: Progress = no_progress,
) -> pd.DataFrame:
    """Choose the filter and its length by the CCC on the validation recordings.

    The best ones are written to the metadata of the run, and `predict` uses them from then on.
    Predictions that are saved already do not change. Test recordings are not read.

    Args:
        run: output folder of a run or an ensemble.
        recordings: folder of the recordings; by default the one in the metadata of the run.
        device: as for `predict`.
        progress: called with "tune", the finished recordings and their number.

    Returns:
        One row for each choice, the best first: `smooth`, `seconds` (NaN for "none"),
        `ccc_valence`, `ccc_arousal`, `ccc_mean`, over all frames pooled.

    Raises:
        AffectkitError: `run` is not a trained run, it has no annotated validation recordings, or
            the device is not available.
    """
    read_metadata(run)  # before the lock, which would create a folder that does not exist
    with lock(run, "tune"):
        return _tune(run, recordings, resolve_device(device), progress)


def _tune(
    run: StrPath, recordings: StrPath | None, device: torch.device, progress: Progress
) -> pd.DataFrame:
    metadata, settings = read_metadata(run), predict_settings(run)
    predictor = load_predictor(run, settings, device)
    names = metadata["splits"].get("validation", [])
    pairs = []
    for done, name in enumerate(names, start=1):
        path = Path(recordings) / f"{name}.zarr" if recordings else recording_path(run, name)
        recording = open_recording(path)
        pairs.append((recording["annotation"].load(), predict_unsmoothed(predictor, recording)))
        progress("tune", done, len(names))
    if not any(annotation.notnull().any() for annotation, _ in pairs):
        raise AffectkitError(
            f"{run} has no annotated validation recordings, which are needed to choose a filter; "
            "set predict.smooth in the recipe, or use the option --smooth of predict"
        )
    choices = [("none", settings.smooth_seconds), *((m, s) for m in FILTERS for s in SECONDS)]
    rows = []
    for method, seconds in choices:
        chosen = predict_settings(run, smooth=method, smooth_seconds=seconds)
        smoothed = [(annotation, smooth_prediction(raw, chosen)) for annotation, raw in pairs]
        rows.append({"smooth": method, "seconds": seconds} | _score(smoothed))
    table = pd.DataFrame(rows).sort_values("ccc_mean", ascending=False, kind="stable")
    best = table.iloc[0]
    kept = predict_settings(run, smooth=best["smooth"], smooth_seconds=float(best["seconds"]))
    tuned = {"smooth, smooth_seconds": "highest CCC on the validation recordings"}
    write_metadata(run, metadata | {"predict": kept.model_dump(), "tuned": tuned})
    table.loc[table["smooth"] == "none", "seconds"] = np.nan
    return table.reset_index(drop=True)


def _score(pairs: list[tuple[xr.DataArray, xr.Dataset]]) -> dict[str, float]:
    annotation = xr.concat([annotation for annotation, _ in pairs], "frame")
    prediction = xr.concat([predicted["prediction"] for _, predicted in pairs], "frame")
    score = ccc(annotation, prediction, "frame")
    each = {f"ccc_{affect}": float(score.sel(affect=affect)) for affect in score["affect"].values}
    return each | {"ccc_mean": float(score.mean())}
