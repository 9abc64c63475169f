"""The faces of a recording, as many as are asked for, with nothing in between that costs time.

A recording stores its faces raw, some 64 to a file (`recording.write_zarr`): the wanted ones are
read from the middle of those files into the batch itself. That takes a fifth of the time of asking
zarr, which reads whole files first. Recordings that are stored otherwise, or are in memory, are
read as xarray reads them.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import xarray as xr
import zarr
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]  # (frame, row, col, channel)
ReadFaces = Callable[[int, int, Pixels], None]  # the frames from `start` up to `stop`, into `out`


def face_reader(recording: xr.Dataset) -> ReadFaces:
    """How to read faces of a recording, by the position of their frames in it."""
    store = recording.encoding.get("source", "")
    if store:
        group = zarr.open_group(store, mode="r")
        whole = np.array_equal(group["frame"][:], recording["frame"])  # not a part of what is there
        if whole and _is_raw(group["face"].metadata):
            return partial(_read_files, Path(store) / "face", group["face"].chunks[0])
    return partial(_read_variable, recording["face"].variable)


def _is_raw(stored: zarr.core.metadata.ArrayV2Metadata) -> bool:
    how = stored.to_dict()
    return (
        (how["zarr_format"], how["order"], how["dtype"]) == (2, "C", "|u1")
        and not how["compressor"]
        and not how["filters"]
        and how["dimension_separator"] == "."
        and stored.chunks[1:] == stored.shape[1:]
    )


def _read_files(folder: Path, each: int, start: int, stop: int, out: Pixels) -> None:
    size, space = out[0].nbytes, out.data.cast("B")
    for number in range(start // each, (stop - 1) // each + 1):
        first, last = max(start, number * each), min(stop, (number + 1) * each)
        wanted = space[(first - start) * size : (last - start) * size]
        path = folder / f"{number}.0.0.0"
        try:
            with path.open("rb", buffering=0) as file:
                file.seek((first - number * each) * size)
                read = file.readinto(wanted)
        except FileNotFoundError:  # zarr writes no file where all is black
            wanted[:] = bytes(len(wanted))
            continue
        if read != len(wanted):
            raise OSError(f"{path.name} ends too early")


def _read_variable(face: xr.Variable, start: int, stop: int, out: Pixels) -> None:
    out[:] = face[start:stop].values
