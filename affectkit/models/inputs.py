"""Read the inputs of the model from recordings: faces, and landmarks in crop coordinates.

A recording stores its faces uncompressed, about 64 in each file (see `recording.write_recording`).
`face_reader` reads the requested faces from the middle of these files directly into the batch. This
takes a fifth of the time that zarr takes, because zarr reads whole files first. Recordings that are
stored differently, or that are in memory, are read through xarray.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import NamedTuple, TypeVar

import numpy as np
import torch
import xarray as xr
import zarr
from numpy.typing import NDArray
from torch import Tensor
from torchvision.transforms import v2

from affectkit.errors import AffectkitError
from affectkit.models.cnn_rnn import CnnRnn
from affectkit.models.device import is_out_of_memory
from affectkit.recording import EDGE, FACE_CHUNK, POINTS, to_crop_coordinates
from affectkit.store import local_store

FaceArray = NDArray[np.uint8]  # (frame, row, col, channel)
FaceReader = Callable[[int, int, FaceArray], None]  # reads frames `start` to `stop` into `out`
Result = TypeVar("Result")


class Chunk(NamedTuple):
    """Inputs of the model for T consecutive frames of a recording."""

    image: Tensor  # (T, C, H, W), normalised; before that (T, H, W, C) uint8, as it is stored
    landmark: Tensor  # (T, P, 2)

    def split(self, frames: int) -> "list[Chunk]":
        """Chunks of at most `frames` frames."""
        parts = zip(*(torch.split(each, frames) for each in self), strict=True)
        return [Chunk(*part) for part in parts]


def read_chunks(
    model: CnnRnn, recording: xr.Dataset, input_size: int, chunk: int = FACE_CHUNK
) -> Iterator[Chunk]:
    """Read a recording in chunks of at most `chunk` frames, on the device of the model.

    For a GPU, the next chunk is read in a thread while the caller computes, into page-locked
    memory, from which it is copied without waiting. On a CPU, reading ahead was slower: the thread
    competed with those of the CNN. Landmarks are 0 if the model does not use them.
    """
    device = model.head.weight.device
    stored = _read_stored(model, recording, chunk, pin_memory=device.type == "cuda")
    if device.type != "cpu":
        stored = read_ahead(stored)

    def normalise(chunk: Chunk) -> Chunk:
        face, landmark = (part.to(device, non_blocking=True) for part in chunk)
        return Chunk(model.normalise(resize(face, input_size)), landmark)

    return process_chunks(normalise, stored)


def _read_stored(
    model: CnnRnn, recording: xr.Dataset, chunk: int, *, pin_memory: bool
) -> Iterator[Chunk]:
    coordinates = recording[["landmark", "crop_box"]]
    read_faces, shape = face_reader(recording), recording["face"].shape
    for start in range(0, shape[0], chunk):
        stop = min(start + chunk, shape[0])
        size = (stop - start, *shape[1:])
        face = torch.empty(size, dtype=torch.uint8, pin_memory=pin_memory)
        read_faces(start, stop, face.numpy())
        landmark = np.zeros((stop - start, POINTS, 2), np.float32)
        if model.landmarks:
            landmark = landmark_in_crop(coordinates.isel(frame=slice(start, stop)))
        yield Chunk(face, torch.from_numpy(landmark))


def read_ahead(items: Iterator[Result]) -> Iterator[Result]:
    """Yield the items of an iterator; a thread computes the next one meanwhile."""
    with ThreadPoolExecutor(1) as reader:
        following = reader.submit(next, items, None)
        while (item := following.result()) is not None:
            following = reader.submit(next, items, None)
            yield item


def process_chunks(process: Callable[[Chunk], Result], chunks: Iterator[Chunk]) -> Iterator[Result]:
    """Call a function for each chunk, or for parts of it if memory is too small for all its frames.

    When memory runs out, the frames that are not processed yet are halved, and all later chunks are
    split into parts of this length. A function that carries a state from frame to frame has to keep
    it unchanged when it fails.

    Raises:
        AffectkitError: memory is too small even for a single frame.
    """
    longest = 0  # frames that are processed together; 0: whole chunks
    for chunk in chunks:
        remaining = chunk.split(longest) if longest else [chunk]
        while remaining:
            try:
                result = process(remaining[0])
            except RuntimeError as error:
                frames = len(remaining[0].image)
                if not is_out_of_memory(error):
                    raise
                if frames == 1:
                    raise AffectkitError(
                        "a single frame does not fit into the memory of the device: free some of "
                        "it, or use another device"
                    ) from error
                longest = (frames + 1) // 2
            else:
                del remaining[0]
                yield result
                continue
            # outside the handler, where the failed call and its tensors are gone
            remaining = [part for each in remaining for part in each.split(longest)]


def face_reader(recording: xr.Dataset) -> FaceReader:
    """A function that reads faces of a recording by the positions of their frames."""
    path = recording.encoding.get("source", "")
    if path:
        group = zarr.open_group(local_store(path), mode="r")
        chunks, shape = group["face"].chunks, group["face"].shape
        complete = np.array_equal(group["frame"][:], recording["frame"])  # not a selection
        if complete and chunks[1:] == shape[1:]:
            return partial(_read_files, Path(path) / "face", chunks[0])
    return partial(_read_variable, recording["face"].variable)


def _read_files(folder: Path, frames_per_file: int, start: int, stop: int, out: FaceArray) -> None:
    size, buffer = out[0].nbytes, out.data.cast("B")
    for number in range(start // frames_per_file, (stop - 1) // frames_per_file + 1):
        file_start = number * frames_per_file
        first, last = max(start, file_start), min(stop, file_start + frames_per_file)
        part = buffer[(first - start) * size : (last - start) * size]
        path = folder / f"{number}.0.0.0"
        with path.open("rb", buffering=0) as file:
            file.seek((first - file_start) * size)
            read = file.readinto(part)
        if read != len(part):
            raise OSError(
                f"{path} is truncated: expected {len(part)} bytes, got {read}; prepare it again"
            )


def _read_variable(face: xr.Variable, start: int, stop: int, out: FaceArray) -> None:
    out[:] = face[start:stop].values


def landmark_in_crop(recording: xr.Dataset) -> NDArray[np.float32]:
    """Landmarks (frame, point, axis) in crop coordinates from -1 to 1; missing landmarks are 0."""
    landmark = recording["landmark"].transpose("frame", "point", "axis").values
    crop_box = recording["crop_box"].sel(edge=list(EDGE)).values
    return np.nan_to_num(to_crop_coordinates(landmark, crop_box, 2) - 1)


def resize(face: Tensor, size: int) -> Tensor:
    """Resize uint8 faces (..., H, W, C) to `size` x `size` pixels, antialiased."""
    if face.shape[-2] == size:
        return face
    channels_first = face.movedim(-1, -3)
    resized: Tensor = v2.functional.resize(channels_first, [size, size], antialias=True)
    return resized.movedim(-3, -1)
