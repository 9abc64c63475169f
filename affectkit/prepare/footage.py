"""What a recording is cut from, frame by frame: a video, or pictures in a folder."""

import math
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from affectkit.datasets import on_frames
from affectkit.errors import AffectkitError
from affectkit.faces import largest_face, load_detector
from affectkit.prepare.finding import BATCH, Found, find_person
from affectkit.prepare.job import Job
from affectkit.recording import POINTS
from affectkit.video import probe, read_frames, read_times
from affectkit.video.opening import FPS
from affectkit.video.stills import measure_stills, read_stills

Times = NDArray[np.float64]
Pictures = NDArray[np.uint8] | list[NDArray[np.uint8]]  # all of one size, or each of its own
Tell = Callable[[int], None]  # frames done


@dataclass(frozen=True)
class Footage:
    """How many frames of which size, and how to get at them."""

    width: int  # of the largest picture
    height: int
    fps: float
    frames: int  # 0 = unknown
    read: Callable[[], Iterator[Pictures]]  # in batches
    times: Callable[[], Times]  # (frame) seconds
    place: Callable[[xr.Dataset, Times], xr.Dataset]  # what a loader read, onto these frames
    find: Callable[[Tell], Found]  # look for the person


def open_footage(job: Job, annotations: xr.Dataset | None) -> Footage:
    """Open a job's video, or its pictures where the annotations name some.

    Raises:
        AffectkitError: there is nothing that can be read.
    """
    if annotations is not None and "still" in annotations:
        return _pictures(job, annotations)
    info = probe(job.video)
    return Footage(
        width=info.width,
        height=info.height,
        fps=info.fps,
        frames=info.frames,
        read=partial(_decode, job.video),
        times=partial(read_times, job.video),
        place=on_frames,
        find=lambda tell: find_person(
            job.video, job.detector, job.options, job.person, progress=tell
        ),
    )


def _decode(video: Path) -> Iterator[Pictures]:
    for _, rgb in read_frames(video, BATCH):
        yield rgb


def _pictures(job: Job, annotations: xr.Dataset) -> Footage:
    fps = FPS if math.isnan(job.fps) else job.fps
    names = [str(name) for name in annotations["still"].values]
    sizes = measure_stills(job.video, names)
    if not sizes.width.any():
        raise AffectkitError(f"{job.video}: none of its {len(names)} pictures can be read")
    if sizes.faults:
        warnings.warn(
            f"{job.video}: {len(sizes.faults)} of {len(names)} pictures cannot be read, the first "
            f"of them {sizes.faults[0]}; they are left black",
            stacklevel=2,
        )
    time = _times(annotations, fps)
    names = [name if width else "" for name, width in zip(names, sizes.width, strict=True)]
    read = partial(read_stills, job.video, names, BATCH)
    return Footage(
        width=int(sizes.width.max()),
        height=int(sizes.height.max()),
        fps=fps,
        frames=len(names),
        read=read,
        times=lambda: time,
        place=lambda known, time: known.assign(still=("frame", names)).assign_coords(
            time=("frame", time)
        ),
        find=partial(_find_each, job, time, read),
    )


def _times(annotations: xr.Dataset, fps: float) -> Times:
    """Pictures have no time stamps: the times that the dataset gives, or number / fps."""
    if "time" in annotations.coords:
        return np.asarray(annotations["time"].values, np.float64)
    return np.asarray(annotations["frame"].values / fps, np.float64)


def _find_each(job: Job, time: Times, read: Callable[[], Iterator[Pictures]], tell: Tell) -> Found:
    """The largest face of each picture: they need not be neighbours in time."""
    detector = load_detector(job.detector, **job.options)
    box = np.full((len(time), 4), np.nan, np.float32)
    landmark = np.full((len(time), POINTS, 2), np.nan, np.float32)
    number = 0
    for pictures in read():
        for picture in pictures:
            if picture.size:
                box[number], landmark[number] = largest_face(detector, picture)
            number += 1
        tell(number)
    detected = np.asarray(np.isfinite(box).all(axis=1))
    return Found(time, box, landmark, detected, np.empty(0, np.int64))
