"""Windows of recordings: read as batches, one batch ahead of training.

When a recording is opened, everything but its faces is read into memory: 0.6 kB per frame. The
faces of a window are read from disk when its batch is needed.
"""

import os
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import torch
import xarray as xr
from numpy.typing import NDArray
from torch import Tensor

from affectkit.errors import AffectkitError
from affectkit.models.inputs import (
    FaceArray,
    FaceReader,
    face_reader,
    landmark_in_crop,
    read_ahead,
)

CPU = torch.device("cpu")


class Batch(NamedTuple):
    """B windows of T frames. Frames without a face, and padding, have NaN annotations."""

    face: Tensor  # (B, T, H, W, C) uint8
    landmark: Tensor  # (B, T, P, 2), the crop spans [-1, 1]; missing landmarks are 0
    annotation: Tensor  # (B, T, 2)


class Window(NamedTuple):
    """The frames `start` to `stop` (exclusive) of a recording."""

    recording: int  # index in the list of sources
    start: int
    stop: int
    continues: bool = False  # starts where this position of the previous batch ended


class WindowSource(NamedTuple):
    """A recording from which windows are read."""

    name: str
    path: str  # of the recording; "" if it is in memory
    file_version: tuple[int, int]  # of the faces on disk when the recording was opened
    time: NDArray[np.float64]  # (frame)
    has_face: NDArray[np.bool_]  # (frame), there is a crop
    annotation: NDArray[np.float32]  # (frame, affect); NaN without a crop
    landmark: NDArray[np.float32]  # (frame, point, axis), see `landmark_in_crop`
    shape: tuple[int, ...]  # (row, col, channel) of a face
    read_faces: FaceReader


def open_window_source(recording: xr.Dataset) -> WindowSource:
    """Read everything but the faces of a recording.

    Raises:
        AffectkitError: the recording was deleted or is damaged.
    """
    name, path = recording.attrs["recording"], recording.encoding.get("source", "")
    try:
        has_face = recording["crop_box"].notnull().all("edge")
        return WindowSource(
            name,
            path,
            _file_version(path),
            recording["time"].values,
            has_face.values,
            recording["annotation"].where(has_face).values,
            landmark_in_crop(recording),
            recording["face"].shape[1:],
            face_reader(recording),
        )
    except (OSError, ValueError, RuntimeError) as error:
        raise _unreadable(name, path, error) from None


def read_window(recording: xr.Dataset, start: int, length: int) -> Batch:
    """Read one window, without the batch dim; a short one is padded as in `read_batch`."""
    stop = min(start + length, recording.sizes["frame"])
    source = open_window_source(recording.isel(frame=slice(start, stop)))
    return Batch(*(part[0] for part in read_batch([source], [Window(0, 0, stop - start)], length)))


def read_batch(sources: Sequence[WindowSource], windows: Sequence[Window], length: int) -> Batch:
    """Read windows as one batch.

    A window shorter than `length` is padded with its last frame; the annotation there is NaN.

    Raises:
        AffectkitError: a recording is damaged, or was deleted or changed after it was opened.
    """
    first = sources[windows[0].recording]
    shape = (len(windows), length)
    face = np.empty((*shape, *first.shape), np.uint8)
    landmark = np.empty((*shape, *first.landmark.shape[1:]), np.float32)
    annotation = np.full((*shape, 2), np.nan, np.float32)
    for row, (recording, start, stop, _) in enumerate(windows):
        source, count = sources[recording], stop - start
        _read_faces(source, start, stop, face[row, :count])
        landmark[row, :count] = source.landmark[start:stop]
        annotation[row, :count] = source.annotation[start:stop]
        face[row, count:], landmark[row, count:] = face[row, count - 1], landmark[row, count - 1]
    return Batch(*map(torch.from_numpy, (face, landmark, annotation)))


def read_batches(
    sources: Sequence[WindowSource],
    batches: Sequence[Sequence[Window]],
    length: int,
    device: torch.device = CPU,
) -> Iterator[Batch]:
    """Read batches; the next one is read in a thread while the caller trains on the current one.

    For a CUDA device they are copied into page-locked memory, so that the copy to the device does
    not wait.
    """

    def read(windows: Sequence[Window]) -> Batch:
        batch = read_batch(sources, windows, length)
        return Batch(*(part.pin_memory() for part in batch)) if device.type == "cuda" else batch

    return read_ahead(map(read, batches))


def _read_faces(source: WindowSource, start: int, stop: int, out: FaceArray) -> None:
    try:
        source.read_faces(start, stop, out)
        file_version = _file_version(source.path)
    except (OSError, ValueError, RuntimeError) as error:
        raise _unreadable(source.name, source.path, error) from None
    if file_version != source.file_version:
        raise _unreadable(source.name, source.path, "it was written again in the meantime")


def _file_version(path: str) -> tuple[int, int]:
    """Changes when the faces of a recording are written again."""
    if not path:
        return 0, 0
    found = os.stat(os.path.join(path, "face", ".zarray"))
    return found.st_ino, found.st_mtime_ns


def _unreadable(name: str, path: str, reason: object) -> AffectkitError:
    return AffectkitError(
        f"recording {name!r} can no longer be read ({path or 'in memory'}: "
        f"{str(reason).splitlines()[0]}); do not change recordings during training, "
        "and prepare damaged ones again"
    )
