"""A recording: one person in one video, as a labelled Dataset stored in one zarr folder.

The names of all dimensions and variables of affectkit stand here. Zarr format 2 is used: format 3
has no settled form for text coordinates and warns on each of them.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
import zarr
from numpy.typing import NDArray

from affectkit.errors import AffectkitError
from affectkit.files import PARTIAL, beside

AFFECT = ("valence", "arousal")
EDGE = ("left", "top", "right", "bottom")
AXIS = ("x", "y")
CHANNEL = ("red", "green", "blue")
POINTS = 68
SCHEMA = 1
FULL_RANGE = {"valence": [-1.0, 1.0], "arousal": [-1.0, 1.0]}  # of the annotation, in its file
FACE_CHUNK = 64  # frames: a random window touches two files, a whole recording not too many

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
    """Build and check a recording from arrays.

    Args:
        time: (frame) seconds, the decoder's presentation time stamps.
        variables: arrays by name, dims as in `DIMS`; `annotation`, `box`, `crop_box` and
            `landmark` that are left out are filled with NaN, `detected` with False.
        attrs: `recording` at least; the others of `ATTRS` get empty defaults.
        frame: (frame) 0-based numbers of the decoded frames; 0, 1, 2, ... by default.

    Raises:
        AffectkitError: anything that `check_recording` finds.
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
    def nothing(*shape: int) -> NDArray[np.float32]:
        return np.full((count, *shape), np.nan, np.float32)

    return {
        "annotation": nothing(2),
        "box": nothing(4),
        "crop_box": nothing(4),
        "landmark": nothing(POINTS, 2),
        "detected": np.zeros(count, bool),
    }


def _attrs(attrs: dict[str, Any]) -> dict[str, Any]:
    empty: dict[str, Any] = dict.fromkeys(ATTRS, "")
    return empty | {"schema": SCHEMA, "crop": {}, "source_range": FULL_RANGE} | attrs


def check_recording(dataset: xr.Dataset) -> None:
    """Check names, dims, order and ranges; lists all faults at once.

    Raises:
        AffectkitError: with every fault found.
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
        raise AffectkitError(f"recording {name!r} is not sound: {'; '.join(faults)}")


def _value_faults(dataset: xr.Dataset) -> Iterator[str]:
    if not dataset.sizes["frame"]:
        yield "it has no frames"
        return
    for name in ("frame", "time"):
        if not (np.diff(dataset[name]) > 0).all():  # NaN does not rise
            yield f"{name!r} should rise from frame to frame"
    if tuple(dataset["affect"].values) != AFFECT:
        yield f"'affect' is {list(dataset['affect'].values)}, expected {list(AFFECT)}"
    for name in {"annotation", "rating"} & set(dataset.variables):
        reach = float(np.abs(dataset[name]).max())
        if reach > 1:
            yield f"{name!r} should lie in [-1, 1], reaches {reach:g}; divide by its range first"
    if "face" in dataset and dataset["face"].dtype != np.uint8:
        yield f"'face' should be uint8, is {dataset['face'].dtype}"


def save_recording(
    dataset: xr.Dataset,
    path: Path,
    *,
    faces: Iterable[NDArray[np.uint8]] = (),
    overwrite: bool = False,
) -> None:
    """Write a recording as one zarr folder, complete or not at all.

    Args:
        dataset: a sound recording, with or without `face`.
        path: the folder to write, ending in `.zarr`.
        faces: batches (frame, row, col, channel) that together make `face`, written as they come,
            so that the pixels of a long recording never stand in memory together.
        overwrite: replace a folder that stands there; otherwise that is an error.

    Raises:
        AffectkitError: the recording is not sound, `path` exists, or `faces` has another number
            of frames than `dataset`.
    """
    check_recording(dataset)
    with beside(path, overwrite=overwrite) as partial:
        write_zarr(dataset, partial)
        count = dataset.sizes["frame"]
        written = _append_faces(partial, faces, count)
        if written not in (0, count):
            raise AffectkitError(f"{path.name}: {count} frames but {written} faces")


def write_zarr(dataset: xr.Dataset, path: Path) -> None:
    """Write any Dataset to a new zarr folder; `face` is stored raw, since speed is what counts."""
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
                fill_value=None,  # xarray takes a fill value for a missing one, and black for NaN
                compressors=None,
                attributes={"_ARRAY_DIMENSIONS": list(DIMS["face"])},
            )
        array[written : written + len(batch)] = batch[: max(count - written, 0)]
        written += len(batch)
    return written


def open_recording(path: Path | str) -> xr.Dataset:
    """Open a recording; `face` stays on disk until it is asked for.

    Raises:
        AffectkitError: there is no recording at `path`, or it is not sound.
    """
    dataset = open_zarr(path, "recording")
    check_recording(dataset)
    return dataset


def open_zarr(path: Path | str, kind: str) -> xr.Dataset:
    """Open a zarr folder that affectkit wrote; `kind` names it in the error.

    Raises:
        AffectkitError: there is none at `path`.
    """
    if not (Path(path) / ".zgroup").is_file():
        raise AffectkitError(f"{path} is not a {kind}: expected a zarr folder with a .zgroup file")
    dataset: xr.Dataset = xr.open_zarr(path, consolidated=False, chunks=None)
    return dataset


def list_recordings(folder: Path | str) -> list[Path]:
    """The recordings in a folder, or `folder` itself where it is one, by name.

    Raises:
        AffectkitError: there are none.
    """
    folder = Path(folder)
    if folder.suffix == ".zarr":
        return [folder]
    paths = [path for path in folder.glob("*.zarr") if not path.name.startswith(PARTIAL)]
    if not paths:
        raise AffectkitError(
            f"no recordings in {folder}: expected *.zarr folders, as 'affectkit prepare' makes them"
        )
    return sorted(paths)
