"""Combine faces and annotation into a recording; replace the annotation of an existing one."""

import os
import shutil
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from affectkit.datasets import Severity, fit_to_video
from affectkit.datasets.fit import Misfit
from affectkit.errors import AffectkitError
from affectkit.files import atomic_folder
from affectkit.preparation.tasks import RecordingTask, provenance
from affectkit.recording import (
    FULL_RANGE,
    is_recording,
    make_recording,
    open_recording,
    write_recording,
)

FACE_VARIABLES = ("box", "landmark", "detected", "confidence", "crop_box")
KEPT_ATTRS = ("fps", "width", "height", "crop", "history")
MANY_UNLABELLED = 0.2  # of the frames, worth a warning


def align(
    task: RecordingTask,
    annotations: xr.Dataset,
    time: NDArray[np.float64],
    header_frames: int = 0,
) -> xr.Dataset:
    """Align annotations to the frames of the video; warn of what does not fit.

    Args:
        task: how to create the recording.
        annotations: of the task.
        time: (frame) seconds.
        header_frames: number of frames according to the file header; 0 = unknown.

    Raises:
        AffectkitError: the labels and the video cannot belong together; says why.
    """
    aligned, misfits = fit_to_video(annotations, time, header_frames)
    _refuse_impossible(task, misfits)
    for misfit in misfits:
        if misfit.severity is Severity.PROBLEM:
            warnings.warn(f"{_place(task)}: {misfit.kind}: {misfit.text}", stacklevel=2)
    unlabelled = float(aligned["annotation"].isnull().any("affect").mean())
    if MANY_UNLABELLED < unlabelled < 1:
        held = annotations.attrs.get("between", "hold") == "hold"  # or no table of the user
        hint = "; if the table has rows only where a label changes, use --between hold"
        text = f"{unlabelled:.0%} of the frames have no label{'' if held else hint}"
        warnings.warn(f"{_place(task)}: {text}", stacklevel=2)
    return aligned


def check_header(
    task: RecordingTask, annotations: xr.Dataset, frames: int, duration: float
) -> None:
    """Compare annotations with the header of the video, before it is decoded for minutes.

    Args:
        task: how to create the recording.
        annotations: of the task.
        frames: number of frames; 0 = unknown.
        duration: in seconds; 0 = unknown.

    Raises:
        AffectkitError: the labels and the video cannot belong together; says why.
    """
    if frames and duration:
        time = np.arange(frames, dtype=np.float64) * (duration / frames)
        _refuse_impossible(task, fit_to_video(annotations, time, frames).misfits)


def _refuse_impossible(task: RecordingTask, misfits: Sequence[Misfit]) -> None:
    for misfit in misfits:
        if misfit.severity is Severity.IMPOSSIBLE:
            raise AffectkitError(f"{_place(task)}: {misfit.kind}: {misfit.text}")


def _place(task: RecordingTask) -> str:
    return f"{' and '.join(task.annotation_files)}: recording {task.name!r}"


def annotate(
    task: RecordingTask,
    time: NDArray[np.float64],
    faces: dict[str, NDArray[Any]],
    annotations: xr.Dataset | None,
    attrs: dict[str, Any],
) -> xr.Dataset:
    """A recording without its pixels.

    Args:
        task: how to create the recording.
        time: (frame) seconds.
        faces: the variables `FACE_VARIABLES` of all frames; `confidence` is optional.
        annotations: aligned to the same frames; their variables about faces are replaced.
        attrs: further attributes.
    """
    attrs = task.attrs | {"recording": task.name, "source_range": FULL_RANGE} | attrs
    if annotations is None:
        return make_recording(time, faces, attrs)
    variables = {str(name): array.values for name, array in annotations.data_vars.items()}
    attrs["source_range"] = annotations.attrs.get("source_range", FULL_RANGE)
    frame = annotations["frame"].values
    recording = make_recording(time, variables | faces, attrs, frame=frame)
    if "rater" in annotations.coords:
        return recording.assign_coords(rater=annotations["rater"])
    return recording


def replace_annotation(task: RecordingTask) -> bool:
    """Replace the annotation of an existing recording and keep its faces.

    Returns:
        False, without any change, if the faces come from the dataset as well.
    """
    old = open_recording(task.path)
    annotations = task.read_annotations() if task.read_annotations else None
    variables = set(annotations.data_vars) if annotations is not None else set()
    from_dataset = {"still", "landmark", "crop_box"} & variables
    if old.attrs["source"]["given"] or "still" in old or from_dataset:
        return False
    time = old["time"].values
    attrs = {key: old.attrs[key] for key in KEPT_ATTRS} | {
        "video": str(task.video),
        "source": provenance(task, old.attrs["source"]) | {"given": False},
    }
    recording = annotate(
        task,
        time,
        {name: old[name].values for name in FACE_VARIABLES if name in old},
        align(task, annotations, time) if annotations is not None else None,
        attrs,
    )
    with atomic_folder(task.path, replaceable=is_recording) as partial:
        write_recording(recording, partial)
        shutil.copytree(task.path / "face", partial / "face", copy_function=_link)
    return True


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:  # not every file system supports hard links
        shutil.copyfile(source, target)
