"""The annotation beside the faces; it can be laid anew without looking for the faces again."""

import os
import shutil
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from affectkit.datasets import on_frames
from affectkit.files import beside
from affectkit.prepare.job import Job
from affectkit.prepare.source import describe
from affectkit.recording import FULL_RANGE, make_recording, open_recording, write_zarr

FACES = ("box", "landmark", "detected", "crop_box")
KEPT = ("fps", "width", "height", "crop", "history")


def label(
    job: Job,
    time: NDArray[np.float64],
    faces: dict[str, NDArray[Any]],
    placed: xr.Dataset | None,
    about: dict[str, Any],
) -> xr.Dataset:
    """A recording without its pixels.

    Args:
        job: what it is made for.
        time: (frame) seconds.
        faces: `box`, `landmark`, `detected` and `crop_box` of all frames.
        placed: what the dataset says, on the same frames; what it says of faces is left out.
        about: attributes that are not the job's.
    """
    attrs = job.attrs | {"recording": job.name, "source_range": FULL_RANGE} | about
    if placed is None:
        return make_recording(time, faces, attrs)
    said = {str(name): array.values for name, array in placed.data_vars.items()}
    attrs["source_range"] = placed.attrs.get("source_range", FULL_RANGE)
    recording = make_recording(time, said | faces, attrs, frame=placed["frame"].values)
    return recording.assign_coords(rater=placed["rater"]) if "rater" in placed.coords else recording


def relabel(job: Job) -> bool:
    """Lay the annotation anew on a recording whose faces stay as they are.

    Returns:
        False, and nothing is done, where the faces come from the dataset too.
    """
    old = open_recording(job.path)
    annotations = job.annotate() if job.annotate else None
    said = set(annotations.data_vars) if annotations is not None else set()
    if old.attrs["source"]["given"] or "still" in old or said & {"still", "landmark", "crop_box"}:
        return False
    time = old["time"].values
    about = {key: old.attrs[key] for key in KEPT} | {
        "video": str(job.video),
        "source": describe(job, old.attrs["source"]) | {"given": False},
    }
    recording = label(
        job,
        time,
        {name: old[name].values for name in FACES},
        on_frames(annotations, time) if annotations is not None else None,
        about,
    )
    with beside(job.path, overwrite=True) as partial:
        write_zarr(recording, partial)
        shutil.copytree(job.path / "face", partial / "face", copy_function=_link)
    return True


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:  # not every file system can
        shutil.copyfile(source, target)
