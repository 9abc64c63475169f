"""Combine faces and annotation into a recording; replace the annotation of an existing one."""

import os
import shutil
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from affectkit.datasets import align_to_frames
from affectkit.files import atomic_folder
from affectkit.preparation.tasks import RecordingTask, provenance
from affectkit.recording import (
    FULL_RANGE,
    is_recording,
    make_recording,
    open_recording,
    write_recording,
)

FACE_VARIABLES = ("box", "landmark", "detected", "crop_box")
KEPT_ATTRS = ("fps", "width", "height", "crop", "history")


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
        faces: `box`, `landmark`, `detected` and `crop_box` of all frames.
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
        {name: old[name].values for name in FACE_VARIABLES},
        align_to_frames(annotations, time) if annotations is not None else None,
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
