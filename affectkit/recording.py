"""Recordings: one person in one video, an xarray.Dataset stored in one zarr folder.

This module defines the names of all dimensions and variables. Recordings use zarr format 2, because
format 3 has no stable specification of text coordinates, and zarr warns about each of them.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
import zarr
from numpy.typing import NDArray

from affectkit.errors import AffectkitError
from affectkit.files import PARTIAL, StrPath, atomic_write

AFFECT = ("valence", "arousal")
EDGE = ("left", "top", "right", "bottom")
AXIS = ("x", "y")
POINTS = 68
SCHEMA = 1
FULL_RANGE = {"valence": [-1.0, 1.0], "arousal": [-1.0, 1.0]}  # of annotations in their files
FACE_CHUNK = 64  # frames per file: few files for a random window and for a whole recording

DIMS = {
    "time": ("frame",),
    "annotation": ("frame", "affect"),
    "rating": ("rater", "frame", "affect"),
    "box": ("frame", "edge"),
    "crop_box": ("frame", "edge"),
    "landmark": ("frame", "point", "axis"),
    "detected": ("frame",),
    "still": ("frame",),
    "face": ("frame", "row", "col", "channel"),
}
REQUIRED = ("time", "annotation", "box", "crop_box", "landmark", "detected")
ATTRS = ("schema", "dataset", "recording", "subject", "split", "fps", "video", "width", "height",
         "crop", "source_range", "history")  # fmt: skip


def make_recording(
    time: NDArray[np.float64],
    variables: dict[str, NDArray[Any]],
    attrs: dict[str, Any],
    *,
    frame: NDArray[np.int64] | None = None,
) -> xr.Dataset:
    """Build a recording from arrays, and check it.

    Args:
        time: (frame) presentation time stamps of the decoded frames, in seconds.
        variables: arrays by name, with the dims of `DIMS`. By default `annotation`, `box`,
            `crop_box` and `landmark` are NaN, and `detected` is False.
        attrs: at least `recording`; other `ATTRS` have empty defaults.
        frame: (frame) numbers of the decoded frames, from 0; by default 0, 1, 2, ...

    Raises:
        AffectkitError: the recording is invalid; see `check_recording`.
    """
    count = len(time)
    full = _defaults(count) | variables
    coords = {
        "frame": np.arange(count) if frame is None else frame,
        "time": ("frame", np.asarray(time, np.float64)),
        "affect": list(AFFECT),
        "edge": list(EDGE),
        "axis": list(AXIS),
    }
    dataset = xr.Dataset(
        {name: (DIMS[name], values) for name, values in full.items()}, coords, _attrs(attrs)
    )
    check_recording(dataset)
    return dataset


def _defaults(count: int) -> dict[str, NDArray[Any]]:
    def missing(*shape: int) -> NDArray[np.float32]:
        return np.full((count, *shape), np.nan, np.float32)

    return {
        "annotation": missing(2),
        "box": missing(4),
        "crop_box": missing(4),
        "landmark": missing(POINTS, 2),
        "detected": np.zeros(count, bool),
    }


def _attrs(attrs: dict[str, Any]) -> dict[str, Any]:
    empty: dict[str, Any] = dict.fromkeys(ATTRS, "")
    return empty | {"schema": SCHEMA, "crop": {}, "source_range": FULL_RANGE} | attrs


def check_recording(dataset: xr.Dataset) -> None:
    """Check names, dims, order and ranges of a recording.

    Raises:
        AffectkitError: lists all faults of the recording.
    """
    faults = [f"no {name!r}" for name in REQUIRED if name not in dataset.variables]
    faults += [
        f"{name!r} has dims {dataset[name].dims}, expected {dims}"
        for name, dims in DIMS.items()
        if name in dataset.variables and dataset[name].dims != dims
    ]
    faults += [f"no attribute {name!r}" for name in ATTRS if name not in dataset.attrs]
    if not faults:
        faults = list(_value_faults(dataset))
    if faults:
        name = dataset.attrs.get("recording", "?")
        raise AffectkitError(f"recording {name!r} is invalid: {'; '.join(faults)}")


def _value_faults(dataset: xr.Dataset) -> Iterator[str]:
    if not dataset.sizes["frame"]:
        yield "it has no frames"
        return
    for name in ("frame", "time"):
        if not (np.diff(dataset[name]) > 0).all():  # False for NaN too
            yield f"{name!r} should increase from frame to frame"
    if tuple(dataset["affect"].values) != AFFECT:
        yield f"'affect' is {list(dataset['affect'].values)}, expected {list(AFFECT)}"
    for name in {"annotation", "rating"} & set(dataset.variables):
        maximum = float(np.abs(dataset[name]).max())
        if maximum > 1:
            yield f"{name!r} should be in [-1, 1], but has {maximum:g}; divide it by its range"
    if "face" in dataset and dataset["face"].dtype != np.uint8:
        yield f"'face' should be uint8, but is {dataset['face'].dtype}"


def save_recording(
    dataset: xr.Dataset,
    path: StrPath,
    *,
    faces: Iterable[NDArray[np.uint8]] = (),
    overwrite: bool = False,
) -> None:
    """Write a recording as one zarr folder, atomically.

    Args:
        dataset: a valid recording, with or without `face`.
        path: the folder to write, ending in `.zarr`.
        faces: batches (frame, row, col, channel) of `face`, written one after another, so that the
            pixels of a long recording do not have to fit in memory.
        overwrite: replace an existing folder; otherwise an existing folder is an error.

    Raises:
        AffectkitError: the recording is invalid, `path` exists, or `faces` has another number
            of frames than `dataset`.
    """
    path = Path(path)
    check_recording(dataset)
    with atomic_write(path, overwrite=overwrite) as partial:
        write_zarr(dataset, partial)
        count = dataset.sizes["frame"]
        written = _append_faces(partial, faces, count)
        if written not in (0, count):
            raise AffectkitError(
                f"{path}: expected one face for each of {count} frames, got {written} faces"
            )


def write_zarr(dataset: xr.Dataset, path: StrPath) -> None:
    """Write any Dataset to a new zarr folder; `face` is not compressed, to be read fast."""
    encoding = {}
    if "face" in dataset:
        encoding["face"] = {"compressors": None, "chunks": _face_chunks(dataset["face"].shape)}
    dataset.drop_encoding().to_zarr(
        path, mode="w-", zarr_format=2, consolidated=False, encoding=encoding
    )


def _face_chunks(shape: tuple[int, ...]) -> tuple[int, ...]:
    return (min(FACE_CHUNK, shape[0]), *shape[1:])


def _append_faces(path: Path, batches: Iterable[NDArray[np.uint8]], count: int) -> int:
    array, written = None, 0
    for batch in batches:
        if array is None:
            shape = (count, *batch.shape[1:])
            array = zarr.open_group(path, mode="a", zarr_format=2).create_array(
                "face",
                shape=shape,
                chunks=_face_chunks(shape),
                dtype="uint8",
                fill_value=None,  # otherwise xarray reads the fill value, black, as NaN
                compressors=None,
                attributes={"_ARRAY_DIMENSIONS": list(DIMS["face"])},
            )
        array[written : written + len(batch)] = batch[: max(count - written, 0)]
        written += len(batch)
    return written


def open_recording(path: StrPath) -> xr.Dataset:
    """Open a recording; variables are read from disk when they are used.

    Raises:
        AffectkitError: `path` is not a recording, or it is invalid.
    """
    dataset = open_zarr(path, "recording")
    check_recording(dataset)
    return dataset


def open_zarr(path: StrPath, kind: str) -> xr.Dataset:
    """Open a zarr folder of a recording, a prediction or an attribution.

    Args:
        path: the folder.
        kind: what the folder contains, for the error.

    Raises:
        AffectkitError: `path` is not a zarr folder.
    """
    if not (Path(path) / ".zgroup").is_file():
        raise AffectkitError(f"{path} is not a {kind}: expected a zarr folder with a .zgroup file")
    dataset: xr.Dataset = xr.open_zarr(path, consolidated=False, chunks=None)
    return dataset


def list_recordings(folder: StrPath) -> list[Path]:
    """List the recordings in a folder, sorted by name; for the path of a recording, only that path.

    Raises:
        AffectkitError: there are none.
    """
    folder = Path(folder)
    if folder.suffix == ".zarr":
        return [folder]
    paths = [path for path in folder.glob("*.zarr") if not path.name.startswith(PARTIAL)]
    if not paths:
        raise AffectkitError(
            f"no recordings in {folder}: expected *.zarr folders, as written by 'affectkit prepare'"
        )
    return sorted(paths)


def to_crop_coordinates(
    landmark: NDArray[np.floating], crop_box: NDArray[np.floating], size: int
) -> NDArray[np.float32]:
    """Convert landmarks (frame, point, axis) to pixels of the crop, from its upper left corner."""
    corner = crop_box[:, None, :2]
    extent = crop_box[:, None, 2:] - corner
    return np.asarray((landmark - corner) / extent * size, np.float32)
