"""What a run makes of a recording: its net's values, or those of several mixed; then smoothed."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import xarray as xr

from affectkit.errors import AffectkitError
from affectkit.models.folding import fold_norms
from affectkit.predict.how import how_to_predict, windows
from affectkit.run import ENSEMBLE, read_contract
from affectkit.signals import apply_filter
from affectkit.training.checkpoint import load_model
from affectkit.training.contract import check_crop
from affectkit.training.recipe import PredictSection
from affectkit.training.stream import predict_frames


def read_run(run: Path, recording: xr.Dataset, how: PredictSection, chunk: int) -> xr.Dataset:
    """`prediction` and, where the net has it, `spread` (frame, affect), before smoothing.

    The members of an ensemble are read and smoothed as the contract of each says, then mixed.

    Raises:
        AffectkitError: there is no such run, the recording was cut otherwise, or an ensemble was
            told to read windows.
    """
    contract = read_contract(run)
    check_crop(contract["crop"], recording)
    members = contract.get(ENSEMBLE)
    if not members:
        size = contract["input_size"]
        return predict_frames(
            fold_norms(load_model(run), size), recording, size, chunk, windows(how)
        )
    if how.window:
        raise AffectkitError(
            f"{run} is the mean of runs that are each read as their contracts say; "
            "windows are for single runs, leave them out"
        )
    return mix([_member(Path(member), recording, chunk) for member in members])


def _member(run: Path, recording: xr.Dataset, chunk: int) -> xr.Dataset:
    how = how_to_predict(run)
    return smoothed(read_run(run, recording, how, chunk), how)


def mix(predictions: Sequence[xr.Dataset]) -> xr.Dataset:
    """The mean of predictions of the same frames, each with the same weight.

    Where all have a `spread`, theirs is that of the mixture: the mean of the variances plus the
    variance of the means (the law of total variance).
    """
    names = ["prediction"]
    if all("spread" in each for each in predictions):
        names.append("spread")
    every = xr.concat([each[names] for each in predictions], "run", join="exact")
    every = every.astype(np.float64)
    mean = every["prediction"].mean("run", skipna=False)
    mixed = mean.astype(np.float32).to_dataset()
    if "spread" in every:
        variance = (every["spread"] ** 2).mean("run", skipna=False)
        variance = variance + every["prediction"].var("run", skipna=False)
        mixed["spread"] = np.sqrt(variance).astype(np.float32)
    return mixed


def smoothed(predicted: xr.Dataset, how: PredictSection) -> xr.Dataset:
    """`prediction` filtered in time and clipped to [-1, 1] again; `spread` stays as it is."""
    if how.smooth == "none":
        return predicted
    raw = predicted["prediction"]
    values = apply_filter(raw.values, predicted["time"].values, how.smooth, how.smooth_seconds)
    return predicted.assign(prediction=raw.copy(data=values.clip(-1, 1).astype(np.float32)))
