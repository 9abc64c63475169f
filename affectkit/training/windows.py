"""Windows: fixed-length pieces of one recording, read from disk while the net works.

Of a recording all but the faces is read once, when it is opened: 0.6 kB a frame. The faces of a
window are read when its turn comes, one batch ahead of the net.
"""

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
import torch
import xarray as xr
from numpy.typing import NDArray
from torch import Tensor
from torchvision.transforms import v2

from affectkit.errors import AffectkitError
from affectkit.faces import in_crop
from affectkit.recording import EDGE
from affectkit.training.pixels import Pixels, ReadFaces, face_reader


class Batch(NamedTuple):
    """B windows of T frames. Frames that do not count have NaN annotations."""

    face: Tensor  # (B, T, H, W, C) uint8
    landmark: Tensor  # (B, T, P, 2), the crop spans [-1, 1]; missing ones are 0
    annotation: Tensor  # (B, T, 2)


class Window(NamedTuple):
    """Where a window lies: the frames from `start` up to `stop`, counted in its recording."""

    recording: int
    start: int
    stop: int
    carried: bool = False  # goes on where the window before it, at its place in the batch, ended


class Source(NamedTuple):
    """A recording to read windows from."""

    name: str
    store: str  # its folder; "" where it is in memory
    stamp: tuple[int, int]  # of the faces on disk when it was opened
    time: NDArray[np.float64]  # (frame)
    seen: NDArray[np.bool_]  # (frame), there is a crop
    annotation: NDArray[np.float32]  # (frame, affect); NaN where there is no crop
    landmark: NDArray[np.float32]  # (frame, point, axis), as `landmark_in_crop` gives them
    shape: tuple[int, ...]  # (row, col, channel) of a face
    read_faces: ReadFaces


def open_source(recording: xr.Dataset) -> Source:
    """Read all of a recording but its faces.

    Raises:
        AffectkitError: it is not there any more, or damaged.
    """
    name, store = recording.attrs["recording"], recording.encoding.get("source", "")
    try:
        seen = recording["crop_box"].notnull().all("edge")
        return Source(
            name,
            store,
            _stamp(store),
            recording["time"].values,
            seen.values,
            recording["annotation"].where(seen).values,
            landmark_in_crop(recording),
            recording["face"].shape[1:],
            face_reader(recording),
        )
    except (OSError, ValueError, RuntimeError) as error:
        raise _unreadable(name, store, error) from None


def landmark_in_crop(recording: xr.Dataset) -> NDArray[np.float32]:
    """Landmarks (frame, point, axis) where the crop spans [-1, 1]; missing ones are 0."""
    landmark = recording["landmark"].transpose("frame", "point", "axis").values
    crop_box = recording["crop_box"].sel(edge=list(EDGE)).values
    return np.nan_to_num(in_crop(landmark, crop_box, 2) - 1)


def read_window(recording: xr.Dataset, start: int, length: int) -> Batch:
    """Read one window; a short one is filled up with its last frame, which then does not count."""
    stop = min(start + length, recording.sizes["frame"])
    piece = open_source(recording.isel(frame=slice(start, stop)))
    return Batch(*(part[0] for part in read_batch([piece], [Window(0, 0, stop - start)], length)))


def read_batch(sources: Sequence[Source], windows: Sequence[Window], length: int) -> Batch:
    """Read windows as one batch; short ones are filled up as `read_window` does.

    Raises:
        AffectkitError: a recording was deleted or changed since it was opened, or is damaged.
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


def _read_faces(source: Source, start: int, stop: int, out: Pixels) -> None:
    try:
        source.read_faces(start, stop, out)
        stamp = _stamp(source.store)
    except (OSError, ValueError, RuntimeError) as error:
        raise _unreadable(source.name, source.store, error) from None
    if stamp != source.stamp:
        raise _unreadable(source.name, source.store, "it was written anew meanwhile")


def _stamp(store: str) -> tuple[int, int]:
    if not store:
        return 0, 0
    found = os.stat(os.path.join(store, "face", ".zarray"))
    return found.st_ino, found.st_mtime_ns


def _unreadable(name: str, store: str, reason: object) -> AffectkitError:
    return AffectkitError(
        f"recording {name!r} cannot be read any more ({store or 'in memory'}: "
        f"{str(reason).splitlines()[0]}); leave recordings alone while they are read, "
        "and prepare damaged ones again"
    )


def read_batches(
    sources: Sequence[Source], batches: Sequence[Sequence[Window]], length: int
) -> Iterator[Batch]:
    """Read batches one ahead of the caller, so that the disk works while the net does."""
    with ThreadPoolExecutor(1) as reader:
        ahead = reader.submit(read_batch, sources, batches[0], length)
        for windows in batches[1:]:
            current, ahead = ahead.result(), reader.submit(read_batch, sources, windows, length)
            yield current
        yield ahead.result()


def resize(face: Tensor, size: int) -> Tensor:
    """Shrink or enlarge uint8 faces (..., H, W, C) to `size` pixels a side, antialiased."""
    if face.shape[-2] == size:
        return face
    channels_first = face.movedim(-1, -3)
    resized: Tensor = v2.functional.resize(channels_first, [size, size], antialias=True)
    return resized.movedim(-3, -1)
