"""Zarr folders of recordings, predictions and attributions: written and checked here only.

Every array is stored without compressor and filters, and every chunk is written. So each file has a
known size, and no codec ever sees a file that may be damaged or hostile. Text has a fixed length,
because arrays of objects would be read by pickle. Stores use zarr format 2: format 3 has no stable
specification of text.
"""

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import product
from os import DirEntry, scandir
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import xarray as xr
import zarr
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, NonNegativeInt, PositiveInt, ValidationError
from zarr.storage import LocalStore

from affectkit.errors import AffectkitError
from affectkit.files import StrPath, read_json

DTYPES = re.compile(r"<[iu]8|<f[248]|\|b1|\|u1|<U\d{1,4}")
ARRAY_ATTRS = {"_ARRAY_DIMENSIONS", "coordinates", "_FillValue"}
BOOL_MARK = "dtype"  # an attribute that xarray removes when it reads the array
FRAMES_PER_FILE = 4096
WRITE: Any = {"consolidated": False, "write_empty_chunks": True}
MAX_CHARACTER = 0x10FFFF  # of Unicode; numpy stores text as UTF-32
GROUP, ARRAY, ATTRS = ".zgroup", ".zarray", ".zattrs"


class Variable(NamedTuple):
    """What a variable of a store must look like."""

    dims: tuple[str, ...]
    dtype: str  # as `numpy.dtype.str`, "U" = text of any length
    required: bool = True


Layout = Mapping[str, Variable]


class _ArrayMetadata(BaseModel):
    """The content of a .zarray file, as affectkit writes it."""

    model_config = ConfigDict(strict=True, extra="forbid")

    zarr_format: Literal[2]
    shape: list[NonNegativeInt]
    chunks: list[PositiveInt]
    dtype: str
    order: Literal["C"]
    fill_value: Literal["NaN"] | None
    filters: None
    compressor: None
    dimension_separator: Literal["."] = "."


def write_store(
    dataset: xr.Dataset, path: StrPath, *, frames: Mapping[str, int] | None = None
) -> None:
    """Write a Dataset to a new zarr folder.

    Args:
        dataset: with the dim `frame`.
        path: a path that does not exist, from `atomic_folder`.
        frames: number of frames in each file, by variable; by default `FRAMES_PER_FILE`.
    """
    dataset = _fixed_types(dataset.drop_encoding())
    encoding: dict[Any, Any] = {}
    for name, variable in dataset.variables.items():
        chunks = _chunks(variable, (frames or {}).get(str(name), FRAMES_PER_FILE))
        encoding[name] = {"compressors": None, "filters": None, "chunks": chunks}
    dataset.to_zarr(local_store(path), mode="w-", encoding=encoding, zarr_format=2, **WRITE)


def append_store(dataset: xr.Dataset, path: StrPath) -> None:
    """Append frames to a zarr folder that `write_store` has written."""
    _fixed_types(dataset.drop_encoding()).to_zarr(local_store(path), append_dim="frame", **WRITE)


def write_batches(
    path: StrPath,
    name: str,
    batches: Iterable[NDArray[np.uint8]],
    *,
    dims: tuple[str, ...],
    count: int,
    frames: int,
) -> int:
    """Write one more variable to a zarr folder, batch by batch: it need not fit in memory.

    Args:
        path: a folder that `write_store` has written.
        name: of the variable.
        batches: values of consecutive frames.
        dims: of the variable; the first one is `frame`.
        count: number of frames. Further frames are not written.
        frames: number of frames in each file.

    Returns:
        The number of frames in `batches`.
    """
    array, written = None, 0
    for batch in batches:
        if array is None:
            shape = (count, *batch.shape[1:])
            array = zarr.open_group(local_store(path), mode="a", zarr_format=2).create_array(
                name,
                shape=shape,
                chunks=(min(frames, count), *batch.shape[1:]),
                dtype="uint8",
                fill_value=None,  # otherwise xarray reads the fill value, 0, as NaN
                compressors=None,
                filters=None,
                config={"write_empty_chunks": True},
                attributes={"_ARRAY_DIMENSIONS": list(dims)},
            )
        array[written : written + len(batch)] = batch[: max(count - written, 0)]
        written += len(batch)
    return written


def local_store(path: StrPath) -> LocalStore:
    """The folder at a path; xarray and zarr would read a path with "::" as a chain of addresses."""
    return LocalStore(Path(path).absolute())


def _fixed_types(dataset: xr.Dataset) -> xr.Dataset:
    """The dataset with text of fixed length, and bool values marked as such.

    Without the mark, xarray before 2026.9 writes bool values as int8.
    """
    kinds = {name: each.dtype.kind for name, each in dataset.variables.items()}
    text = {name: dataset[name].astype(str) for name in kinds if kinds[name] in "OT"}
    mark = {BOOL_MARK: "bool"}
    marked = {name: dataset[name].assign_attrs(mark) for name in kinds if kinds[name] == "b"}
    return dataset.assign({**text, **marked})


def _chunks(variable: xr.Variable, frames: int) -> tuple[int, ...]:
    sizes = zip(variable.dims, variable.shape, strict=True)
    return tuple(max(1, min(size, frames) if dim == "frame" else size) for dim, size in sizes)


def open_store(path: StrPath, kind: str, layout: Layout) -> xr.Dataset:
    """Open a zarr folder, after a check of all its files; values are read when they are used.

    The numbers in chunks are not read here, but the sizes of all files are compared with the
    expected ones. Changed bytes that keep the size of a file are found only where values are
    checked, such as text and the order of frames.

    Args:
        path: the folder.
        kind: "recording", "prediction" or "attribution", for the error.
        layout: the variables it must have.

    Raises:
        AffectkitError: `path` is not such a folder, or it is damaged; the first fault of its files
            or all faults of its variables.
    """
    path = Path(path)
    if not (path / GROUP).is_file():
        raise AffectkitError(f"{path} is not a {kind}: expected a zarr folder with a {GROUP} file")
    try:
        fault = _file_fault(path)
        if not fault:
            opened: xr.Dataset = xr.open_zarr(local_store(path), consolidated=False, chunks=None)
    except (AffectkitError, OSError, ValueError, KeyError, TypeError) as error:
        fault = str(error)
    if not fault:
        opened.encoding["source"] = str(path)
        fault = "; ".join(layout_faults(opened, layout))
    if fault:
        raise damaged(path, kind, fault)
    return opened


def damaged(path: StrPath, kind: str, fault: str) -> AffectkitError:
    """The error for a damaged recording, prediction or attribution, with the way out."""
    command = {"recording": "prepare", "prediction": "predict", "attribution": "attribute"}[kind]
    fault = " ".join(fault.split())
    return AffectkitError(
        f"{kind} {path} is invalid: {fault}; remove it and run affectkit {command} again"
    )


def _file_fault(path: Path) -> str:
    """The first fault of the files of a store, or "" if there is none."""
    _read_attrs(path, path / GROUP)
    _read_attrs(path, path / ATTRS)
    for entry in sorted(path.iterdir()):
        if entry.is_symlink():
            return f"{entry.name} is a symbolic link, and links are not followed"
        if entry.is_dir():
            fault = _array_fault(entry)
            if fault:
                return f"{entry.name}: {fault}"
    return ""


def _read_attrs(store: Path, path: Path) -> dict[str, Any]:
    if path.is_symlink():
        raise AffectkitError(f"{path.relative_to(store)} is a symbolic link")
    return read_json(path, "zarr metadata")


def _array_fault(folder: Path) -> str:
    """The first fault of the metadata and the files of one array, or ""."""
    with scandir(folder) as entries:
        found = {entry.name: entry for entry in entries}
    for name, entry in found.items():
        if not entry.is_file(follow_symlinks=False):
            return f"{name} is not a file"
    if not {ARRAY, ATTRS} <= found.keys():
        return f"expected the files {ARRAY} and {ATTRS}"
    try:
        array = _ArrayMetadata.model_validate(read_json(folder / ARRAY, "zarr metadata"))
    except ValidationError as error:
        detail = error.errors()[0]
        place = ".".join(map(str, detail["loc"]))
        return f"{ARRAY}: {place}: {detail['msg']}, got {str(detail['input'])[:60]}"
    fault = _dtype_fault(array) or _dims_fault(read_json(folder / ATTRS, "zarr metadata"), array)
    return fault or _size_fault(array, found) or _text_fault(array, folder)


def _size_fault(array: _ArrayMetadata, found: Mapping[str, DirEntry[str]]) -> str:
    """The first chunk that is missing or has another size than expected, or ""."""
    size = math.prod(array.chunks) * np.dtype(array.dtype).itemsize
    for name in _chunk_names(array):
        if name not in found:
            return f"the file {name} is missing"
        if found[name].stat().st_size != size:
            return f"the file {name} has {found[name].stat().st_size} bytes, expected {size}"
    return ""


def _text_fault(array: _ArrayMetadata, folder: Path) -> str:
    """The first file of text or bool values with bytes that are none, or ""."""
    kind = np.dtype(array.dtype).kind
    if kind not in "Ub":
        return ""
    for name in _chunk_names(array):
        values: NDArray[Any] = np.fromfile(folder / name, np.uint32 if kind == "U" else np.uint8)
        if (values > (MAX_CHARACTER if kind == "U" else 1)).any():
            return f"the file {name} contains other bytes than {'text' if kind == 'U' else 'bool'}"
    return ""


def _dtype_fault(array: _ArrayMetadata) -> str:
    if DTYPES.fullmatch(array.dtype) and len(array.shape) == len(array.chunks):
        return ""
    return f"{ARRAY}: unsupported dtype {array.dtype[:60]!r} or chunks {str(array.chunks)[:60]}"


def _dims_fault(attrs: Mapping[str, Any], array: _ArrayMetadata) -> str:
    dims = attrs.get("_ARRAY_DIMENSIONS")
    names = dims if isinstance(dims, list) else []
    if len(set(map(str, names))) != len(array.shape) or len(names) != len(array.shape):
        return f"{ATTRS}: expected the names of {len(array.shape)} dims, got {str(dims)[:60]}"
    own = ARRAY_ATTRS | {BOOL_MARK} if array.dtype == "|b1" else ARRAY_ATTRS
    unknown = ", ".join(sorted(attrs.keys() - own))
    return f"{ATTRS}: unknown keys {unknown[:60]}" if unknown else ""


def _chunk_names(array: _ArrayMetadata) -> Iterator[str]:
    sizes = zip(array.shape, array.chunks, strict=True)
    counts = (range(math.ceil(length / chunk)) for length, chunk in sizes)
    return (".".join(map(str, index)) or "0" for index in product(*counts))


def layout_faults(dataset: xr.Dataset, layout: Layout) -> Iterator[str]:
    """Faults in the names, dims and dtypes of the variables, as texts."""
    for name, (dims, dtype, required) in layout.items():
        if name not in dataset.variables:
            if required:
                yield f"no {name!r}"
            continue
        found = dataset[name]
        if found.dims != dims:
            yield f"{name!r} has dims {found.dims}, expected {dims}"
        if found.dtype.kind != "U" if dtype == "U" else found.dtype.str != dtype:
            yield f"{name!r} should be {np.dtype(dtype).name}, but is {found.dtype}"


def is_store(path: StrPath, layout: Layout) -> bool:
    """Whether a folder has only files of a store, intact or damaged: affectkit may replace it."""
    entries = list(Path(path).iterdir())
    own = {*layout, GROUP, ATTRS}
    return bool(entries) and all(
        entry.name in own and not entry.is_symlink() and entry.is_dir() == (entry.name in layout)
        for entry in entries
    )
