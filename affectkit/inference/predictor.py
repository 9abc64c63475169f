"""The models of a run, loaded once for many recordings, and its prediction settings."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
import xarray as xr
from pydantic import ValidationError

from affectkit.errors import AffectkitError
from affectkit.files import StrPath
from affectkit.inference.ensemble import check_members, mean_prediction
from affectkit.models.batch_norm import fuse_batch_norms
from affectkit.models.cnn_rnn import CnnRnn
from affectkit.models.device import PRECISIONS, evaluation_mode
from affectkit.models.prediction import SlidingWindows, predict_frames
from affectkit.run import ENSEMBLE, read_metadata
from affectkit.signals import apply_filter
from affectkit.training.model import load_model
from affectkit.training.recipe_sections import PredictSection
from affectkit.training.run_metadata import check_crop_settings

CHUNK = 256  # frames processed together


@dataclass(frozen=True)
class Predictor:
    """The model of a run, or the members of an ensemble, with metadata and prediction settings."""

    metadata: Mapping[str, Any]
    settings: PredictSection
    device: torch.device
    precision: str  # in `PRECISIONS`
    model: CnnRnn | None  # None for an ensemble
    members: Mapping[str, "Predictor"]  # by the folder of the run; empty if there is a model


def predict_settings(run: StrPath, **changes: object) -> PredictSection:
    """Prediction settings of a run: those of its metadata with `changes`; None changes nothing.

    Raises:
        AffectkitError: `run` is not a run, or a value is invalid.
    """
    return change_settings(read_metadata(run), f"run {run}", changes)


def change_settings(
    metadata: Mapping[str, Any], name: str, changes: Mapping[str, object]
) -> PredictSection:
    """The prediction settings in the metadata of a run with `changes`; `name` is for the error."""
    given = {key: value for key, value in changes.items() if value is not None}
    try:
        return PredictSection.model_validate(metadata.get("predict", {}) | given)
    except ValidationError as error:
        faults = "; ".join(
            ".".join(map(str, ("predict", *fault["loc"])))
            + f": {fault['msg']}, got {fault['input']!r}"
            for fault in error.errors()
        )
        raise AffectkitError(f"invalid prediction settings for {name}: {faults}") from None


def load_predictor(
    run: StrPath, settings: PredictSection, device: torch.device, precision: str = "32"
) -> Predictor:
    """Load the model of a run, or the models of all members of an ensemble.

    The members of an ensemble predict with the settings in their own metadata.

    Raises:
        AffectkitError: `run` or a member is not a trained run, an ensemble contains itself, or
            windows are set for an ensemble.
    """
    check_members(run)
    metadata = read_metadata(run)
    paths = metadata.get(ENSEMBLE)
    if not paths:
        model = fuse_batch_norms(load_model(run), metadata["input_size"]).to(device)
        return Predictor(metadata, settings, device, precision, model, {})
    if settings.window:
        raise AffectkitError(
            f"{run} is an ensemble, and its members predict with their own settings; leave out "
            "window, stride and blend"
        )
    members = {
        path: load_predictor(path, predict_settings(path), device, precision) for path in paths
    }
    return Predictor(metadata, settings, device, precision, None, members)


def predict_unsmoothed(
    predictor: Predictor, recording: xr.Dataset, chunk: int = CHUNK
) -> xr.Dataset:
    """Predict a recording; the members of an ensemble are smoothed, their mean is not.

    Returns:
        `prediction` and, if the model has one, `std` (frame, affect).

    Raises:
        AffectkitError: the recording has other crop settings than the run, memory is too small, or
            the model gives values that are not finite.
    """
    check_crop_settings(predictor.metadata["crop"], recording)
    if predictor.model is None:
        return mean_prediction(
            [
                smooth_prediction(predict_unsmoothed(member, recording, chunk), member.settings)
                for member in predictor.members.values()
            ]
        )
    size, windows = predictor.metadata["input_size"], _windows(predictor.settings)
    tf32, autocast = predictor.precision == "tf32", PRECISIONS[predictor.precision]
    with evaluation_mode(predictor.model, predictor.device, tf32=tf32):
        predicted = predict_frames(
            predictor.model, recording, size, chunk, windows, autocast=autocast
        )
    _check_finite(predicted, recording, predictor.precision)
    return predicted


def _check_finite(predicted: xr.Dataset, recording: xr.Dataset, precision: str) -> None:
    has_crop = recording["crop_box"].notnull().all("edge")
    known = predicted.to_dataarray().notnull().all(["variable", "affect"])
    bad = int((has_crop & ~known).sum())
    if bad:
        remedy = "prepare it again" if precision == "32" else "predict in precision '32'"
        raise AffectkitError(
            f"the prediction of recording {recording.attrs['recording']!r} is NaN in {bad} frames "
            "with a face: its landmarks or crops are damaged, or the precision "
            f"{precision!r} is too low for this model; {remedy}"
        )


def _windows(settings: PredictSection) -> SlidingWindows | None:
    if not settings.window:
        return None
    return SlidingWindows(settings.window, settings.stride or settings.window, settings.blend)


def smooth_prediction(predicted: xr.Dataset, settings: PredictSection) -> xr.Dataset:
    """Filter `prediction` in time and clip it to [-1, 1]; `std` is not changed."""
    if settings.smooth == "none":
        return predicted
    raw = predicted["prediction"]
    values = apply_filter(
        raw.values, predicted["time"].values, settings.smooth, settings.smooth_seconds
    )
    return predicted.assign(prediction=raw.copy(data=values.clip(-1, 1).astype("float32")))
