"""Annotation and prediction of the recordings of a split, side by side."""

from pathlib import Path

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from affectkit.errors import AffectkitError, unknown
from affectkit.recording import open_recording
from affectkit.run import list_predictions, open_prediction, read_contract, recording_store


def open_pairs(run: Path, recordings: Path | None, split: str) -> list[xr.Dataset]:
    """The annotated recordings of a split, each with `annotation` and `prediction` (frame, affect).

    Args:
        run: a run folder with predictions.
        recordings: folder of the recordings; by default where the run has them from.
        split: a split that the run knows.

    Raises:
        AffectkitError: the run does not know the split, a prediction is missing or belongs to
            other frames, or nothing in the split is annotated.
    """
    contract = read_contract(run)
    names = _names(run, contract.get("splits", {}), split)
    _check_predicted(run, names, recordings or contract["recordings"])
    pairs = [_pair(run, store) for store in stores(run, recordings, split)]
    annotated = [pair for pair in pairs if pair["annotation"].notnull().any()]
    if not annotated:
        raise AffectkitError(
            f"no recording of the split {split!r} of {run} is annotated, so there is nothing to "
            f"score; prepare it with annotations, or evaluate another split"
        )
    return annotated


def stores(run: Path, recordings: Path | None, split: str) -> list[Path]:
    """Where the recordings of a split lie.

    Raises:
        AffectkitError: the run does not know the split, or a recording lies nowhere it knows of.
    """
    return [
        recordings / f"{name}.zarr" if recordings else recording_store(run, name)
        for name in _names(run, read_contract(run).get("splits", {}), split)
    ]


def _names(run: Path, splits: dict[str, list[str]], split: str) -> list[str]:
    if split not in splits:
        raise unknown(f"split of {run}", split, splits)
    if not splits[split]:
        raise AffectkitError(f"the split {split!r} of {run} has no recordings")
    return splits[split]


def _check_predicted(run: Path, names: list[str], folder: Path | str) -> None:
    missing = sorted(set(names) - set(list_predictions(run)))
    if missing:
        raise AffectkitError(
            f"{run} has no prediction for {', '.join(missing)}; "
            f"run: affectkit predict {run} {folder}"
        )


def _pair(run: Path, path: Path) -> xr.Dataset:
    recording = open_recording(path)
    prediction = open_prediction(run, path.stem)["prediction"]
    annotation = recording["annotation"]
    try:
        annotation, prediction = xr.align(
            annotation, prediction.drop_vars("time", errors="ignore"), join="exact"
        )
    except xr.AlignmentError:
        raise AffectkitError(
            f"the prediction of {path.stem!r} in {run} has other frames than {path}; "
            f"run: affectkit predict {run} {path}"
        ) from None
    attrs = {"recording": path.stem, "subject": recording.attrs["subject"] or path.stem}
    return xr.Dataset({"annotation": annotation, "prediction": prediction}, attrs=attrs).load()


def pool(pairs: list[xr.Dataset]) -> xr.Dataset:
    """All frames one after another, without their numbers and times."""
    bare = [pair.drop_vars(["frame", "time"]) for pair in pairs]
    return xr.concat(bare, "frame", combine_attrs="drop")


def subjects(pairs: list[xr.Dataset]) -> NDArray[np.int64]:
    """(recording) number of the subject of each recording."""
    names = [pair.attrs["subject"] for pair in pairs]
    return np.unique(names, return_inverse=True)[1].astype(np.int64)


def subjects_of_frames(pairs: list[xr.Dataset]) -> NDArray[np.int64]:
    """(frame) number of the subject of each frame of the pooled recordings."""
    return np.repeat(subjects(pairs), [pair.sizes["frame"] for pair in pairs])


def count_frames(pair: xr.Dataset) -> dict[str, int]:
    """Frames with both signals, for each affect; for `mean` the fewer of the two."""
    valid = pair["annotation"].notnull() & pair["prediction"].notnull()
    counts = {str(affect): int(valid.sel(affect=affect).sum()) for affect in pair["affect"].values}
    return counts | {"mean": min(counts.values())}
