"""Prediction: valence and arousal of every frame of a recording, by a trained run."""

from pathlib import Path

import xarray as xr

from affectkit.errors import AffectkitError
from affectkit.recording import open_recording
from affectkit.run import prediction_path, read_contract, save_result
from affectkit.training.checkpoint import load_model
from affectkit.training.stream import predict_affect


def predict(run: Path, store: Path, *, chunk: int = 256) -> xr.Dataset:
    """Predict one recording and keep the result in the run's folder.

    The recording streams through the net and its memory is carried from chunk to chunk, so the
    result does not depend on `chunk`, and memory does not grow with the video.

    Args:
        run: a trained run.
        store: the recording's zarr folder.
        chunk: frames at a time.

    Returns:
        `prediction` (frame, affect) in [-1, 1]; NaN where there is no face to look at.

    Raises:
        AffectkitError: no run, no recording, or one that was cut otherwise than the run's.
    """
    contract = read_contract(run)
    model = load_model(run)
    recording = open_recording(store)
    check_crop(contract["crop"], recording)
    prediction = predict_affect(model, recording, contract["input_size"], chunk)
    attrs = {
        "recording": recording.attrs["recording"],
        "store": str(store.resolve()),
        "run": contract["name"],
    }
    result = prediction.to_dataset().assign_attrs(attrs)
    save_result(result, prediction_path(run, recording.attrs["recording"]))
    return result


def check_crop(crop: dict[str, object], recording: xr.Dataset) -> None:
    """Refuse a recording whose faces were cut by another contract than the run's.

    Raises:
        AffectkitError: naming what differs.
    """
    own = recording.attrs["crop"]
    differing = sorted(key for key in crop.keys() | own.keys() if crop.get(key) != own.get(key))
    if differing:
        wanted = ", ".join(f"{key}={crop.get(key)!r}" for key in differing)
        got = ", ".join(f"{key}={own.get(key)!r}" for key in differing)
        raise AffectkitError(
            f"recording {recording.attrs['recording']!r} was cut with {got}, the run was trained "
            f"with {wanted}; prepare it again by the run's crop contract"
        )
