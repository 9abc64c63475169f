"""Predictions and attributions of recordings, stored in the folder of a run."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import xarray as xr

from affectkit.errors import AffectkitError
from affectkit.files import StrPath, atomic_folder, check_name
from affectkit.recording import AFFECT, frame_faults, label_faults
from affectkit.run import read_metadata
from affectkit.store import Variable, damaged, is_store, open_store, write_store

DIRECTION = ("lowers", "raises")
# shown first: its values have the unit of the output, so those of all frames can be compared
FIRST_METHOD = "integrated_gradients"

COORDS = {
    "frame": Variable(("frame",), "<i8"),
    "time": Variable(("frame",), "<f8"),
    "affect": Variable(("affect",), "U"),
}
PREDICTION = COORDS | {
    "prediction": Variable(("frame", "affect"), "<f4"),
    "std": Variable(("frame", "affect"), "<f4", required=False),
}
ATTRIBUTION = COORDS | {
    "region": Variable(("region",), "U"),
    "direction": Variable(("direction",), "U"),
    "attribution": Variable(("affect", "frame", "row", "col"), "<f2"),
    "region_share": Variable(("affect", "frame", "region", "direction"), "<f4"),
    "region_area": Variable(("frame", "region"), "<f4"),
    "completeness_gap": Variable(("affect", "frame"), "<f4", required=False),
}


def prediction_path(run: StrPath, recording: str) -> Path:
    """Path of the prediction for a recording, given by name.

    Raises:
        AffectkitError: the name cannot be part of a path.
    """
    return Path(run) / "predictions" / f"{check_name(recording, run)}.zarr"


def attribution_path(run: StrPath, method: str, recording: str) -> Path:
    """Path of the attribution for a recording, given by name.

    Raises:
        AffectkitError: the name or the method cannot be part of a path.
    """
    folder = Path(run) / "attributions" / check_name(method, run)
    return folder / f"{check_name(recording, run)}.zarr"


def list_predictions(run: StrPath) -> list[str]:
    """Names of the recordings that the run has predicted, sorted."""
    found = (Path(run) / "predictions").glob("*.zarr")
    return sorted(path.stem for path in found if not path.name.startswith("."))


def list_methods(run: StrPath, recording: str) -> list[str]:
    """Methods by which the run has attributed a recording: `FIRST_METHOD`, then by name."""
    found = (Path(run) / "attributions").glob("[!.]*/")
    name = f"{check_name(recording, run)}.zarr"
    methods = [folder.name for folder in found if (folder / name).is_dir()]
    return sorted(methods, key=lambda method: (method != FIRST_METHOD, method))


def open_prediction(run: StrPath, recording: str) -> xr.Dataset:
    """Open the stored prediction for a recording, given by name, and check it.

    Returns:
        `prediction` (frame, affect), read from disk when it is used.

    Raises:
        AffectkitError: the run has not predicted this recording, or the prediction is damaged.
    """
    path = prediction_path(run, recording)
    opened = open_store(path, "prediction", PREDICTION)
    return _checked(opened, path, "prediction", recording, ("recording_path", "run"))


def open_attribution(run: StrPath, method: str, recording: str) -> xr.Dataset:
    """Open the stored attribution for a recording, given by name, and check it.

    Returns:
        `attribution` (affect, frame, row, col), read from disk when it is used.

    Raises:
        AffectkitError: the run has no attribution of this recording by this method, or the
            attribution is damaged.
    """
    path = attribution_path(run, method, recording)
    opened = open_store(path, "attribution", ATTRIBUTION)
    return _checked(opened, path, "attribution", recording, ("recording_path", "method"))


def _checked(
    opened: xr.Dataset, path: Path, kind: str, recording: str, text_attrs: tuple[str, ...]
) -> xr.Dataset:
    faults = [*_value_faults(opened)] if opened.sizes["frame"] else ["it has no frames"]
    if opened.attrs.get("recording") != recording:
        found = str(opened.attrs.get("recording"))[:60]
        faults.append(f"it is of the recording {found!r}, expected {recording!r}")
    for name in text_attrs:
        if not isinstance(opened.attrs.get(name), str):
            faults.append(f"no attribute {name!r}")
    if faults:
        raise damaged(path, kind, "; ".join(faults))
    return opened


def _value_faults(opened: xr.Dataset) -> Iterator[str]:
    yield from frame_faults(opened)
    labels = {"affect": AFFECT, "direction": DIRECTION}
    yield from label_faults(opened, {name: labels[name] for name in labels if name in opened})
    for name, low, high in (
        ("prediction", -1, 1),
        ("std", 0, math.inf),
        ("region_share", 0, 1.001),
    ):
        if name in opened:
            values = opened[name].values
            if not ((values >= low) & (values <= high) | np.isnan(values)).all():
                yield f"{name!r} should be in [{low}, {high}]"


def check_same_frames(result: xr.Dataset, recording: xr.Dataset) -> None:
    """Check that a prediction or an attribution has the frames of its recording.

    Raises:
        AffectkitError: the recording has changed since.
    """
    if not np.array_equal(result["frame"], recording["frame"]):
        name = recording.attrs["recording"]
        place = result.encoding.get("source") or f"the result of recording {name!r}"
        raise AffectkitError(
            f"{place} has {result.sizes['frame']} frames, recording {name!r} has "
            f"{recording.sizes['frame']}, or other ones: the recording has changed since; "
            "predict and attribute it again"
        )


def recording_path(run: StrPath, recording: str) -> Path:
    """Path of a recording that the run has predicted, or was trained or tested on.

    Raises:
        AffectkitError: it is neither at its path in the prediction nor in the recordings folder of
            the run.
    """
    paths = [Path(read_metadata(run)["recordings"]) / f"{check_name(recording, run)}.zarr"]
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


@contextmanager
def write_result(path: StrPath) -> Iterator[Path]:
    """Yield a hidden path for a prediction or an attribution; an older one is replaced at the end.

    Args:
        path: from `prediction_path` or `attribution_path`.

    Raises:
        AffectkitError: a folder on the way from the run is a symbolic link, so that the result
            would be written elsewhere; or `path` was not written by affectkit.
    """
    path = Path(path)
    for folder in path.parents[:2]:
        if folder.is_symlink() and (folder == path.parent or folder.name == "attributions"):
            raise AffectkitError(
                f"{folder} is a symbolic link, and results are only written inside the run; "
                "replace the link by a folder"
            )
    with atomic_folder(path, replaceable=_is_result) as partial:
        yield partial


def _is_result(path: Path) -> bool:
    return is_store(path, PREDICTION | ATTRIBUTION)


def save_result(dataset: xr.Dataset, path: StrPath) -> None:
    """Write a prediction or an attribution as a zarr folder, atomically; replaces an older one."""
    with write_result(path) as partial:
        write_store(dataset, partial)
