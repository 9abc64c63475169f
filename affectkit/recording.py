"""Recordings: one person in one video, an xarray.Dataset stored in one zarr folder.

This module defines the names of all dimensions and variables.
"""

import math
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from affectkit.errors import AffectkitError, NewerVersionError
from affectkit.files import StrPath, atomic_folder, check_name
from affectkit.store import (
    Variable,
    damaged,
    is_store,
    layout_faults,
    open_store,
    write_batches,
    write_store,
)

AFFECT = ("valence", "arousal")
EDGE = ("left", "top", "right", "bottom")
AXIS = ("x", "y")
POINTS = 68
SCHEMA = 2
FULL_RANGE = {"valence": [-1.0, 1.0], "arousal": [-1.0, 1.0]}  # of annotations in their files
FACE_CHUNK = 64  # frames per file: few files for a random window and for a whole recording

LAYOUT = {
    "frame": Variable(("frame",), "<i8"),
    "time": Variable(("frame",), "<f8"),
    "affect": Variable(("affect",), "U"),
    "edge": Variable(("edge",), "U"),
    "axis": Variable(("axis",), "U"),
    "rater": Variable(("rater",), "U", required=False),
    "annotation": Variable(("frame", "affect"), "<f4"),
    "rating": Variable(("rater", "frame", "affect"), "<f4", required=False),
    "box": Variable(("frame", "edge"), "<f4"),
    "crop_box": Variable(("frame", "edge"), "<f4"),
    "landmark": Variable(("frame", "point", "axis"), "<f4"),
    "detected": Variable(("frame",), "|b1"),
    "confidence": Variable(("frame",), "<f4", required=False),
    "still": Variable(("frame",), "U", required=False),
    "face": Variable(("frame", "row", "col", "channel"), "|u1", required=False),
}
DIMS = {name: variable.dims for name, variable in LAYOUT.items()}
ATTRS = ("schema", "dataset", "recording", "subject", "split", "fps", "video", "width", "height",
         "crop", "source_range", "history")  # fmt: skip
TEXT_ATTRS = ("dataset", "subject", "split", "video", "history")
NUMBER_ATTRS = ("fps", "width", "height")  # "" = unknown


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
        variables: arrays by name, with the dims of `LAYOUT`; they are cast to its dtypes. By
            default `annotation`, `box`, `crop_box` and `landmark` are NaN, and `detected` is False.
        attrs: at least `recording`; other `ATTRS` have empty defaults.
        frame: (frame) numbers of the decoded frames, from 0; by default 0, 1, 2, ...

    Raises:
        AffectkitError: the recording is invalid; see `check_recording`.
    """
    count = len(time)
    full = {
        name: np.asarray(values, np.str_ if LAYOUT[name].dtype == "U" else LAYOUT[name].dtype)
        for name, values in (_defaults(count) | variables).items()
    }
    coords = {
        "frame": np.arange(count) if frame is None else np.asarray(frame, np.int64),
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
    """Check names, dims, dtypes, order and ranges of a recording, and its attributes.

    Raises:
        AffectkitError: lists all faults of the recording.
    """
    faults = _faults(dataset)
    if faults:
        name = dataset.attrs.get("recording", "?")
        raise AffectkitError(f"recording {name!r} is invalid: {'; '.join(faults)}")


def _faults(dataset: xr.Dataset) -> list[str]:
    faults = [*layout_faults(dataset, LAYOUT), *_attr_faults(dataset.attrs)]
    usable = all(name in dataset.variables for name in ("frame", "time", "affect", "annotation"))
    return [*faults, *_value_faults(dataset)] if usable else faults


def _attr_faults(attrs: Mapping[Any, Any]) -> Iterator[str]:
    missing = [name for name in ATTRS if name not in attrs]
    if missing:
        yield f"no attribute {', '.join(map(repr, missing))}"
        return
    expected = {name: (str,) for name in TEXT_ATTRS} | {"crop": (dict,), "source_range": (dict,)}
    for name, types in expected.items():
        if not isinstance(attrs[name], types):
            yield f"attribute {name!r} is {str(attrs[name])[:60]!r}, expected {types[0].__name__}"
    for name in NUMBER_ATTRS:
        value = attrs[name]
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if value != "" and not (number and 0 < value < math.inf):
            yield f"attribute {name!r} is {str(value)[:60]!r}, expected a number above 0"
    try:
        check_name(attrs["recording"], "attribute 'recording'")
    except AffectkitError as error:
        yield str(error)


def _value_faults(dataset: xr.Dataset) -> Iterator[str]:
    if not dataset.sizes["frame"]:
        yield "it has no frames"
        return
    yield from frame_faults(dataset)
    yield from label_faults(dataset, {"affect": AFFECT, "edge": EDGE, "axis": AXIS})
    for name in {"annotation", "rating"} & set(dataset.variables):
        maximum = float(np.abs(dataset[name]).max())
        if maximum > 1:
            yield f"{name!r} should be in [-1, 1], but has {maximum:g}; divide it by its range"


def frame_faults(dataset: xr.Dataset) -> Iterator[str]:
    """The faults of the coordinates `frame` and `time`, as texts."""
    for name in ("frame", "time"):
        if not (np.diff(dataset[name]) > 0).all():  # False for NaN too
            yield f"{name!r} should increase from frame to frame"


def label_faults(dataset: xr.Dataset, expected: Mapping[str, tuple[str, ...]]) -> Iterator[str]:
    """The coordinates that have other labels than expected, as texts."""
    for name, labels in expected.items():
        found = list(map(str, dataset[name].values))
        if found != list(labels):
            yield f"{name!r} is {found}, expected {list(labels)}"


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
    with atomic_folder(path, replaceable=is_recording if overwrite else None) as partial:
        write_recording(dataset, partial)
        count = dataset.sizes["frame"]
        written = write_batches(
            partial, "face", faces, dims=DIMS["face"], count=count, frames=FACE_CHUNK
        )
        if written not in (0, count):
            raise AffectkitError(
                f"{path}: expected one face for each of {count} frames, got {written} faces"
            )


def write_recording(dataset: xr.Dataset, path: StrPath) -> None:
    """Write a recording to a new folder; `face` in files of 64 frames, to read windows fast."""
    write_store(dataset, path, frames={"face": FACE_CHUNK})


def is_recording(path: StrPath) -> bool:
    """Whether a folder was written as a recording, intact or damaged: it may be replaced."""
    return is_store(path, LAYOUT)


def open_recording(path: StrPath) -> xr.Dataset:
    """Open a recording and check it; `face` and `landmark` are read when they are used.

    Raises:
        AffectkitError: `path` is not a recording, it is damaged or invalid, or another version of
            affectkit wrote it.
    """
    dataset = open_store(path, "recording", LAYOUT)
    schema = dataset.attrs.get("schema")
    if schema != SCHEMA:
        newer = isinstance(schema, int) and schema > SCHEMA
        raise (NewerVersionError if newer else AffectkitError)(
            f"{path} was written by {'a newer' if newer else 'another'} affectkit (schema "
            f"{str(schema)[:20]}, this version reads {SCHEMA}); "
            + ("update affectkit" if newer else "prepare it again")
        )
    faults = _faults(dataset)
    if faults:
        raise damaged(path, "recording", "; ".join(faults))
    return dataset


def list_recordings(folder: StrPath) -> list[Path]:
    """List the recordings in a folder, sorted by name; for the path of a recording, only that path.

    Raises:
        AffectkitError: there are none.
    """
    folder = Path(folder)
    if folder.suffix == ".zarr":
        return [folder]
    paths = [path for path in folder.glob("*.zarr") if not path.name.startswith(".")]
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
