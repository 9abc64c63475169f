"""One recording predicted by a run, whose contract says how; and the recordings behind paths."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import xarray as xr

from affectkit.faces.crop import Crop
from affectkit.predict.how import how_to_predict
from affectkit.predict.reading import read_run, smoothed
from affectkit.prepare import prepare_video
from affectkit.recording import list_recordings, open_recording
from affectkit.run import ENSEMBLE, prediction_path, read_contract, save_result
from affectkit.training.recipe import PredictSection

Progress = Callable[[str, int, int], None]


def predict(
    run: Path, store: Path, *, chunk: int = 256, how: PredictSection | None = None
) -> xr.Dataset:
    """Predict one recording and keep the result in the run's folder.

    The recording streams through the net and its memory is carried from chunk to chunk, so the
    result does not depend on `chunk`, and memory does not grow with the video.

    Args:
        run: a trained run, or the mean of several.
        store: the recording's zarr folder.
        chunk: frames at a time.
        how: in windows or as a stream, smoothed or not; by default as the run's contract says.

    Returns:
        `prediction` (frame, affect) in [-1, 1]; NaN where there is no face to look at. `spread`
        (frame, affect), a standard deviation, where the net has it; smoothing leaves it as it is.
        What was chosen is in attrs.

    Raises:
        AffectkitError: no run, no recording, or one that was cut otherwise than the run's.
    """
    how = how or how_to_predict(run)
    recording = open_recording(store)
    result = smoothed(read_run(run, recording, how, chunk), how)
    attrs: dict[str, Any] = {
        "recording": recording.attrs["recording"],
        "store": str(store.resolve()),
        "run": read_contract(run)["name"],
        "how": how.model_dump(),
    }
    members = read_contract(run).get(ENSEMBLE)
    if members:
        attrs["members"] = {m: how_to_predict(Path(m)).model_dump() for m in members}
    result = result.assign_attrs(attrs)
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
