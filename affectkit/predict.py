"""Prediction: valence and arousal of every frame of a recording, by a trained run."""

from collections.abc import Callable, Sequence
from pathlib import Path

import xarray as xr

from affectkit.faces.crop import Crop
from affectkit.prepare import prepare_video
from affectkit.recording import list_recordings, open_recording
from affectkit.run import prediction_path, read_contract, save_result
from affectkit.training.checkpoint import load_model
from affectkit.training.contract import check_crop
from affectkit.training.stream import predict_affect

Progress = Callable[[str, int, int], None]


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


def gather(run: Path, paths: Sequence[Path], progress: Progress | None = None) -> list[Path]:
    """The recordings behind `paths`; videos are prepared first, cut by the run's own contract.

    Args:
        run: a trained run; recordings of videos are kept in its folder.
        paths: recordings, folders of recordings, or video files.
        progress: called while videos are prepared.

    Raises:
        AffectkitError: a path is nothing of these.
    """
    crop = Crop(**read_contract(run)["crop"])
    stores: list[Path] = []
    for path in paths:
        if path.is_file():
            stores.append(prepare_video(path, run / "recordings", crop=crop, progress=progress))
        else:
            stores += list_recordings(path)
    return stores
