"""Annotations as a dataset gives them, and how they come to lie on the frames of a video.

Datasets annotate frames, or moments, or a clip as a whole. A loader says which by the dims of what
it returns: `annotation` (frame, affect) with `frame` numbers from 0, (sample, affect) with `time`
in seconds from the start of the video, or (affect).
"""

import warnings
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from affectkit.errors import AffectkitError
from affectkit.recording import AFFECT, FULL_RANGE
from affectkit.signals import resample


def annotate(
    values: ArrayLike,
    *,
    dataset: str,
    recording: str,
    frame: ArrayLike | None = None,
    time: ArrayLike | None = None,
    source_range: dict[str, list[float]] | None = None,
    alignment: str = "",
) -> xr.Dataset:
    """Label the annotation of a recording.

    Args:
        values: (frame, affect), (sample, affect) or (affect), valence first, in [-1, 1];
            NaN in either makes both NaN.
        dataset: name of the dataset.
        recording: name of the recording.
        frame: (frame) numbers from 0; by default the lines are the frames.
        time: (sample) seconds, given where the values belong to moments.
        source_range: what each affect's range in the file was; by default [-1, 1].
        alignment: which rule laid lines on frames, and why.
    """
    array = np.array(values, np.float32)
    array[np.isnan(array).any(axis=-1)] = np.nan
    coords: dict[str, Any] = {"affect": list(AFFECT)}
    dims: tuple[str, ...] = ("affect",)
    if time is not None:
        dims = ("sample", "affect")
        coords["time"] = ("sample", np.asarray(time, np.float64))
    elif array.ndim > 1:
        dims = ("frame", "affect")
        coords["frame"] = np.arange(len(array)) if frame is None else np.asarray(frame, np.int64)
    attrs = {
        "dataset": dataset,
        "recording": recording,
        "alignment": alignment,
        "source_range": source_range or FULL_RANGE,
    }
    return xr.Dataset({"annotation": (dims, array)}, coords, attrs)


def on_frames(annotations: xr.Dataset, time: NDArray[np.float64]) -> xr.Dataset:
    """Lay what a loader read onto the decoded frames of the video.

    Args:
        annotations: as a loader returns it, with whatever it brings along.
        time: (frame) seconds, the time stamps of all decoded frames.

    Returns:
        The same variables on `frame` 0, 1, ... with `time`: by frame number, or resampled in
        time (linear, `signals.resample`), or the clip's value on every frame. NaN where the
        dataset says nothing. Frames beyond the last are left out; a count that is off by more
        than one warns.

    Raises:
        AffectkitError: nothing that is annotated falls on a frame.
    """
    frame = np.arange(len(time))
    if "sample" in annotations.dims:
        placed = _in_time(annotations, time)
    elif "frame" in annotations.dims:
        placed = annotations.reindex(frame=frame, fill_value=_fill(annotations))
    else:
        placed = annotations.expand_dims(frame=frame)
    placed = placed.assign_coords(frame=frame, time=("frame", np.asarray(time, np.float64)))
    _check_overlap(annotations, placed)
    if "frame" in annotations.dims:
        _compare_counts(annotations, len(time))
    return placed


def _in_time(annotations: xr.Dataset, time: NDArray[np.float64]) -> xr.Dataset:
    samples = annotations["time"].values
    placed = annotations.drop_dims("sample").drop_vars("time", errors="ignore")
    for name, array in annotations.data_vars.items():
        if "sample" in array.dims:
            first = array.transpose("sample", ...)
            values = resample(first.values, samples, time).astype(np.float32)
            renamed = xr.DataArray(values, dims=("frame", *first.dims[1:]))
            placed[name] = renamed.transpose(*("frame" if d == "sample" else d for d in array.dims))
    return placed


def _fill(annotations: xr.Dataset) -> dict[str, Any]:
    """What a frame gets that the dataset does not name: NaN, or no text."""
    return {
        str(name): "" if array.dtype.kind in "OSUT" else np.nan
        for name, array in annotations.data_vars.items()
    }


def _compare_counts(annotations: xr.Dataset, count: int) -> None:
    frame = annotations["frame"].values
    lines = int(frame.max(initial=-1)) + 1
    few = count - lines > 1 and len(frame) == lines  # who names frames may leave some out
    if few or lines - count > 1:
        name = annotations.attrs["recording"]
        warnings.warn(f"{name}: annotated to frame {lines}, its video has {count}", stacklevel=3)


def _check_overlap(annotations: xr.Dataset, placed: xr.Dataset) -> None:
    known = annotations["annotation"].notnull().any("affect")
    if known.any() and placed["annotation"].isnull().all():
        name, (first, last) = annotations.attrs["recording"], placed["time"].values[[0, -1]]
        raise AffectkitError(
            f"{name}: none of its {int(known.sum())} annotated rows falls on "
            f"the video's {placed.sizes['frame']} frames ({first:.2f} to {last:.2f} s)"
        )
