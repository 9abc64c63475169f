"""The common structure of annotations, and their alignment to video frames.

Datasets annotate frames, points in time, or whole clips. The dims of `annotation` show which:
(frame, affect) with `frame` numbers from 0, (sample, affect) with `time` in seconds from the start
of the video, or (affect).
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from affectkit.recording import AFFECT, AXIS, DIMS, EDGE, FULL_RANGE
from affectkit.signals import resample


def make_annotation(
    values: ArrayLike,
    *,
    dataset: str,
    recording: str,
    frame: ArrayLike | None = None,
    time: ArrayLike | None = None,
    source_range: dict[str, list[float]] | None = None,
    alignment: str = "",
    reading: Mapping[str, Any] | None = None,
) -> xr.Dataset:
    """The annotation of a recording as a Dataset.

    Args:
        values: (frame, affect), (sample, affect) or (affect), valence first, in [-1, 1];
            NaN in either makes both NaN.
        dataset: name of the dataset.
        recording: name of the recording.
        frame: (frame) numbers from 0; by default row i is frame i.
        time: (sample) seconds, for values at points in time.
        source_range: the range of each affect in the file; by default [-1, 1].
        alignment: the rule that aligns values to frames, and the reason for it.
        reading: how a table of the user was read: `time_unit`, `between` and `first_frame`, as in
            `table.LabelFormat`; "" = not given.
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
        **(reading or {}),
    }
    return xr.Dataset({"annotation": (dims, array)}, coords, attrs)


def align_to_frames(annotations: xr.Dataset, time: NDArray[np.float64]) -> xr.Dataset:
    """Align an annotation to the decoded frames of its video.

    `fit.fit_to_video` does the same, and says what does not fit.

    Args:
        annotations: the Dataset that a loader returns, with all its variables.
        time: (frame) seconds, the time stamps of all decoded frames.

    Returns:
        The same variables on `frame` 0, 1, ... with `time`: by frame number, or resampled in time
        (`signals.resample`; linear, unless the attribute `between` has another method), or the
        value of the clip on every frame. NaN in frames without annotation. Annotations after the
        last frame are dropped.
    """
    frame = np.arange(len(time))
    between = annotations.attrs.get("between", "")
    if "sample" in annotations.dims:
        samples = annotations.drop_vars("time")
        at = annotations["time"].values
        aligned = _resample(samples, "sample", at, time, between or "linear")
    elif "frame" in annotations.dims and between:
        numbers = annotations.drop_vars(["frame", "time"], errors="ignore")
        at = annotations["frame"].values.astype(np.float64)
        aligned = _resample(numbers, "frame", at, frame.astype(np.float64), between)
    elif "frame" in annotations.dims:
        aligned = annotations.reindex(frame=frame, fill_value=_fill_values(annotations))
    else:
        aligned = annotations.expand_dims(frame=frame)
    return aligned.assign_coords(frame=frame, time=("frame", np.asarray(time, np.float64)))


def _resample(
    annotations: xr.Dataset,
    dim: str,
    position: NDArray[np.float64],
    at: NDArray[np.float64],
    method: str,
) -> xr.Dataset:
    """The variables along `dim`, which have these positions, along `frame` at others."""
    aligned = annotations.drop_dims(dim)
    for name, array in annotations.data_vars.items():
        if dim in array.dims:
            first = array.transpose(dim, ...)
            values = resample(first.values, position, at, method).astype(np.float32)
            renamed = xr.DataArray(values, dims=("frame", *first.dims[1:]))
            aligned[name] = renamed.transpose(*("frame" if d == dim else d for d in array.dims))
    return aligned


def _fill_values(annotations: xr.Dataset) -> dict[str, Any]:
    """The value of frames that the dataset does not contain: NaN, or an empty string."""
    return {
        str(name): "" if array.dtype.kind in "OSUT" else np.nan
        for name, array in annotations.data_vars.items()
    }


def add_pictures(
    annotation: xr.Dataset,
    *,
    still: Sequence[str],
    landmark: NDArray[np.float32],
    box: NDArray[np.float32] | None = None,
) -> xr.Dataset:
    """Add the pictures of the frames, and the landmarks and boxes that the dataset has for them.

    Args:
        annotation: the annotation (frame, affect).
        still: (frame) path of the picture below the folder `video` of the index; "" = missing.
        landmark: (frame, point, axis) in pixels of the picture; NaN = unknown.
        box: (frame, edge) in pixels of the picture; by default the smallest box around the
            landmarks.
    """
    variables = {
        "still": (DIMS["still"], np.array(still, np.str_)),
        "landmark": (DIMS["landmark"], landmark),
        "box": (DIMS["box"], box_around(landmark) if box is None else box),
    }
    return annotation.assign(variables).assign_coords(axis=list(AXIS), edge=list(EDGE))


def box_around(landmark: NDArray[np.floating[Any]]) -> NDArray[np.floating[Any]]:
    """The smallest box (frame, edge) around the landmarks (frame, point, axis)."""
    return np.concatenate([landmark.min(axis=1), landmark.max(axis=1)], axis=1)
